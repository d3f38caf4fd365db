import type { Clock } from '@data-in-motion/shared/clock';
import { type FaultHooks, type FaultKind, faultKinds } from '@data-in-motion/shared/domain/fault-hooks';
import type { ExperimentId } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { asFailure } from '@data-in-motion/shared/failure';
import type { FaultDocument } from '@data-in-motion/shared/protocol/messages';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { catalogue } from './catalogue.ts';
import { type Failpoint, failpointOf } from './failpoint.ts';
import { type Condition, calmWeather, type DriveAging, type FaultWorld, type LinkWeather } from './fault.ts';

/** Where armed faults are written down first; kept by the journal. */
export interface FaultLog {
  begin(row: { readonly experimentId: string; readonly kind: string; readonly detail: string }, atMs: number): 'begun' | 'known';
  refuse(experimentId: string, kind: string, atMs: number): 'noted' | 'known';
  pending(): readonly { readonly experimentId: string; readonly kind: string; readonly detail: string }[];
  finish(experimentId: string): void;
}

export interface ArmedFaultsParts {
  readonly nodeId: string;
  readonly targets: readonly TargetDescription[];
  readonly drives: DriveAging;
  readonly log: FaultLog;
  /** Committed when it returns. */
  readonly tell: (record: RecordOf<'fault'>) => void;
  /** The true one: a skewed clock does not lengthen a fault. */
  readonly clock: Clock;
  readonly allowed: boolean;
  readonly failpoint: Failpoint | null;
  kill(): void;
}

export interface ArmedFaults extends FaultHooks {
  /** Take back whatever an earlier process left armed. To be awaited before anything else starts. */
  undoLeftovers(): Promise<void>;
  /** Do what a fault document says; documents are worked off one after the other. */
  receive(document: FaultDocument): Promise<void>;
  link(): LinkWeather;
  clockOffsetMs(): number;
  /** Called after each arming and undoing. */
  onChange(listener: () => void): void;
  /** Take everything back. */
  stop(): Promise<void>;
}

/** A fault that could not be taken back is tried again after this long, for ever. */
const retryUndoMs = 2_000;
/** How far the clocks of two machines may be apart before an order that has just been given looks late. */
const clockToleranceMs = 60_000;

/**
 * The faults that are armed now. The row in the log is committed before a fault is made; it goes when the fault is taken back: by its time to live
 * (on a clock that only grows), by an undo, or before anything else at the next start.
 */
