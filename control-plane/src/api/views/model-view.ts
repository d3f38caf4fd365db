import type { ModelDetail, ModelView } from '@data-in-motion/shared/api/models';
import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { ModelRow } from '../../store/failure-models.ts';

/** @param runningOn the versions that agents said they run, one for each agent */
export function modelView(row: ModelRow, runningOn: readonly (string | null)[]): ModelView {
  const { from, to, drives, failures, seed, parameters } = row.trained;
  return {
    version: row.version,
    name: row.name,
    state: row.state,
    rev: row.rev,
    artifactHash: row.artifactHash,
    dataHash: row.dataHash,
    trained: { from, to, drives, failures, seed, parameters },
    metrics: row.metrics,
    addedAtMs: row.addedAtMs,
    addedBy: row.addedBy,
    promotedAtMs: row.promotedAtMs,
    promotedBy: row.promotedBy,
    retiredAtMs: row.retiredAtMs,
    retiredBecause: row.retiredBecause,
    nodes: runningOn.filter((version) => version === row.version).length,
  };
}

/** One model with what a person can read of it without its trees. */
export function modelDetailView(
  row: ModelRow & { readonly artifact: string },
  runningOn: readonly (string | null)[],
  artifact: 'with' | 'without',
): ModelDetail {
  const model = JSON.parse(row.artifact) as FailureModel & Record<string, unknown>;
  return {
    ...modelView(row, runningOn),
    features: model.features.length,
    trees: model.trees.roots.length,
    levels: model.levels,
    calibration: model.calibration.map(({ horizonDays, logOdds, probability }) => ({ horizonDays, logOdds: [...logOdds], probability: [...probability] })),
    artifact: artifact === 'with' ? model : null,
  };
}
