import { readFile, realpath } from 'node:fs/promises';
import { type Clock, systemClock } from '@data-in-motion/shared/clock';
import type { DatasetId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import type { Failure } from '@data-in-motion/shared/failure';
import { startLoop } from '@data-in-motion/shared/loop';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import type { Tell } from '../journal/outbox.ts';
import { atimeOption } from './atime-option.ts';
import { countFileTimes, type FileTimeCounts } from './count-file-times.ts';
import type { EwmaCounter } from './ewma.ts';

export interface WatchedReplica {
  readonly datasetId: DatasetId;
  readonly targetId: TargetId;
  readonly replicaId: ReplicaId;
}

export interface FileTimesParts {
  readonly targets: readonly TargetDescription[];
  readonly tell: Tell;
  readonly ewma: EwmaCounter;
  readonly clock?: Clock;
  /** When this process last read files of a replica itself; access times up to then are not somebody's use. */
  lastOwnReadAtMs(replicaId: ReplicaId): number | null;
  /** The clock that file systems stamp with: never one that a fault has skewed. */
  readonly kernelNowMs?: () => number;
  readonly settings?: Partial<FileTimesSettings>;
}

export interface FileTimesSettings {
  readonly everyMs: number;
  readonly mountsFile: string;
}

export const fileTimesDefaults: FileTimesSettings = { everyMs: 60_000, mountsFile: '/proc/self/mounts' };

export interface FileTimesWatcher {
  /** The replicas to look at from now on; the whole list each time. */
  watch(replicas: readonly WatchedReplica[]): void;
  /** Look at every watched replica now, however big; resolves when what was seen is told. */
  lookNow(): Promise<void>;
  stop(): Promise<void>;
}

/** The kernel stamps with a clock that ticks up to ten milliseconds behind. */
const stampLagMs = 50;
/** Looking at a replica may take this share of the time: one that takes two seconds to walk is looked at every 100 seconds. */
const restPerWork = 50;

interface Look {
  /** All up to here has been counted. */
  upToMs: number;
  notBeforeMs: number;
}

/**
 * Learn from access and modification times which datasets are used, where nobody tells us: an `access` record per replica and interval with use, and
 * the `ewma` of each watched dataset. What it can not see: a second read of a file within the interval; on `relatime` mounts a second read within
 * a day; anything on `noatime` mounts (said once as a note); who read. Bytes are the sizes of the files touched, an upper bound.
 * The first look at a replica only sets its beginning, so writing the copy is not taken for use.
 */
export function startFileTimesWatcher(parts: FileTimesParts): FileTimesWatcher {
  const { clock = systemClock, tell, ewma, kernelNowMs = Date.now } = parts;
  const settings = { ...fileTimesDefaults, ...parts.settings };
  const roots = new Map(parts.targets.map((target) => [target.targetId, target.root]));
  const looks = new Map<ReplicaId, Look>();
  /** Null until the control plane has said it: rates of the run before are kept till then. */
  let watched: readonly WatchedReplica[] | null = null;
  let running: Promise<void> = Promise.resolve();

  const note = (severity: 'info' | 'warning' | 'error', code: string, message: string, ids: Record<string, string> = {}): void =>
    tell([{ type: 'note', atMs: clock.nowMs(), severity, code, message, ids }], 'soon');

  const look = async (replica: WatchedReplica, signal: AbortSignal, when: 'now' | 'due'): Promise<void> => {
    const root = roots.get(replica.targetId);
    if (root === undefined) return;
    const known = looks.get(replica.replicaId);
    const toMs = kernelNowMs() - stampLagMs;
    if (known === undefined) {
      looks.set(replica.replicaId, { upToMs: toMs, notBeforeMs: 0 });
      return;
    }
    const startedMs = clock.monotonicMs();
    if (when === 'due' && startedMs < known.notBeforeMs) return;
    const ownMs = parts.lastOwnReadAtMs(replica.replicaId) ?? 0;
    const counts = await countFileTimes(
      `${root}/${replica.datasetId}/${replica.replicaId}`,
      { fromMs: known.upToMs, toMs, readsFromMs: ownMs + stampLagMs },
      signal,
    );
    // A walk that was cut short counted a part; the next start begins anew and may miss as much, but never counts twice.
    if (signal.aborted) return;
    const endedMs = clock.monotonicMs();
    looks.set(replica.replicaId, { upToMs: toMs, notBeforeMs: endedMs + (endedMs - startedMs) * restPerWork });
    const records = accessRecords(replica, counts, toMs);
    for (const record of records) ewma.count(replica.datasetId, record.count, record.atMs);
    if (records.length > 0) tell(records, 'soon');
  };

  const pass = async (signal: AbortSignal, when: 'now' | 'due'): Promise<void> => {
    const now = watched;
    if (now === null) return;
    for (const replicaId of looks.keys()) if (!now.some((replica) => replica.replicaId === replicaId)) looks.delete(replicaId);
    for (const replica of now) if (!signal.aborted) await look(replica, signal, when);
    const datasetIds = [...new Set(now.map((replica) => replica.datasetId))];
    ewma.keep(datasetIds);
    const atMs = Math.round(clock.nowMs());
    const records = datasetIds.map((datasetId) => ({ type: 'ewma' as const, datasetId, atMs, accessesPerHour: round(ewma.perHour(datasetId, kernelNowMs())) }));
    if (records.length > 0) tell(records, 'soon');
  };
  const queued = (signal: AbortSignal, when: 'now' | 'due'): Promise<void> => {
    running = running.catch(() => {}).then(() => pass(signal, when));
    return running;
  };

  const onFailure = (failure: Failure): void => note('error', failure.code, `File times: ${failure.message}`);
  const loop = startLoop((signal) => queued(signal, 'due'), settings.everyMs, clock, onFailure);
  void tellWhatIsHidden(parts.targets, settings.mountsFile, note);
  return {
    watch(replicas) {
      watched = [...replicas];
      loop.wake();
    },
    lookNow: () => queued(new AbortController().signal, 'now'),
    stop: () => loop.stop(),
  };
}

function accessRecords(replica: WatchedReplica, counts: FileTimeCounts, toMs: number): RecordOf<'access'>[] {
  const record = (kind: 'read' | 'write', count: number, bytes: number, lastAtMs: number | null): RecordOf<'access'>[] =>
    count === 0 || lastAtMs === null
      ? []
      : // A replica's name is never used twice and its intervals do not overlap, so the id is unique and the same when told again.
        [
          {
            type: 'access',
            accessId: `${replica.replicaId}-${kind}-${Math.round(toMs)}`,
            datasetId: replica.datasetId,
            kind,
            count,
            bytes,
            atMs: Math.round(lastAtMs),
            latencyMs: null,
            source: 'file-times',
          },
        ];
  return [
    ...record('read', counts.readFiles, counts.readBytes, counts.lastReadAtMs),
    ...record('write', counts.writtenFiles, counts.writtenBytes, counts.lastWriteAtMs),
  ];
}

async function tellWhatIsHidden(
  targets: readonly TargetDescription[],
  mountsFile: string,
  note: (severity: 'info' | 'warning', code: string, message: string, ids: Record<string, string>) => void,
): Promise<void> {
  const mounts = await readFile(mountsFile, 'utf8').catch(() => '');
  for (const target of targets) {
    const option = atimeOption(mounts, await realpath(target.root).catch(() => target.root));
    const ids = { targetId: target.targetId };
    if (option === 'never')
      note(
        'warning',
        'file-times.never',
        `${target.root} is mounted with noatime: reads on it can not be seen in file times; let applications tell their accesses`,
        ids,
      );
    if (option === 'once-a-day')
      note('info', 'file-times.once-a-day', `${target.root} is mounted with relatime: a file that is read again shows it once a day at most`, ids);
  }
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
