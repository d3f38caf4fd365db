import type { ConsistencyView } from '@data-in-motion/shared/api/operations';
import { inSlices } from '@data-in-motion/shared/in-slices';
import type { DatasetRows } from '../../store/kept-datasets.ts';
import type { agentStream } from '../../store/schema.ts';
import { type FleetRows, factsOf } from '../fleet-rows.ts';

type Item = ConsistencyView['items'][number];

export interface ConsistencyExtras {
  /** All of every node, newest life first. */
  readonly streams: readonly (typeof agentStream.$inferSelect)[];
  readonly scrubEveryMs: number;
  readonly quarantined: number;
  readonly syncConflicts: number;
  readonly quarantine: ConsistencyView['quarantine'];
}

/** Who is out of step with what was promised, why, and what is being done about it. */
export async function consistencyView(rows: FleetRows, extras: ConsistencyExtras): Promise<ConsistencyView> {
  const scrub = new ScrubTally(rows.asOfMs - extras.scrubEveryMs);
  const ofDatasets = await inSlices(rows.datasets, (dataset) => {
    for (const replica of dataset.replicas) if (replica.state === 'verified') scrub.add(replica.verifiedAtMs ?? 0);
    return datasetItems(rows, dataset);
  });
  const items = [...ofDatasets, ...nodeItems(rows)];
  const open = items.filter((item) => item.state !== 'working').length;
  return {
    asOfMs: rows.asOfMs,
    inStep: items.length === 0,
    sentence:
      items.length === 0
        ? 'Everything is as promised.'
        : `${items.length} ${items.length === 1 ? 'thing is' : 'things are'} out of step; ${items.length - open} being mended.`,
    items,
    streams: [...Map.groupBy(extras.streams, (stream) => stream.nodeId).values()].map((lives) => {
      const [stream, ...earlier] = lives as [(typeof lives)[number], ...typeof lives];
      const node = rows.nodes.find((one) => one.nodeId === stream.nodeId);
      return {
        nodeId: stream.nodeId,
        incarnation: stream.incarnation,
        watermark: stream.watermark,
        highestSeen: stream.highestSeen,
        holes: missingOf(stream),
        lostBefore: earlier.reduce((sum, life) => sum + missingOf(life), 0),
        desiredRev: node?.desiredRev ?? 0,
        observedRev: node?.observedRev ?? 0,
        lastBatchAtMs: stream.lastBatchAtMs,
      };
    }),
    scrub: { lastAtMs: scrub.lastAtMs, oldestVerifiedAtMs: scrub.oldestVerifiedAtMs, everyMs: extras.scrubEveryMs, due: scrub.due },
    quarantined: extras.quarantined,
    syncConflicts: extras.syncConflicts,
    quarantine: extras.quarantine,
  };
}

/** When the verified copies were read last. */
class ScrubTally {
  readonly #dueBeforeMs: number;
  lastAtMs: number | null = null;
  oldestVerifiedAtMs: number | null = null;
  due = 0;

  constructor(dueBeforeMs: number) {
    this.#dueBeforeMs = dueBeforeMs;
  }

