import type { ModelView } from '@data-in-motion/shared/api/models';
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
