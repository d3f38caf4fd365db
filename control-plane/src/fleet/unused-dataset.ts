import type { DatasetFacts } from './snapshot.ts';

/** The facts of a dataset that nobody owns or has used: what is said of it, and nothing else. */
export function unusedDataset(said: Pick<DatasetFacts, 'datasetId' | 'policy' | 'sizeBytes' | 'createdAtMs'> & Partial<DatasetFacts>): DatasetFacts {
  return {
    owner: '',
    rev: 1,
    versionId: null,
    versionMadeAtMs: null,
    objects: 0,
    unreadable: 0,
    primaryReplicaId: null,
    pointerRev: 0,
    replicas: [],
    windows: [],
    pastUse: null,
    lastAccessAtMs: null,
    ewmaPerHour: 0,
    heatClass: null,
    heatDecidedAtMs: null,
    lastMovedAtMs: null,
    ...said,
  };
}