  add(verifiedAtMs: number): void {
    this.lastAtMs = Math.max(verifiedAtMs, this.lastAtMs ?? verifiedAtMs);
    this.oldestVerifiedAtMs = Math.min(verifiedAtMs, this.oldestVerifiedAtMs ?? verifiedAtMs);
    if (verifiedAtMs < this.#dueBeforeMs) this.due++;
  }
}

function missingOf({ highestSeen, watermark }: ConsistencyExtras['streams'][number]): number {
  return Math.max(0, highestSeen - watermark);
}

function datasetItems(rows: FleetRows, { row, pointer, replicas: copies }: DatasetRows): Item[] {
  const facts = factsOf(rows, row.datasetId);
  if (facts === undefined || pointer === undefined) return [];
  const jobs = rows.jobsOf.get(row.datasetId) ?? [];
  const item = (kind: Item['kind'], text: string, targetId: string | null, sinceMs: number | null, jobId: string | undefined, attempts = 0): Item => ({
    kind,
    datasetId: row.datasetId,
    targetId,
    nodeId: targetId === null ? null : (rows.targetFacts.get(targetId)?.nodeId ?? null),
    text,
    sinceMs,
    state: jobId === undefined ? 'pending' : 'working',
    jobId: jobId ?? null,
    attempts,
  });
  const verified = copies.filter((replica) => replica.versionId === pointer.versionId && replica.state === 'verified');
  const items: Item[] = [];
  if (verified.length < facts.policy.copies) {
    const making = jobs.find((job) => ['copy', 'move', 'import'].includes(job.purpose));
    items.push(
      item('missing-copy', `${row.datasetId} has ${verified.length} of ${facts.policy.copies} verified copies.`, null, null, making?.jobId, making?.attempt),
    );
  }
  for (const replica of copies) {
    const leaving = jobs.find((job) => job.purpose === 'retire' && job.fromReplicaId === replica.replicaId);
    const checking = jobs.find((job) => job.purpose === 'verify' && (job.toReplicaId === replica.replicaId || job.fromReplicaId === replica.replicaId));
    if (replica.state === 'corrupt' || replica.state === 'missing')
      items.push(
        item(
          'corrupt-copy',
          `The copy of ${row.datasetId} on ${replica.targetId} is ${replica.state}.`,
          replica.targetId,
          replica.verifiedAtMs,
          leaving?.jobId,
        ),
      );
    else if (replica.state === 'suspect')
      items.push(
        item(
          'pointer-unverified',
          `The copy of ${row.datasetId} on ${replica.targetId} does not count until it is read back.`,
          replica.targetId,
          replica.verifiedAtMs,
          checking?.jobId,
        ),
      );
    else if (replica.state === 'conflict')
      items.push({
        ...item(
          'conflict',
          `Somebody wrote to the copy of ${row.datasetId} on ${replica.targetId}; it is kept for a person.`,
          replica.targetId,
          replica.endedAtMs,
          undefined,
        ),
        state: 'needs-person',
      });
    else if (replica.state === 'verified' && replica.versionId !== pointer.versionId)
      items.push(
        item('stale-copy', `${replica.targetId} still has an older version of ${row.datasetId}.`, replica.targetId, replica.verifiedAtMs, leaving?.jobId),
      );
  }
  const surplus = verified.length - facts.policy.copies;
  const moving = jobs.some((job) => job.purpose === 'move');
  if (surplus > 0 && !moving)
    items.push(
      item(
        'surplus-copy',
        `${row.datasetId} has ${surplus} more ${surplus === 1 ? 'copy' : 'copies'} than wanted.`,
        null,
        null,
        jobs.find((job) => job.purpose === 'retire')?.jobId,
      ),
    );
  return items;
}

function nodeItems(rows: FleetRows): Item[] {
  return rows.nodes.flatMap((node): Item[] => {
    const base = { datasetId: null, targetId: null, nodeId: node.nodeId, sinceMs: node.lastHeardAtMs, jobId: null, attempts: 0 };
    if (node.agentState === 'lost') return [{ ...base, kind: 'lost-node', text: `${node.nodeId} is lost; its copies do not count.`, state: 'working' }];
    if (node.agentState === 'returned')
      return [{ ...base, kind: 'returned-node', text: `${node.nodeId} is back; its copies are verified before they count.`, state: 'working' }];
    if (node.observedRev < node.desiredRev && node.agentState === 'online')
      return [
        {
          ...base,
          kind: 'pending-command',
          text: `${node.nodeId} has not taken up its latest orders (has ${node.observedRev}, wanted ${node.desiredRev}).`,
          state: 'waiting',
        },
      ];
    return [];
  });
}
