import { createHash } from 'node:crypto';
import type { JobId, NodeId } from '@data-in-motion/shared/domain/ids';
import type { DesiredDocument, Order } from '@data-in-motion/shared/protocol/messages';
import { type SigningKey, signBody } from '@data-in-motion/shared/signature';
import { type OrderFacts, ordersFor } from '../jobs/orders.ts';
import type { NodeWork, WatchedCopy } from '../store/order-facts.ts';

/** What decides the revision of a document: orders without tokens, live jobs, which copies are watched, acknowledged drives. */
export interface DesiredContent {
  readonly orders: Order[];
  readonly liveJobs: NodeWork['liveJobs'];
  readonly watchedHash: NodeWork['watchedHash'];
  readonly acknowledged: NodeWork['acknowledged'];
}

/** Longer than any single transfer should take; every answer to an ask brings a fresh one. */
const tokenValidForMs = 6 * 3_600_000;
/** Limits of the message; what does not fit waits until something before it is done. */
const mostOrders = 2_000;
const mostNames = 5_000;
const mostDevices = 2_000;

export function contentFor(nodeId: NodeId, work: NodeWork): DesiredContent {
  return {
    orders: ordersFor(nodeId, work.jobs).slice(0, mostOrders),
    liveJobs: work.liveJobs.slice(0, mostNames),
    watchedHash: work.watchedHash,
    acknowledged: work.acknowledged.slice(0, mostDevices),
  };
}

/** SHA-256 over the content as text; the store's queries are sorted, so equal work gives equal text. */
export function hashOf(content: DesiredContent): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

/** The whole document, with a token in every order that reads from another node. */
export function documentFor(parts: {
  nodeId: NodeId;
  rev: number;
  inc: number;
  work: NodeWork;
  watched: readonly WatchedCopy[];
  nowMs: number;
  key: SigningKey;
}): DesiredDocument {
  const { nodeId, rev, inc, work, watched, nowMs, key } = parts;
  const content = contentFor(nodeId, work);
  const jobs = new Map(work.jobs.map((job) => [job.jobId, job]));
  const orders = content.orders.map((order) => withToken(order, jobs, nodeId, nowMs, key));
  return {
    v: 1,
    nodeId,
    rev,
    inc,
    issuedAtMs: nowMs,
    orders,
    liveJobs: [...content.liveJobs],
    watched: [...watched],
    acknowledged: [...content.acknowledged],
  };
}

/** A transfer token is bound to the job, its lease, the source and both nodes. */
function withToken(order: Order, jobs: ReadonlyMap<JobId, OrderFacts>, toNodeId: NodeId, nowMs: number, key: SigningKey): Order {
  if (order.kind !== 'copy' || order.source.kind !== 'remote') return order;
  const job = jobs.get(order.jobId);
  const source =
    job?.purpose === 'import' ? { kind: 'import', jobId: order.jobId } : { kind: 'replica', targetId: job?.read?.targetId, replicaId: job?.read?.replicaId };
  const body = {
    kind: 'transfer',
    jobId: order.jobId,
    epoch: order.epoch,
    source,
    toNodeId,
    fromNodeId: order.source.nodeId,
    expiresAtMs: nowMs + tokenValidForMs,
  };
  const token = Buffer.from(JSON.stringify(signBody(JSON.stringify(body), key))).toString('base64url');
  return { ...order, source: { ...order.source, token } };
}
