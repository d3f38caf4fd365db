import { heatWindows, type PastUse, type WindowCounts } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { effectivePolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import { hoursPerMonth } from '@data-in-motion/shared/domain/price';
import type { DatasetFacts, ReplicaFacts } from '../fleet/snapshot.ts';
import type { CountedReads } from './counted-reads.ts';
import type { AllDatasets, DatasetRows } from './kept-datasets.ts';

const dayMs = 86_400_000;

/** Of most datasets nobody used anything lately: they share these. */
const noAccesses: readonly WindowCounts[] = heatWindows.map(({ name }) => ({ window: name, reads: 0, writes: 0, readBytes: 0, writtenBytes: 0 }));

/** What decisions read of each dataset, made from its rows and accesses; made again only where one of these is another than the time before. */
export class DatasetFactsOfRows {
  #rows: AllDatasets = { list: [], at: new Map() };
  /** Alongside the rows. */
  #facts: readonly DatasetFacts[] = [];
  #global = '';
  /** Datasets with the same rules share one policy; a large fleet has few of them. */
  #policies = new Map<string, Policy>();

  /** In the order of the rows. @param windows of those that were used, @param rates per hour, of those whose agents told one */
  of(
    all: AllDatasets,
    global: Policy,
    windows: ReadonlyMap<DatasetId, readonly WindowCounts[]>,
    rates: ReadonlyMap<DatasetId, number>,
  ): readonly DatasetFacts[] {
    const text = JSON.stringify(global);
    if (text !== this.#global) {
      this.#policies = new Map();
      this.#rows = { list: [], at: new Map() };
      this.#global = text;
    }
    const { list, at: places } = this.#rows;
    const facts = all.list.map((rows, at) => {
      const { datasetId } = rows.row;
      const used = windows.get(datasetId) ?? noAccesses;
      const perHour = rates.get(datasetId) ?? 0;
      // Where no dataset was added all stand where they stood.
      const place = places === all.at ? at : places.get(datasetId);
      const before = place === undefined || list[place] !== rows ? undefined : this.#facts[place];
      if (before !== undefined && before.ewmaPerHour === perHour && isSame(before.windows, used)) return before;
      return factsOf(rows, this.#policyOf(rows, global), used, perHour);
    });
    this.#rows = all;
    this.#facts = facts;
    return facts;
  }

  #policyOf({ row }: DatasetRows, global: Policy): Policy {
    const own = JSON.stringify(row.ownPolicy);
    const known = this.#policies.get(own);
    if (known !== undefined) return known;
    const policy = effectivePolicy(global, row.ownPolicy);
    this.#policies.set(own, policy);
    return policy;
  }
}

function isSame(before: readonly WindowCounts[], now: readonly WindowCounts[]): boolean {
  return (
    before === now ||
    before.every((counts, at) => {
      const { reads, writes, readBytes, writtenBytes } = now[at]!;
      return counts.reads === reads && counts.writes === writes && counts.readBytes === readBytes && counts.writtenBytes === writtenBytes;
    })
  );
}

function factsOf({ row, pointer, versions, replicas }: DatasetRows, policy: Policy, windows: readonly WindowCounts[], ewmaPerHour: number): DatasetFacts {
  const version = pointer === undefined ? undefined : versions.find((one) => one.versionId === pointer.versionId);
  return {
    datasetId: row.datasetId,
    owner: row.owner,
    rev: row.rev,
    policy,
    versionId: pointer?.versionId ?? null,
    versionMadeAtMs: version?.committedAtMs ?? null,
    objects: version?.objects ?? 0,
    sizeBytes: version?.sizeBytes ?? 0,
    unreadable: version?.unreadable ?? 0,
    primaryReplicaId: pointer?.replicaId ?? null,
    pointerRev: pointer?.rev ?? 0,
    replicas: replicas.flatMap(copyFacts),
    windows,
    pastUse: row.countedReads === null ? null : pastUseOf(row.countedReads),
    lastAccessAtMs: row.lastAccessAtMs,
    ewmaPerHour,
    heatClass: row.heat?.class ?? null,
    heatDecidedAtMs: row.heat?.decidedAtMs ?? null,
    lastMovedAtMs: row.lastMovedAtMs,
    createdAtMs: row.createdAtMs,
  };
}

/** Less than a day says no more than the windows do, and would be made to thirty of them. */
function pastUseOf({ sinceMs, untilMs, reads, readBytes }: CountedReads): PastUse | null {
  const days = (untilMs - sinceMs) / dayMs;
  if (days < 1) return null;
  const months = (days * 24) / hoursPerMonth;
  return { readsPerMonth: reads / months, readBytesPerMonth: readBytes / months, days };
}

/** An import's copy has no version until its manifest is committed; until then there is nothing to decide about it. */
function copyFacts({ replicaId, versionId, targetId, state, verifiedAtMs, createdAtMs }: DatasetRows['replicas'][number]): ReplicaFacts[] {
  if (versionId === null || state === 'purged' || state === 'abandoned') return [];
  return [{ replicaId, versionId, targetId, state, verifiedAtMs, createdAtMs }];
}