export function armedFaults(parts: ArmedFaultsParts): ArmedFaults {
  const { log, clock, tell } = parts;
  const conditions = new Map<string, Condition>();
  const timers = new Map<string, AbortController>();
  const listeners: (() => void)[] = [];
  const failpoint = failpointOf(parts.failpoint, parts.kill);
  let queue: Promise<void> = Promise.resolve();

  const world: FaultWorld = {
    nodeId: parts.nodeId,
    targets: parts.targets,
    clock,
    drives: parts.drives,
    kill: parts.kill,
    impose: (experimentId, condition) => void conditions.set(experimentId, condition),
    lift: (experimentId) => void conditions.delete(experimentId),
  };
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  const say = (experimentId: string, state: 'armed' | 'refused' | 'undone', detail: string): void =>
    tell({ type: 'fault', experimentId: experimentId as ExperimentId, atMs: Math.max(0, Math.floor(clock.nowMs())), state, detail: detail.slice(0, 2_000) });
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = queue.then(work);
    // One that fails is its caller's to hear of; the next has its turn all the same.
    queue = done.catch(() => {});
    return done;
  };

  const undo = async (row: ReturnType<FaultLog['pending']>[number], because: string): Promise<void> => {
    timers.get(row.experimentId)?.abort();
    timers.delete(row.experimentId);
    try {
      const done =
        row.kind in catalogue
          ? await catalogue[row.kind as FaultKind].takeBack(row.experimentId, row.detail, world)
          : 'a fault of another version of the agent';
      // Told before it is crossed out: a process that ends in between takes it back, and tells it, once more.
      say(row.experimentId, 'undone', `${because}: ${done}`);
      log.finish(row.experimentId);
    } catch (thrown) {
      undoLater(row.experimentId, retryUndoMs, `${because}, tried again after: ${asFailure(thrown).message}`);
    }
    changed();
  };

  const undoLater = (experimentId: string, afterMs: number, because: string): void => {
    const timer = new AbortController();
    timers.set(experimentId, timer);
    void clock.sleep(afterMs, timer.signal).then(() => {
      if (!timer.signal.aborted)
        inTurn(() => undoWhere((row) => row.experimentId === experimentId, because)).catch(() => undoLater(experimentId, retryUndoMs, because));
    });
  };

  const undoWhere = async (matches: (row: { experimentId: string }) => boolean, because: string): Promise<void> => {
    for (const row of log.pending()) if (matches(row)) await undo(row, because);
  };

  const arm = async (document: FaultDocument): Promise<void> => {
    const { experimentId, kind } = document;
    const refuse = (because: string): void => {
      if (log.refuse(experimentId, kind, clock.nowMs()) === 'noted') say(experimentId, 'refused', because);
    };
    if (!parts.allowed) return refuse('faults are not allowed on this node; its operator can allow them in the settings (faultsAllowed)');
    if (clock.nowMs() > document.issuedAtMs + document.ttlMs + clockToleranceMs)
      return refuse('the order came after its time to live, by the clock of this node');
    try {
      const detail = await catalogue[kind].prepare(document, world);
      if (log.begin({ experimentId, kind, detail }, clock.nowMs()) === 'known') return;
    } catch (thrown) {
      return refuse(asFailure(thrown).message);
    }
    failpoint('C33');
    await make(document);
  };

  const make = async ({ experimentId, kind, ttlMs }: FaultDocument): Promise<void> => {
    const row = log.pending().find((pending) => pending.experimentId === experimentId);
    if (row === undefined) return;
    undoLater(experimentId, ttlMs, 'its time is over');
    say(experimentId, 'armed', `${faultKinds[kind].says}, for ${ttlMs} ms`);
    try {
      await catalogue[kind].make(experimentId, row.detail, world);
      failpoint('C34');
    } catch (thrown) {
      await undo(row, `it could not be made (${asFailure(thrown).message})`);
    }
    changed();
  };

  return {
    undoLeftovers: () => inTurn(() => undoWhere(() => true, 'the agent started')),
    receive: (document) =>
      inTurn(async () => {
        const { action, experimentId, kind } = document;
        if (action === 'arm') return arm(document);
        await undoWhere((row) => action === 'undo-all' || row.experimentId === experimentId, 'undo was ordered');
        if (action === 'undo' && log.refuse(experimentId, kind, clock.nowMs()) === 'noted')
          say(experimentId, 'undone', 'it was not armed; an order that comes after its undo is void');
      }),
    link: () => [...conditions.values()].reduce<LinkWeather>((weather, { link }) => (link === undefined ? weather : worse(weather, link)), calmWeather),
    clockOffsetMs: () => [...conditions.values()].reduce((sum, { clockOffsetMs = 0 }) => sum + clockOffsetMs, 0),
    onChange: (listener) => void listeners.push(listener),
    async before(operation, targetId) {
      for (const { before } of [...conditions.values()]) await before?.(operation, targetId);
    },
    failpoint,
    isStepwise: parts.failpoint !== null,
    stop: () => inTurn(() => undoWhere(() => true, 'the agent stops')),
  };
}

function worse(a: LinkWeather, b: Partial<LinkWeather>): LinkWeather {
  return {
    cut: a.cut || (b.cut ?? false),
    addedMs: a.addedMs + (b.addedMs ?? 0),
    duplicateProbability: Math.max(a.duplicateProbability, b.duplicateProbability ?? 0),
    reorderProbability: Math.max(a.reorderProbability, b.reorderProbability ?? 0),
  };
}
