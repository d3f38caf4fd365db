import type { PastUse, WindowCounts } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { effectivePolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import { hoursPerMonth } from '@data-in-motion/shared/domain/price';
import { eachInSlices } from '@data-in-motion/shared/in-slices';
import { noAccesses } from '../fleet/no-accesses.ts';
import type { DatasetFacts, ReplicaFacts, VersionSize } from '../fleet/snapshot.ts';
import type { CountedReads } from './counted-reads.ts';
import type { AllDatasets, DatasetRows, ReplicaRow, VersionRow } from './kept-datasets.ts';

const dayMs = 86_400_000;

/** What decisions read of each dataset, made from its rows and accesses; made again only where one of these is another than the time before. */
export class DatasetFactsOfRows {
  #rows: AllDatasets = { list: [], at: new Map() };
  /** Alongside the rows. */
  #facts: readonly DatasetFacts[] = [];
  /** Those that were used, or whose agents told a rate, when the facts were made. */
  #used: ReadonlySet<DatasetId> = new Set();
  #global = '';
  /** Datasets with the same rules share one policy; a large fleet has few of them. */
  #policies = new Map<string, Policy>();

  /** In the order of the rows. @param windows of those that were used, @param rates per hour, of those whose agents told one */
  async of(
    all: AllDatasets,
    global: Policy,
    windows: ReadonlyMap<DatasetId, readonly WindowCounts[]>,
    rates: ReadonlyMap<DatasetId, number>,
  ): Promise<readonly DatasetFacts[]> {
    const text = JSON.stringify(global);
    if (text !== this.#global) {
      this.#policies = new Map();
      this.#rows = { list: [], at: new Map() };
      this.#global = text;
    }
    const before = this.#rows;
    const made = this.#facts;
    const make = (rows: DatasetRows): DatasetFacts => {
      const { datasetId } = rows.row;
      return factsOf(rows, this.#policyOf(rows, global), windows.get(datasetId) ?? noAccesses, rates.get(datasetId) ?? 0);
    };
    const facts: DatasetFacts[] = [];
    await eachInSlices(all.list, (rows, at) => {
      // Where no dataset was added all stand where they stood.
      const place = before.at === all.at ? at : before.at.get(rows.row.datasetId);
      facts.push(place !== undefined && before.list[place] === rows ? made[place]! : make(rows));
    });
    const used = new Set([...windows.keys(), ...rates.keys()]);
    await eachInSlices([...new Set([...used, ...this.#used])], (datasetId) => {
      const at = all.at.get(datasetId);
      if (at === undefined) return;
      const { windows: counted, ewmaPerHour } = facts[at]!;
      if (ewmaPerHour !== (rates.get(datasetId) ?? 0) || !isSame(counted, windows.get(datasetId) ?? noAccesses)) facts[at] = make(all.list[at]!);
    });
    this.#rows = all;
    this.#facts = facts;
    this.#used = used;
    return facts;
  }

  /** What the copy makes later is not kept here. */
  copy(): DatasetFactsOfRows {
    const copy = new DatasetFactsOfRows();
    copy.#rows = this.#rows;
    copy.#facts = this.#facts;
    copy.#used = this.#used;
    copy.#global = this.#global;
    copy.#policies = new Map(this.#policies);
    return copy;
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
  const copies = replicas.every(isDecidedAbout) ? replicas : replicas.filter(isDecidedAbout);
  const others = copies.every((copy) => copy.versionId === version?.versionId) ? [] : otherVersions(copies, version, versions);
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
    replicas: copies,
    ...(others.length === 0 ? {} : { otherVersions: others }),
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

/** Those of which there are copies. */
function otherVersions(copies: readonly ReplicaFacts[], current: VersionRow | undefined, versions: readonly VersionRow[]): VersionSize[] {
  return versions
    .filter((version) => version !== current && copies.some((copy) => copy.versionId === version.versionId))
    .map(({ versionId, objects, sizeBytes }) => ({ versionId, objects, sizeBytes }));
}

/** Less than a day says no more than the windows do, and would be made to thirty of them. */
function pastUseOf({ sinceMs, untilMs, reads, readBytes }: CountedReads): PastUse | null {
  const days = (untilMs - sinceMs) / dayMs;
  if (days < 1) return null;
  const months = (days * 24) / hoursPerMonth;
  return { readsPerMonth: reads / months, readBytesPerMonth: readBytes / months, days };
}

/**
 * An import's copy has no version until its manifest is committed; until then there is nothing to decide about it. The rows themselves, which say more than
 * decisions read: a large fleet has hundreds of thousands, and each would be there twice.
 */
function isDecidedAbout(copy: ReplicaRow): copy is ReplicaRow & ReplicaFacts {
  return copy.versionId !== null && copy.state !== 'purged' && copy.state !== 'abandoned';
}
