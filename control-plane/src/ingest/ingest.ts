import type { Clock } from '@data-in-motion/shared/clock';
import type { NodeId } from '@data-in-motion/shared/domain/ids';
import type { Failure } from '@data-in-motion/shared/failure';
import type { AckMessage, WelcomeMessage } from '@data-in-motion/shared/protocol/messages';
import type { PayloadOf } from '@data-in-motion/shared/protocol/topics';
import { systemRandom } from '@data-in-motion/shared/random';
import { backoffMs } from '@data-in-motion/shared/retry';
import type { Bus } from '../broker/bus.ts';
import { type StreamName, streamStates } from '../store/batches.ts';
import type { Store } from '../store/database.ts';
import { asStoreFailure } from '../store/database-failure.ts';
import { Intake } from './intake.ts';
import { readMessage, type Work } from './read-message.ts';
import { type BootHook, type GroupOutcome, storeGroup } from './store-group.ts';
import { UnreadableRate } from './unreadable-rate.ts';

export interface IngestParts {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  /** Sent with every welcome: what signs the orders. */
  readonly publicKeyPem: string;
  readonly onBoot: BootHook;
  /** An agent asks for its desired document; after its `have` is stored. */
  readonly onAsk: (nodeId: NodeId, ask: PayloadOf<'ask'>) => void;
  /** Something that decisions read changed at these nodes: a start, a job, an inventory, a device's level, a target's reachability. */
  readonly onJobsChanged: (nodeIds: readonly NodeId[]) => void;
  /** A group could not be stored: taken apart when the database refuses something in it, else tried again until it can be. */
  readonly onFailure: (failure: Failure) => void;
}

export interface IngestCounts {
  /** Since the start: records stored, batches that were stored before, messages for the quarantine, transactions. */
  readonly records: number;
  readonly repeatedBatches: number;
  readonly unreadable: number;
  readonly groups: number;
  /** Records that wait for the store now. */
  readonly waiting: number;
}

export interface Ingest {
  counts(): IngestCounts;
  /** Ends after the group that is being stored; what waits was promised to nobody and comes again. */
  stop(): Promise<void>;
}

/** Records in one transaction: the embedded database holds up the process while it works, a server pays for each commit. */
const recordsPerGroup = { pglite: 1_000, postgres: 4_000 };
const mostWaitingRecords = 20_000;
const retryDelays = { firstDelayMs: 50, longestDelayMs: 5_000 };

/** Thrown by our own code and not by the database, its driver or the system. */
function isOwnMistake({ kind, code }: Failure): boolean {
  return kind === 'defect' && !/^(database|network|system)\./.test(code);
}

/** Batches whose content the database refuses are counted as received, like those that can not be read: their stream must go on. */
function asUnreadable(work: Work, failure: Failure): Work {
  if (work.kind === 'batch')
    return { ...work, batch: { ...work.batch, poison: true, records: 0, content: [], unreadableBecause: `the store refuses it: ${failure.message}` } };
  const identity = 'nodeId' in work ? work.nodeId : work.kind === 'boot' ? work.boot.nodeId : '';
  return {
    kind: 'bad',
    topic: work.kind === 'bad' ? work.topic : `(${work.kind} of ${identity})`,
    identity,
    because: `the store refuses it: ${failure.message}`,
    payload: work.payload,
  };
}

/**
 * The door for all that agents and clients say: read, grouped, stored in one transaction, and only then acknowledged. Everything may
 * come twice, late or in another order, here and at other control planes on the same database; it counts once.
 */
