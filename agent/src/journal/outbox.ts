import type { Clock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import { type AgentRecord, agentRecord } from '@data-in-motion/shared/protocol/records';
import type { Random } from '@data-in-motion/shared/random';
import type { Ballast } from './ballast.ts';
import type { Journal } from './journal.ts';
import type { Meta } from './meta.ts';
import type { OutboxRows } from './outbox-rows.ts';
import { thinOldest } from './thin.ts';

/**
 * Tell the control plane something. With `'now'` the records, and all told before them, are committed and flushed when this returns;
 * with `'soon'` (the default) they gather for a moment and are lost if the process dies meanwhile.
 *
 * @throws Failure `exhausted` for `'now'` when the disk is full and the ballast did not help
 */
export type Tell = (records: readonly AgentRecord[], when?: 'soon' | 'now') => void;

export interface OutboxSettings {
  /** A batch is sealed when its records reach this many bytes … */
  readonly sealAtBytes: number;
  /** … or when the oldest of them has waited this long. */
  readonly sealAfterMs: number;
  /** Undelivered batches may take this much; beyond it samples are thinned, then dropped, and a `gap` record says so. */
  readonly quotaBytes: number;
  /** Delivered and durable batches are kept this long, and no more than `keepBytes` of them. */
  readonly keepMs: number;
  readonly keepBytes: number;
}

export const outboxDefaults: OutboxSettings = {
  sealAtBytes: 64 * 1024,
  sealAfterMs: 2_000,
  quotaBytes: 512 * 1024 * 1024,
  keepMs: 24 * 3_600_000,
  keepBytes: 256 * 1024 * 1024,
};

export interface Outbox {
  readonly tell: Tell;
  /** Called after each commit of new batches. */
  onSealed(listener: () => void): void;
  /** Once a minute: prune, look after the quota and the ballast. */
  tidy(): void;
  /** Seal what has gathered. */
  close(): void;
}

export interface OutboxParts {
  readonly journal: Journal;
  readonly meta: Meta;
  readonly rows: OutboxRows;
  readonly ballast: Ballast;
  readonly clock: Clock;
  readonly random: Random;
  /** Crash points, see `FaultHooks`. */
  readonly failpoint: (name: string) => void;
  /** The disk has become full; not again before something could be written once more. The control plane can not be told of it now. */
  readonly onFull: (failure: Failure) => void;
  readonly settings: OutboxSettings;
}

/** Characters of one record; the message that carries a batch holds at most 200,000. */
const longestRecord = 180_000;
const mostRecordsPerBatch = 4_000;
/** Of records that wait in memory because the disk is full; the oldest are dropped first and counted. */
const mostWaitingBytes = 4 * 1024 * 1024;

/** The outbox: records gather, are sealed into numbered and chained batches, and stay until the control plane can not lose them. */
export function openOutbox({ journal, meta, rows, ballast, clock, random, failpoint, onFull, settings }: OutboxParts): Outbox {
  let waiting: string[] = [];
  let waitingBytes = 0;
  let forgotten = 0;
  let isFull = false;
  let isClosed = false;
  let timer: AbortController | undefined;
  const listeners: (() => void)[] = [];

  const gather = (record: AgentRecord): void => {
    const text = textOf(record, clock.nowMs());
    waiting.push(text);
    waitingBytes += Buffer.byteLength(text) + 1;
  };

  const commitWaiting = (): void =>
    journal.transaction(() => {
      const gap = forgotten === 0 ? [] : [JSON.stringify(gapOf(clock.nowMs(), 0, 0, forgotten, 'the disk of the agent was full'))];
      for (const records of batchesOf([...gap, ...waiting], settings.sealAtBytes)) rows.add(rows.nextUid(clock.nowMs(), random), records, clock.nowMs());
    });

  const seal = (): void => {
    timer?.abort();
    timer = undefined;
    if (waiting.length === 0) return;
    try {
      commitWaiting();
    } catch (thrown) {
      if (isExhausted(thrown) && !isFull) {
        isFull = true;
        onFull(thrown);
      }
      throw thrown;
    }
    isFull = false;
    failpoint('C28');
    waiting = [];
    waitingBytes = 0;
    forgotten = 0;
    for (const listener of listeners) listener();
  };

  /** Nobody waits for these records: on a full disk they wait on in memory, within a limit. */
  const sealQuietly = (): void => {
    try {
      seal();
    } catch (thrown) {
      if (!isExhausted(thrown)) throw thrown;
      while (waitingBytes > mostWaitingBytes) {
        waitingBytes -= Buffer.byteLength(waiting.shift()!) + 1;
        forgotten++;
      }
    }
  };

  /** What could not be written was not accepted: the caller hears of it and may tell it again. */
  const sealNow = (records: readonly AgentRecord[]): void => {
    const before = waiting.length;
    const bytesBefore = waitingBytes;
    for (const record of records) gather(record);
    try {
      seal();
    } catch (thrown) {
      waiting.length = before;
      waitingBytes = bytesBefore;
      throw thrown;
    }
  };

  const sealLater = (): void => {
    if (timer !== undefined || waiting.length === 0) return;
    const own = new AbortController();
    timer = own;
    void clock.sleep(settings.sealAfterMs, own.signal).then(() => {
      if (!own.signal.aborted) sealQuietly();
    });
  };

  const tell: Tell = (records, when = 'soon') => {
    if (when === 'now') return sealNow(records);
    // What is told while all comes to its end has no journal to go to any more.
    if (isClosed) return;
    for (const record of records) gather(record);
    if (waitingBytes >= settings.sealAtBytes) return sealQuietly();
    sealLater();
  };

  return {
    tell,
    onSealed: (listener) => void listeners.push(listener),
    tidy() {
      const gap = journal.transaction(() => {
        rows.prune(clock.nowMs() - settings.keepMs, settings.keepBytes);
        return thinOldest(rows, meta, settings.quotaBytes);
      });
      if (gap !== null)
        tell([gapOf(clock.nowMs(), gap.fromSeq, gap.toSeq, gap.records, 'the outbox of the agent reached its quota while nobody acknowledged')], 'now');
      ballast.restore();
    },
    close() {
      sealQuietly();
      isClosed = true;
    },
  };
}

function isExhausted(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && thrown.kind === 'exhausted';
}

/** A record as text; one that its own schema refuses would spoil its whole batch, so a note goes in its place. */
function textOf(record: AgentRecord, nowMs: number): string {
  const checked = agentRecord.safeParse(record);
  const text = checked.success ? JSON.stringify(checked.data) : '';
  if (checked.success && text.length <= longestRecord) return text;
  const because = checked.success
    ? `is longer than ${longestRecord} characters`
    : `is malformed: ${checked.error.issues[0]?.path.join('.')} ${checked.error.issues[0]?.message}`;
  return JSON.stringify({
    type: 'note',
    atMs: Math.max(0, Math.floor(nowMs)),
    severity: 'error',
    code: 'record.unsendable',
    message: `a record of type ${record.type} ${because}`.slice(0, 2_000),
    ids: {},
  } satisfies AgentRecord);
}

function gapOf(atMs: number, fromSeq: number, toSeq: number, records: number, reason: string): AgentRecord {
  return { type: 'gap', atMs: Math.max(0, Math.floor(atMs)), fromSeq, toSeq, records, reason };
}

/** JSON arrays of at most `sealAtBytes` each, unless a single record is longer. */
function batchesOf(texts: readonly string[], sealAtBytes: number): string[] {
  const batches: string[] = [];
  let batch: string[] = [];
  let bytes = 0;
  for (const text of texts) {
    const length = Buffer.byteLength(text) + 1;
    if (batch.length > 0 && (bytes + length > sealAtBytes || batch.length >= mostRecordsPerBatch)) {
      batches.push(`[${batch.join(',')}]`);
      batch = [];
      bytes = 0;
    }
    batch.push(text);
    bytes += length;
  }
  if (batch.length > 0) batches.push(`[${batch.join(',')}]`);
  return batches;
}
