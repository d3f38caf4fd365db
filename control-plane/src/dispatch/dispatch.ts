import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@data-in-motion/shared/clock';
import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { asFailure, type Failure } from '@data-in-motion/shared/failure';
import type { FaultDocument } from '@data-in-motion/shared/protocol/messages';
import type { PayloadOf } from '@data-in-motion/shared/protocol/topics';
import { systemRandom } from '@data-in-motion/shared/random';
import { backoffMs } from '@data-in-motion/shared/retry';
import { type SigningKey, signBody } from '@data-in-motion/shared/signature';
import { eq, ne, sql } from 'drizzle-orm';
import type { Bus } from '../broker/bus.ts';
import type { Db, Store } from '../store/database.ts';
import { asStoreFailure } from '../store/database-failure.ts';
import { followEvents, lastEventSeq } from '../store/events.ts';
import { watchedCopies, workOf, worksOf } from '../store/order-facts.ts';
import { job, node } from '../store/schema.ts';
import { contentFor, documentFor, hashOf } from './desired-document.ts';
import { cloudEventOf, topicsOf } from './fleet-events.ts';
import { ModelTeller } from './tell-model.ts';

export interface DispatchParts {
  readonly store: Store;
  readonly bus: Pick<Bus, 'publish'>;
  readonly signingKey: SigningKey;
  readonly clock: Clock;
  /** A message that could not be sent; nothing depends on it, since agents ask again. */
  readonly onFailure: (failure: Failure) => void;
}

export interface Dispatch {
  /** Answer an agent's question with all that it should be doing now, signed. A question of an older life is not answered. */
  answerAsk(nodeId: NodeId, ask: PayloadOf<'ask'>): Promise<void>;
  /** Give every agent whose orders changed a new revision, and tell it that there is one. Answers how many. */
  nudgeChanged(): Promise<number>;
  /** Tell every agent to ask again, changed or not. Answers how many. */
  nudgeAll(): Promise<number>;
  /** Have the fleet's topic carry the active failure model, when it is another than was told. */
  tellModel(): Promise<void>;
  sendFault(nodeId: NodeId, document: FaultDocument): Promise<void>;
  stop(): Promise<void>;
}

/**
 * What goes out to agents and listeners. Orders are desired state: the newest document is the whole truth, a nudge only carries its number,
 * so that lost, doubled and reordered messages change nothing. Events of the store are told on the fleet's topics in their order.
 */
export function startDispatch(parts: DispatchParts): Dispatch {
  const { store, bus, signingKey: key } = parts;
  const stopping = new AbortController();
  const telling = tellEvents(parts, stopping.signal);
  const models = new ModelTeller(parts);
  /** Agents that had work at the last look: only theirs and those with work now can have changed. Null before the first look. */
  let busy: ReadonlySet<NodeId> | null = null;
  /** Not waited for: a broker that hangs must not hold up who decides, and an agent that heard no nudge asks by itself. */
  const nudge = (nodeId: NodeId, rev: number): void => {
    bus.publish('nudge', nodeId, { v: 1, rev }).catch((thrown: unknown) => parts.onFailure(asFailure(thrown)));
  };

  return {
    async answerAsk(nodeId, ask) {
      const nowMs = await store.nowMs();
      const rev = await settleRev(store, nodeId, nowMs);
      const [row] = await store.db.select().from(node).where(eq(node.nodeId, nodeId));
      if (row === undefined || rev === null || row.agentState === 'revoked' || row.incarnation !== ask.inc) return;
      const work = await workOf(store.db, nodeId, nowMs);
      const watched = await watchedCopies(store.db, nodeId);
      // Something may have changed since the revision was settled; a hash that differs brings a newer revision and a nudge with the next pass.
      const document = documentFor({ nodeId, rev, inc: ask.inc, work, watched, nowMs, key });
      await bus.publish('desired', nodeId, { v: 1, ...signBody(JSON.stringify(document), key) });
    },
    async nudgeChanged() {
      const nowMs = await store.nowMs();
      const rows = await store.db
        .select({ nodeId: node.nodeId, rev: node.desiredRev, hash: node.desiredHash })
        .from(node)
        .where(ne(node.agentState, 'revoked'));
      const active = await busyNodes(store.db);
      const before = busy;
      const suspects = rows.filter((row) => before === null || before.has(row.nodeId) || active.has(row.nodeId));
      const works = await worksOf(
        store.db,
        suspects.map((row) => row.nodeId),
        nowMs,
      );
      let changed = 0;
      for (const row of suspects) {
        if (hashOf(contentFor(row.nodeId, works.get(row.nodeId)!)) === row.hash) continue;
        const rev = await settleRev(store, row.nodeId, nowMs);
        if (rev === null || rev === row.rev) continue;
        changed++;
        nudge(row.nodeId, rev);
      }
      busy = active;
      return changed;
    },
    async nudgeAll() {
      const rows = await store.db
        .update(node)
        .set({ desiredRev: sql`${node.desiredRev} + 1` })
        .where(ne(node.agentState, 'revoked'))
        .returning({ nodeId: node.nodeId, rev: node.desiredRev });
      for (const row of rows) nudge(row.nodeId, row.rev);
      return rows.length;
    },
    tellModel: () => models.tellChanged(),
    async sendFault(nodeId, document) {
      await bus.publish('fault', nodeId, { v: 1, ...signBody(JSON.stringify(document), key) });
    },
    async stop() {
      stopping.abort();
      await telling;
    },
  };
}

