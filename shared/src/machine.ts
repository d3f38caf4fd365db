/**
 * State machines as tables: `states[state][event]` is the next state, and what is not in the table can not happen.
 * A machine answers, it does not throw: an event out of turn is an expected thing on a network that repeats and reorders.
 */
export interface Machine<State extends string, Event extends string> {
  readonly initial: State;
  readonly states: { readonly [S in State]: { readonly [E in Event]?: State } };
}

export type Step<State extends string> = { readonly ok: true; readonly state: State } | { readonly ok: false; readonly reason: string };

/** Name a table, so that its types are checked once. */
export function defineMachine<State extends string, Event extends string>(machine: Machine<State, Event>): Machine<State, Event> {
  return machine;
}

/** Answer where an event leads from a state, or why it leads nowhere. */
export function step<State extends string, Event extends string>(machine: Machine<State, Event>, state: State, event: Event): Step<State> {
  const next = machine.states[state]?.[event];
  return next === undefined ? { ok: false, reason: `"${event}" is not possible in "${state}"` } : { ok: true, state: next };
}

/** A state that nothing leaves. */
export function isFinal<State extends string>(machine: Machine<State, string>, state: State): boolean {
  return Object.keys(machine.states[state]).length === 0;
}

/** Every state that can be reached from the initial one, the initial one included. */
export function reachable<State extends string>(machine: Machine<State, string>, from: State = machine.initial): Set<State> {
  const seen = new Set<State>([from]);
  for (const state of seen) for (const next of Object.values(machine.states[state]) as State[]) seen.add(next);
  return seen;
}
