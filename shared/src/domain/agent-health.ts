import { defineMachine } from '../machine.ts';

/**
 * An agent as the control plane sees it, by its own clock and by acknowledged heartbeats, never by the will message alone.
 * `expected` enrolled, never heard · `online` · `late` heartbeats missing · `lost` missing for the grace time: its copies do not count ·
 * `returned` heard again, its copies are verified before they count · `revoked` a person took its identity away; enrolled again, it is `lost` until it is heard.
 */
export const agentStates = ['expected', 'online', 'late', 'lost', 'returned', 'revoked'] as const;
export type AgentState = (typeof agentStates)[number];
export type AgentEvent = 'heard' | 'silent' | 'grace-over' | 'verified' | 'revoke' | 'enrol';

export const agentMachine = defineMachine<AgentState, AgentEvent>({
  initial: 'expected',
  states: {
    expected: { heard: 'online', revoke: 'revoked' },
    online: { heard: 'online', silent: 'late', revoke: 'revoked' },
    late: { heard: 'online', silent: 'late', 'grace-over': 'lost', revoke: 'revoked' },
    lost: { heard: 'returned', 'grace-over': 'lost', revoke: 'revoked' },
    returned: { heard: 'returned', verified: 'online', silent: 'late', revoke: 'revoked' },
    revoked: { enrol: 'lost' },
  },
});