export function startIngest(parts: IngestParts): Ingest {
  const { store, bus, clock } = parts;
  const intake = new Intake(mostWaitingRecords);
  const stopping = new AbortController();
  const counts = { records: 0, repeatedBatches: 0, unreadable: 0, groups: 0 };
  const rate = new UnreadableRate();
  /** Streams that were acknowledged with less than everything durable: they are told again after an export. */
  const undurable = new Map<string, StreamName>();

  const say = (publishing: Promise<void>): void => {
    // A lost acknowledgement is asked for again by the agent's resending.
    publishing.catch(() => {});
  };

  const acknowledge = async (streams: readonly StreamName[]): Promise<void> => {
    for (const state of await streamStates(store.db, store.durability, streams)) {
      const { nodeId, incarnation, watermark, chain, holes, durableUpto } = state;
      if (durableUpto < watermark) undurable.set(`${nodeId} ${incarnation}`, { nodeId, incarnation });
      const ack: AckMessage = { v: 1, inc: incarnation, upto: watermark, chainAtUpto: chain, holes: [...holes], storeEpoch: store.storeEpoch, durableUpto };
      say(bus.publish('ack', nodeId, ack));
    }
  };

  const welcome = (outcome: GroupOutcome, nowMs: number): void => {
    for (const {
      boot,
      outcome: { incarnation, watermark },
    } of outcome.welcomes) {
      const message: WelcomeMessage = {
        v: 1,
        bootUid: boot.bootUid,
        incarnation,
        storeEpoch: store.storeEpoch,
        watermark,
        publicKeyPem: parts.publicKeyPem,
        atMs: nowMs,
      };
      say(bus.publish('welcome', boot.nodeId, message));
    }
  };

  /** One transaction, and what is said after it. */
  const storeOnce = async (group: readonly Work[]): Promise<void> => {
    let nowMs = 0;
    const outcome = await store.transaction(async (tx) => {
      nowMs = await store.nowMs(tx);
      await rate.watch(tx, nowMs, group);
      return storeGroup(tx, nowMs, group, parts.onBoot, parts.publicKeyPem);
    });
    counts.groups++;
    counts.records += outcome.records;
    counts.repeatedBatches += outcome.repeatedBatches;
    counts.unreadable += group.filter((work) => work.kind === 'bad' || (work.kind === 'batch' && work.batch.poison)).length;
    welcome(outcome, nowMs);
    await acknowledge(outcome.streams);
    tellOthers(group, outcome);
  };

  /** What is stored is stored: a listener that fails is told of, and nothing is stored again for it. */
  const tellOthers = (group: readonly Work[], outcome: GroupOutcome): void => {
    try {
      for (const work of group) if (work.kind === 'ask') parts.onAsk(work.nodeId, work.message);
      if (outcome.changedNodes.size > 0) parts.onJobsChanged([...outcome.changedNodes]);
    } catch (thrown) {
      parts.onFailure(asStoreFailure(thrown));
    }
  };

  /**
   * Whether the database takes any transaction at all. Without that a refusal says nothing about a message: a server that comes up, or one
   * that lost its tables, answers with all kinds of things.
   */
  const answers = (): Promise<boolean> =>
    store
      .transaction((tx) => store.nowMs(tx))
      .then(
        () => true,
        () => false,
      );

  /**
   * Store a group whatever it takes: again and again, unless something in it can not be stored while the database takes everything else. That is found
   * one by one. What the database refuses twice goes into the quarantine; what stumbles over a mistake of ours is left out, and as it is not acknowledged, its sender says it again.
   */
  const storeSurely = async (group: readonly Work[]): Promise<void> => {
    let isSuspect = false;
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      try {
        return await storeOnce(group);
      } catch (thrown) {
        const failure = asStoreFailure(thrown);
        parts.onFailure(failure);
        const isRefused = failure.kind === 'refused';
        if ((isRefused || isOwnMistake(failure)) && (await answers())) {
          const [first, ...others] = group;
          if (others.length > 0) {
            for (const work of group) await storeSurely([work]);
            return;
          }
          // Nobody repeats the accesses of applications.
          if (isSuspect) return isRefused || first!.kind === 'access' ? storeUnreadable(asUnreadable(first!, failure)) : undefined;
          isSuspect = true;
          continue;
        }
        isSuspect = false;
        await clock.sleep(backoffMs(attempt, retryDelays, systemRandom), stopping.signal);
      }
    }
  };

  const storeUnreadable = async (work: Work): Promise<void> => {
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      try {
        return await storeOnce([work]);
      } catch (thrown) {
        parts.onFailure(asStoreFailure(thrown));
        await clock.sleep(backoffMs(attempt, retryDelays, systemRandom), stopping.signal);
      }
    }
  };

  const running = (async () => {
    while (!stopping.signal.aborted) {
      const group = await intake.take(recordsPerGroup[store.kind]);
      if (group.length > 0) await storeSurely(group);
    }
  })();

  const onDurable = (): void => {
    const streams = [...undurable.values()];
    undurable.clear();
    acknowledge(streams).catch((thrown: unknown) => parts.onFailure(asStoreFailure(thrown)));
  };
  store.signals.on('durable', onDurable);
  bus.onMessage((name, identity, payload) => intake.add(readMessage(name, identity, payload)));
  // Who is refused loses its connection and is not waited for: when the queue is full, one such message more is not kept.
  bus.onRefused((topic, identity, payload, because) => {
    if (intake.depth < mostWaitingRecords) void intake.add({ kind: 'bad', topic, identity, because, payload });
  });

  return {
    counts: () => ({ ...counts, waiting: intake.depth }),
    async stop() {
      stopping.abort();
      store.signals.off('durable', onDurable);
      intake.close();
      await running;
    },
  };
}
