import { setImmediate } from 'node:timers/promises';
import type { PastCostsView, SpentView } from '@data-in-motion/shared/api/costs';
import { hoursPerMonth } from '@data-in-motion/shared/domain/price';
import type { Db } from '../../store/database.ts';
import { readsByPlace, sourcesOfCopies } from '../../store/past-use.ts';
import { addSpent, type PastCopy, type PastDataset, type PastDatasetCost, pastCosts, priceEras, type Spent, totalOf } from '../../what-if/past-cost.ts';
import { type FleetRows, policyOf } from '../fleet-rows.ts';
import { costReportOf } from './costs-view.ts';

const dayMs = 86_400_000;
const mostTold = 20;
/** A hundred thousand datasets take seconds: between slices of so many, agents are listened to. */
const datasetsAtOnce = 1_000;

/** What the last days have cost, what they would have cost at the best places, and what as many days will cost. */
export async function pastCostsView(db: Db, rows: FleetRows, days: number): Promise<PastCostsView> {
  const untilMs = rows.asOfMs;
  const oldestMs = rows.datasets.reduce((least, { row }) => Math.min(least, row.createdAtMs), untilMs);
  const fromMs = Math.max(untilMs - days * dayMs, oldestMs);
  const datasets = await pastDatasets(db, rows, fromMs, untilMs);
  const costs: PastDatasetCost[] = [];
  for (let at = 0; at < datasets.length; at += datasetsAtOnce) {
    costs.push(...pastCosts({ fromMs, untilMs, targets: rows.snapshot.targets, book: rows.priceBook, datasets: datasets.slice(at, at + datasetsAtOnce) }));
    await setImmediate();
  }
  const compared = costs.flatMap((one) => (one.best === null ? [] : [{ ...one, best: one.best }]));
  const { total } = await costReportOf(rows);
  const months = (days * 24) / hoursPerMonth;
  return {
    asOfMs: rows.asOfMs,
    fromMs,
    days,
    spent: spentView(addSpent(costs.map((one) => one.spent))),
    compared: {
      datasets: compared.length,
      spent: spentView(addSpent(compared.map((one) => one.spent))),
      best: spentView(addSpent(compared.map((one) => one.best))),
    },
    notCompared: costs.length - compared.length,
    next: { asItIs: total.perMonth * months, afterThePlan: total.afterPerMonth === null ? null : total.afterPerMonth * months },
    most: compared
      .map(({ datasetId, owner, spent, best, bestTargets }) => ({
        datasetId,
        owner,
        spent: totalOf(spent),
        best: totalOf(best),
        bestTargets: [...bestTargets],
      }))
      .filter((one) => one.spent > one.best)
      .sort((a, b) => b.spent - b.best - (a.spent - a.best) || (a.datasetId < b.datasetId ? -1 : 1))
      .slice(0, mostTold),
  };
}

async function pastDatasets(db: Db, rows: FleetRows, fromMs: number, untilMs: number): Promise<PastDataset[]> {
  const eras = priceEras(rows.priceBook, fromMs, untilMs);
  const reads = Map.groupBy(
    await readsByPlace(
      db,
      eras.map((era) => era.fromMs),
      untilMs,
    ),
    (one) => one.datasetId,
  );
  const sources = await sourcesOfCopies(db);
  return rows.datasets
    .filter(({ versions }) => versions.length > 0)
    .map(({ row, versions, replicas }) => ({
      datasetId: row.datasetId,
      owner: row.owner,
      policy: policyOf(rows, row),
      versions,
      copies: replicas.flatMap((replica): PastCopy[] => {
        // What was never whole was never paid for.
        if (replica.versionId === null || replica.verifiedAtMs === null) return [];
        // Since when a missing copy is gone nobody knows; when it was read last it was there.
        const goneMs = replica.state === 'missing' ? replica.verifiedAtMs : replica.endedAtMs;
        const { targetId, versionId, createdAtMs } = replica;
        // An import's place is named before there is a version.
        const copyFromMs = Math.max(createdAtMs, versions.find((version) => version.versionId === versionId)?.committedAtMs ?? createdAtMs);
        return [{ targetId, versionId, fromMs: copyFromMs, untilMs: goneMs, copiedFrom: sources.get(replica.replicaId) ?? null }];
      }),
      reads: reads.get(row.datasetId) ?? [],
    }));
}

function spentView(spent: Spent): SpentView {
  return { ...spent, total: totalOf(spent) };
}