/** Agents that take part in a job. */
async function busyNodes(db: Db): Promise<Set<NodeId>> {
  const rows = await db.selectDistinct({ mover: job.moverNodeId, source: job.sourceNodeId }).from(job).where(eq(job.active, true));
  return new Set(rows.flatMap((row) => [row.mover, row.source].filter((nodeId) => nodeId !== null)));
}

/** The revision of what the agent should be doing now: one more when the content is not what it was. Null for an unknown agent. */
async function settleRev(store: Store, nodeId: NodeId, nowMs: number): Promise<number | null> {
  return store.transaction(async (tx) => {
    const [row] = await tx.select({ rev: node.desiredRev, hash: node.desiredHash }).from(node).where(eq(node.nodeId, nodeId)).for('update');
    if (row === undefined) return null;
    const hash = hashOf(contentFor(nodeId, await workOf(tx, nodeId, nowMs)));
    if (hash === row.hash) return row.rev;
    await tx
      .update(node)
      .set({ desiredHash: hash, desiredRev: row.rev + 1 })
      .where(eq(node.nodeId, nodeId));
    return row.rev + 1;
  });
}

const eventsPerTurn = 50;
/** Between two attempts to follow the events. */
const followAgain = { firstDelayMs: 100, longestDelayMs: 5_000 };

/**
 * Follow the events from now on; a listener that was away reads the event stream of the HTTP interface, which has them all.
 * Whatever goes wrong, it goes on after the last one told.
 */
async function tellEvents({ store, bus, clock, onFailure }: DispatchParts, signal: AbortSignal): Promise<void> {
  let afterSeq: number | undefined;
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      afterSeq ??= await lastEventSeq(store.db);
      for await (const rows of followEvents(store, afterSeq, signal)) {
        for (const [at, row] of rows.entries()) {
          // Nothing here waits for anything outside of this process, so that hundreds of events would be told before anybody else is listened to.
          if (at % eventsPerTurn === eventsPerTurn - 1) await setImmediate();
          for (const topic of topicsOf(row.type)) {
            await bus.publish(topic, '', cloudEventOf(row, '/data-in-motion/control-plane')).catch((thrown: unknown) => onFailure(asFailure(thrown)));
          }
          if (signal.aborted) return;
          afterSeq = row.seq;
        }
        attempt = 0;
      }
    } catch (thrown) {
      if (signal.aborted) return;
      onFailure(asStoreFailure(thrown));
      await clock.sleep(backoffMs(attempt, followAgain, systemRandom), signal);
    }
  }
}
