import type { NodeId } from '@data-in-motion/shared/domain/ids';
import type { BootMessage } from '@data-in-motion/shared/protocol/messages';
import { topicFor } from '@data-in-motion/shared/protocol/topics';
import { sql } from 'drizzle-orm';
import { storeAccesses } from '../store/accesses.ts';
import { endAlert, raiseAlert } from '../store/alerts.ts';
import { type StreamName, storeBatches } from '../store/batches.ts';
import { rowsOf, type Tx } from '../store/database.ts';
import { appendEvents } from '../store/events.ts';
import { type BootOutcome, bootNode, closeStream, knownNodes, markHeard, recordConnection, recordObservedRev } from '../store/nodes.ts';
import { type BadMessage, storeQuarantine } from '../store/quarantine.ts';
import { storableText } from '../store/storable-text.ts';
import { storeTargets } from '../store/targets.ts';
import { applyRecords } from './apply-records.ts';
import type { Work } from './read-message.ts';

type WorkOf<Kind extends Work['kind']> = Extract<Work, { kind: Kind }>;

/** Called in the transaction of an agent's start, to end the leases of the life before. */
export type BootHook = (
  tx: Tx,
  boot: { readonly nodeId: NodeId; readonly incarnation: number; readonly endedIncarnation: number | null },
  nowMs: number,
) => Promise<void>;

/** What is to be said after the commit. */
export interface GroupOutcome {
  readonly streams: readonly StreamName[];
  readonly welcomes: readonly { readonly boot: BootMessage; readonly outcome: BootOutcome }[];
  readonly changedNodes: ReadonlySet<NodeId>;
  readonly records: number;
  readonly repeatedBatches: number;
}

const flapping = { withinMs: 300_000, starts: 4 };

/** An agent that starts again and again is broken, or two machines run under one identity. */
async function watchFlapping(tx: Tx, nowMs: number, nodeId: NodeId): Promise<void> {
  const [row] = await rowsOf<{ starts: number }>(
    tx,
    sql`select count(*)::int as starts from event where at_ms > ${nowMs - flapping.withinMs}::bigint and type = 'agent.started' and ids->>'nodeId' = ${nodeId}`,
  );
  if ((row?.starts ?? 0) < flapping.starts) return endAlert(tx, nowMs, 'agent-flapping', nodeId);
  const text = `The agent on ${nodeId} started ${row!.starts} times within five minutes. It may be failing, or two machines share its identity: enrol one of them anew.`;
  await raiseAlert(tx, nowMs, { rule: 'agent-flapping', subject: nodeId, severity: 'error', text, ids: { nodeId } });
}

async function boot(tx: Tx, nowMs: number, message: BootMessage, onBoot: BootHook): Promise<BootOutcome> {
  const outcome = await bootNode(tx, nowMs, message);
  if (!outcome.isWelcome || !outcome.isNew) return outcome;
  const { nodeId } = message;
  await storeTargets(tx, nowMs, nodeId, message.targets);
  await onBoot(tx, { nodeId, incarnation: outcome.incarnation, endedIncarnation: outcome.endedIncarnation }, nowMs);
  await watchFlapping(tx, nowMs, nodeId);
  return outcome;
}

async function tellForks(tx: Tx, nowMs: number, forked: readonly StreamName[]): Promise<void> {
  for (const { nodeId, incarnation } of forked) {
    const text = `The batches of ${nodeId} contradict those stored before: its disk was set back, or two machines share its identity. It starts a new stream.`;
    await raiseAlert(tx, nowMs, { rule: 'stream-forked', subject: nodeId, severity: 'warning', text, ids: { nodeId, incarnation } });
  }
}

async function quarantineAll(tx: Tx, nowMs: number, bad: readonly BadMessage[]): Promise<void> {
  if (bad.length === 0) return;
  await storeQuarantine(tx, nowMs, bad);
  const last = bad.at(-1)!;
  const text = storableText(
    `${bad.length === 1 ? 'A message' : `${bad.length} messages`} could not be read, the last on ${last.topic.slice(0, 200)}: ${last.because}`,
  );
  await appendEvents(tx, nowMs, [
    { type: 'bus.unreadable', severity: 'warning', text, ids: last.nodeId === null ? {} : { nodeId: last.nodeId }, by: 'control-plane' },
  ]);
}

function badOf(group: readonly Work[]): BadMessage[] {
  return group.flatMap((work) => {
    if (work.kind === 'bad') return [{ topic: work.topic, nodeId: work.identity === '' ? null : work.identity, because: work.because, payload: work.payload }];
    if (work.kind !== 'batch' || work.batch.unreadableBecause === null) return [];
    const { nodeId, unreadableBecause } = work.batch;
    return [{ topic: topicFor('batch', nodeId), nodeId, because: unreadableBecause, payload: work.payload }];
  });
}

const of = <Kind extends Work['kind']>(group: readonly Work[], kind: Kind): WorkOf<Kind>[] => group.filter((work): work is WorkOf<Kind> => work.kind === kind);

/** Store a group of messages in one transaction: all of it, or nothing. What is said to the senders is said after the commit. */
export async function storeGroup(tx: Tx, nowMs: number, group: readonly Work[], onBoot: BootHook, publicKeyPem: string): Promise<GroupOutcome> {
  const welcomes: { boot: BootMessage; outcome: BootOutcome }[] = [];
  for (const { boot: message } of of(group, 'boot')) welcomes.push({ boot: message, outcome: await boot(tx, nowMs, message, onBoot) });
  const changedNodes = new Set(welcomes.filter(({ outcome }) => outcome.isNew).map(({ boot: { nodeId } }) => nodeId));

  const received = of(group, 'batch').map((work) => work.batch);
  const speakers = await knownNodes(
    tx,
    [...received, ...of(group, 'ask')].map(({ nodeId }) => nodeId),
  );
  const batches = received.filter(({ nodeId }) => speakers.has(nodeId));
  let fresh = 0;
  let records = 0;
  if (batches.length > 0) {
    const outcome = await storeBatches(tx, nowMs, batches);
    await tellForks(tx, nowMs, outcome.forked);
    for (const nodeId of await applyRecords(tx, nowMs, outcome.fresh, publicKeyPem)) changedNodes.add(nodeId);
    fresh = outcome.fresh.length;
    for (const { batch } of outcome.fresh) records += batch.content.length;
  }
  // After the batches: those of the life that ended may have come together with the start that ended it.
  for (const { boot: message, outcome } of welcomes) if (outcome.isNew) await closeStream(tx, message);
  await storeAccesses(
    tx,
    nowMs,
    of(group, 'access').flatMap(({ accesses }) => accesses),
  );
  for (const { nodeId, message } of of(group, 'state')) await recordConnection(tx, nodeId, message);
  await quarantineAll(tx, nowMs, badOf(group));
  for (const { nodeId, message } of of(group, 'ask')) await recordObservedRev(tx, nowMs, nodeId, message.have);
  // Last, because the rows of nodes are what everybody writes.
  await markHeard(tx, nowMs, [...new Set(batches.map(({ nodeId }) => nodeId))]);
  return { streams: batches, welcomes: welcomes.filter(({ outcome }) => outcome.isWelcome), changedNodes, records, repeatedBatches: batches.length - fresh };
}
