import { defineMachine } from '../machine.ts';

/**
 * How far a failure model is trusted. `candidate` known, asked nothing · `shadow` scores beside the active one and acts on nothing ·
 * `active` what the agents run · `retired` was active and can be again · `rejected` was never active and will not be.
 * At most one is active and at most one in the shadow; the database holds that.
 */
export const modelStates = ['candidate', 'shadow', 'active', 'retired', 'rejected'] as const;
export type ModelState = (typeof modelStates)[number];

/**
 * `shadow` score beside the active one · `activate` every agent runs it from now on · `make-room` another one goes into the shadow ·
 * `retire` it is not wanted any more, or another one took its place.
 */
export type ModelEvent = 'shadow' | 'activate' | 'make-room' | 'retire';

/** The way back is the same step as the way there: a roll-back retires the active one and activates the one before it. */
export const modelMachine = defineMachine<ModelState, ModelEvent>({
  initial: 'candidate',
  states: {
    candidate: { shadow: 'shadow', activate: 'active', retire: 'rejected' },
    shadow: { activate: 'active', 'make-room': 'candidate', retire: 'rejected' },
    active: { retire: 'retired' },
    retired: { activate: 'active' },
    rejected: {},
  },
});
