import { chainAfter } from '@data-in-motion/shared/chain';
import type { Access } from '@data-in-motion/shared/domain/heat';
import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { type BootMessage, batchMessage, batchRecords } from '@data-in-motion/shared/protocol/messages';
import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import { type PayloadOf, type TopicName, topicFor, topics } from '@data-in-motion/shared/protocol/topics';
import { z } from 'zod';
import type { ReceivedBatch } from '../store/batches.ts';
import { storableText } from '../store/storable-text.ts';
import { isPlainReading } from './plain-reading.ts';

/** A batch with the records it carries; none when they can not be read. */
export interface BatchWork extends ReceivedBatch {
  readonly content: readonly AgentRecord[];
  /** Why its records can not be read; null when they can. */
  readonly unreadableBecause: string | null;
}

/** A message as something to do, or as something for the quarantine. */
export type Work =
  | { readonly kind: 'batch'; readonly batch: BatchWork; readonly payload: Buffer }
  | { readonly kind: 'boot'; readonly boot: BootMessage; readonly payload: Buffer }
  | { readonly kind: 'state'; readonly nodeId: NodeId; readonly message: PayloadOf<'state'>; readonly payload: Buffer }
  | { readonly kind: 'ask'; readonly nodeId: NodeId; readonly message: PayloadOf<'ask'>; readonly payload: Buffer }
  | { readonly kind: 'access'; readonly clientId: string; readonly accesses: readonly Access[]; readonly payload: Buffer }
  | { readonly kind: 'bad'; readonly topic: string; readonly identity: string; readonly because: string; readonly payload: Buffer };

/** What must be right for a batch to be counted as received, whatever its records are. */
const envelope = batchMessage.omit({ records: true }).extend({ records: z.unknown() });

/** As the schema of records says. */
const mostRecords = 5_000;

/** PostgreSQL stores no NUL and no half of a surrogate pair; only escapes bring them, so only text with escapes is walked through. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storable(key), storable(inner)]));
}

function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return text.includes('\\u') ? storable(value) : value;
}

/** The first few things that are wrong, on one line. */
function wrongWith(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    .join('; ');
}

function readRecords(records: unknown, prevChain: string, chain: string): { content: readonly AgentRecord[]; because: string | null } {
  if (typeof records !== 'string') return { content: [], because: 'its records are not a text' };
  if (chainAfter(prevChain, records) !== chain) return { content: [], because: 'its chain does not fit its records' };
  let json: unknown;
  try {
    json = parseJson(records);
  } catch {
    return { content: [], because: 'its records are not JSON' };
  }
  if (Array.isArray(json) && json.length <= mostRecords && json.every(isPlainReading)) return { content: json as AgentRecord[], because: null };
  const parsed = batchRecords.safeParse(json);
  return parsed.success ? { content: parsed.data, because: null } : { content: [], because: wrongWith(parsed.error) };
}

function readBatch(nodeId: NodeId, json: unknown, payload: Buffer): Work | string {
  const parsed = envelope.safeParse(json);
  if (!parsed.success) return wrongWith(parsed.error);
  const { uid, inc: incarnation, seq, prevChain, chain, sealedAtMs, records } = parsed.data;
  const { content, because } = readRecords(records, prevChain, chain);
  const batch = {
    nodeId,
    uid,
    incarnation,
    seq,
    prevChain,
    chain,
    sealedAtMs,
    records: content.length,
    poison: because !== null,
    content,
    unreadableBecause: because,
  };
  return { kind: 'batch', batch, payload };
}

function readOther(name: TopicName, identity: string, json: unknown, payload: Buffer): Work | string {
  const nodeId = identity as NodeId;
  const parsed = topics[name].payload.safeParse(json);
  if (!parsed.success) return wrongWith(parsed.error);
  switch (name) {
    case 'boot': {
      const boot = parsed.data as BootMessage;
      return boot.nodeId === identity ? { kind: 'boot', boot, payload } : `it says that it is ${boot.nodeId}`;
    }
    case 'state':
      return { kind: 'state', nodeId, message: parsed.data as PayloadOf<'state'>, payload };
    case 'ask':
      return { kind: 'ask', nodeId, message: parsed.data as PayloadOf<'ask'>, payload };
    case 'access':
      return {
        kind: 'access',
        clientId: identity,
        accesses: (parsed.data as PayloadOf<'access'>).accesses.map((one) => ({ ...one, source: 'bus' as const })),
        payload,
      };
    default:
      return 'nothing that the control plane listens to';
  }
}

/** The door of the bus: everything that comes in is read here, completely or not at all. */
export function readMessage(name: TopicName, identity: string, payload: Buffer): Work {
  const bad = (because: string): Work => ({ kind: 'bad', topic: topicFor(name, identity), identity, because, payload });
  let json: unknown;
  try {
    // A batch's records are a text inside the text: they are made storable when they are read.
    json = name === 'batch' ? JSON.parse(payload.toString()) : parseJson(payload.toString());
  } catch {
    return bad('not JSON');
  }
  const work = name === 'batch' ? readBatch(identity as NodeId, json, payload) : readOther(name, identity, json, payload);
  return typeof work === 'string' ? bad(work) : work;
}
