/**
 * Faults that can be armed on purpose. Each is bounded by time, undone before anything else when the agent starts,
 * and refused where it would touch the last verified copy of a dataset. `parameters` has the value that each takes unless another is given.
 * Adding one is one row here and one file in `agent/src/faults`.
 */
export const faultKinds = {
  'target-latency': { on: 'target', parameters: { addedMs: 500 }, says: 'every operation on the target takes this much longer' },
  'target-errors': { on: 'target', parameters: { probability: 0.2, errno: 'EIO' }, says: 'operations on the target fail with this error at this rate' },
  'target-full': { on: 'target', parameters: {}, says: 'writes to the target fail as if the disk were full' },
  'flip-byte': { on: 'replica', parameters: {}, says: 'one byte of one file of a copy is turned; undone by turning it back' },
  'link-cut': { on: 'node', parameters: {}, says: 'the agent hears and says nothing' },
  'link-delay': { on: 'node', parameters: { addedMs: 500 }, says: 'messages arrive this much later' },
  'link-duplicate': { on: 'node', parameters: { probability: 0.2 }, says: 'messages are sent twice at this rate' },
  'link-reorder': { on: 'node', parameters: { probability: 0.2 }, says: 'messages are held back behind the next one at this rate' },
  'kill-agent': { on: 'node', parameters: {}, says: 'the agent process ends at once, as with kill -9; its supervisor starts it again' },
  'clock-skew': { on: 'node', parameters: { offsetMs: 3_600_000 }, says: "the agent's wall clock is off by this much" },
  'degrade-drive': { on: 'device', parameters: { pace: 50 }, says: 'a replayed drive ages this many times faster and shows the signs of dying' },
} as const;
export type FaultKind = keyof typeof faultKinds;

/** The places where code asks whether a fault is armed; silent unless one is. */
export interface FaultHooks {
  /** Before an operation on a target: may wait, may throw with an errno as the disk would. */
  before(operation: 'read' | 'write' | 'sync' | 'rename' | 'remove' | 'stat', targetId: string): Promise<void>;
  /** Named crash points of the mover; a no-op unless a test arms one (`DIM_FAILPOINT=name:kill:3`). */
  failpoint(name: string): void;
  /** True where a crash point is waited for: work that another thread would do at one go is then done step by step, on this one. */
  readonly isStepwise?: boolean;
}

export const noFaults: FaultHooks = { before: async () => {}, failpoint: () => {} };
