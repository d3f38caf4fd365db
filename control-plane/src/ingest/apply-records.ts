import type { NodeId } from '@data-in-motion/shared/domain/ids';
import type { AgentRecord, RecordOf } from '@data-in-motion/shared/protocol/records';
import { storeAccesses, storeAccessRates } from '../store/accesses.ts';
import { raiseAlert } from '../store/alerts.ts';
import type { StoredBatch } from '../store/batches.ts';
import type { Tx } from '../store/database.ts';
import { storeAssessments, storeDevices, type Told } from '../store/devices.ts';
import { appendEvents } from '../store/events.ts';
import { applyFaultRecord } from '../store/experiments.ts';
import { applyInventory } from '../store/inventory.ts';
import { applyJobRecord, applyProgress } from '../store/job-reports.ts';
import { applySwitchCertificate } from '../store/lost-switches.ts';
import { storeRunningModels } from '../store/nodes.ts';
import { storeReadings } from '../store/readings.ts';
import { storeTargetStats } from '../store/targets.ts';
import type { BatchWork } from './read-message.ts';

type Type = AgentRecord['type'];
type Sorted = { readonly [T in Type]: Told<RecordOf<T>>[] };

function sortByType(fresh: readonly StoredBatch<BatchWork>[]): Sorted {
  const sorted: Sorted = {
    'device-seen': [],
    reading: [],
    assessment: [],
    'disk-stats': [],
    'target-stats': [],
    access: [],
    ewma: [],
    progress: [],
    job: [],
    inventory: [],
    fault: [],
    'switch-certificate': [],
    'model-running': [],
    note: [],
    gap: [],
  };
  for (const { batch, isLate } of fresh) {
    for (const record of batch.content) (sorted[record.type] as Told<AgentRecord>[]).push({ nodeId: batch.nodeId, batchUid: batch.uid, isLate, record });
  }
  return sorted;
}

async function tellNotes(tx: Tx, nowMs: number, notes: readonly Told<RecordOf<'note'>>[]): Promise<void> {
  await appendEvents(
    tx,
    nowMs,
    notes.map(({ nodeId, record }) => ({
      type: record.code,
      severity: record.severity,
      text: record.message,
      ids: { ...record.ids, nodeId },
      by: `agent ${nodeId}`,
    })),
  );
}

/** Batches that will never come: nothing else says that something is missing, so a person hears of it. */
async function tellGaps(tx: Tx, nowMs: number, gaps: readonly Told<RecordOf<'gap'>>[]): Promise<void> {
  for (const { nodeId, record } of gaps) {
    const text = `The agent on ${nodeId} gave up ${record.records} records (batches ${record.fromSeq} to ${record.toSeq}): ${record.reason}`;
    const ids = { nodeId, fromSeq: record.fromSeq, toSeq: record.toSeq };
    await appendEvents(tx, nowMs, [{ type: 'telemetry.gap', severity: 'warning', text, ids, by: `agent ${nodeId}` }]);
    await raiseAlert(tx, nowMs, { rule: 'telemetry-gap', subject: nodeId, severity: 'warning', text, ids });
  }
}

/** Only the newest progress of a job matters. */
function newestProgress(told: readonly Told<RecordOf<'progress'>>[]): Iterable<Told<RecordOf<'progress'>>> {
  return new Map(told.map((one) => [one.record.jobId, one])).values();
}

/** Nodes of records after which another decision may be due. */
export type ChangedNodes = ReadonlySet<NodeId>;

/**
 * Store the records of batches that were not stored before. Whole tables are copied, what jobs report is applied one by one in the
 * order in which it was told. Answers the nodes about which something changed that decisions read.
 */
export async function applyRecords(tx: Tx, nowMs: number, fresh: readonly StoredBatch<BatchWork>[], publicKeyPem: string): Promise<ChangedNodes> {
  const told = sortByType(fresh);
  const changed = new Set<NodeId>();
  await storeDevices(tx, nowMs, told['device-seen']);
  await storeReadings(tx, nowMs, told.reading);
  const devices = new Set(await storeAssessments(tx, nowMs, told.assessment));
  for (const { nodeId, record } of told.assessment) if (devices.has(record.deviceId)) changed.add(nodeId);
  const targets = new Set(await storeTargetStats(tx, nowMs, told['target-stats']));
  for (const { nodeId, record } of told['target-stats']) if (targets.has(record.targetId)) changed.add(nodeId);
  await storeAccesses(
    tx,
    nowMs,
    told.access.map(({ record: { type: _, ...access } }) => access),
  );
  await storeAccessRates(tx, told.ewma);
  // Before the listing of the same agent: what it shows may be the copy that the listing has.
  for (const { nodeId, record } of told['switch-certificate']) await applySwitchCertificate(tx, nodeId, record, publicKeyPem, nowMs);
  for (const { nodeId, record } of told.inventory) await applyInventory(tx, nodeId, record, nowMs);
  for (const { nodeId, record } of told.job) await applyJobRecord(tx, nodeId, record, nowMs);
  for (const { nodeId, record } of newestProgress(told.progress)) await applyProgress(tx, nodeId, record);
  for (const { nodeId, record } of told.fault) await applyFaultRecord(tx, nodeId, record, nowMs);
  for (const { nodeId } of [...told.job, ...told.inventory, ...told['switch-certificate']]) changed.add(nodeId);
  await storeRunningModels(tx, told['model-running']);
  await tellNotes(tx, nowMs, told.note);
  await tellGaps(tx, nowMs, told.gap);
  return changed;
}
