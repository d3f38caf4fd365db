import type { DatasetId, ReplicaId } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { expect, test } from 'vitest';
import { inventoryOf, type TargetListing } from './list-target.ts';

/** What the outbox takes of one record. */
const longestRecord = 180_000;

test('a thousand copies are told of a target on which a thousand foreign files lie', () => {
  const replicas = Array.from({ length: 1_000 }, (_, n) => ({
    replicaId: String(n).padStart(26, '0') as ReplicaId,
    datasetId: 'letters' as DatasetId,
    root: 'a'.repeat(64),
    place: 'live' as const,
  }));
  const unknown = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(150, 'x'));
  const listed: TargetListing = { datasets: [], replicas, staging: [], manifests: [], leaving: [], unknown };
  const record = inventoryOf({ targetId: 'one' } as TargetDescription, listed, 1);
  expect(record.replicas).toHaveLength(1_000);
  expect(record.unknown.length).toBeGreaterThan(0);
  expect(JSON.stringify(record).length).toBeLessThan(longestRecord);
});
