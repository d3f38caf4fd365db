import type { DuplicatesView } from '@data-in-motion/shared/api/duplicates';
import { bytesPerGb } from '@data-in-motion/shared/domain/price';
import { differentTrees, type PaidVersion } from '../../placement/duplicates.ts';
import { SharedFiles } from '../../placement/shared-files.ts';
import type { Db } from '../../store/database.ts';
import { presentSamples } from '../../store/file-samples.ts';
import { allVersions, type FleetRows } from '../fleet-rows.ts';

type Across = DuplicatesView['across'];

/** So many datasets are told by name. */
const mostTold = 100;

/** What datasets have in common file by file. Walks through the samples of all of them. */
export async function sharedFilesView(db: Db, rows: FleetRows): Promise<Across> {
  const compared = differentTrees(rows.snapshot, allVersions(rows));
  const files = new SharedFiles<PaidVersion>();
  const found: Across['most'] = [];
  let sampled = 0;
  for await (const sample of presentSamples(db)) {
    const version = compared.get(sample.versionId);
    if (version === undefined) continue;
    sampled++;
    const shared = files.add(version, sample);
    if (shared === null) continue;
    const { datasetId, owner, versionId, perGbMonth } = version;
    const { mostWith, ...counts } = shared;
    found.push({ datasetId, owner, versionId, mostWith: mostWith.datasetId, ...counts, storagePerMonth: (shared.bytes / bytesPerGb) * perGbMonth });
  }
  const sum = (of: (one: Across['most'][number]) => number): number => found.reduce((total, one) => total + of(one), 0);
  return {
    datasets: found.length,
    notSampled: compared.size - sampled,
    bytes: sum((one) => one.bytes),
    exactBytes: sum((one) => one.exactBytes),
    errorBytes: files.errorBytes,
    storagePerMonth: sum((one) => one.storagePerMonth),
    most: found.sort((a, b) => b.bytes - a.bytes || (a.datasetId < b.datasetId ? -1 : 1)).slice(0, mostTold),
  };
}
