import type { DatasetId, JobId, NodeId, ReplicaId, SiteId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { Store } from '../../src/store/database.ts';
import { dataset, datasetVersion, node, pointer, replica, target } from '../../src/store/schema.ts';
import { type Interface, openInterface } from './interface.ts';

export const copies = { berlin: '01JD0000000000000000000001', frankfurt: '01JD0000000000000000000002' } as const;

/** The interface on such a fleet. */
export async function openWithTwoCopies(options: Parameters<typeof openInterface>[0] = {}): Promise<Interface> {
  const api = await openInterface(options);
  await addTwoCopies(api.store);
  return api;
}

/** A dataset with a verified copy in Berlin, which is primary, and one in Frankfurt. */
async function addTwoCopies(store: Store): Promise<void> {
  const { db } = store;
  const nowMs = await store.nowMs();
  const datasetId = 'maps' as DatasetId;
  const versionId = '01JD0000000000000000000000' as VersionId;
  const jobId = '01JD0000000000000000000009' as JobId;
  const heard = { agentState: 'online' as const, incarnation: 1, importRoots: [], faultsAllowed: true, lastHeardAtMs: nowMs };
  await db.insert(node).values({ nodeId: 'frankfurt' as NodeId, siteId: 'frankfurt' as SiteId, ...heard });
  const [nvme] = await db.select().from(target);
  for (const name of ['berlin', 'frankfurt'] as const) {
    const targetId = `${name}-disk` as TargetId;
    await db.insert(target).values({ ...nvme!, nodeId: name as NodeId, targetId, description: { ...nvme!.description, targetId } });
    const state = { state: 'verified' as const, verifiedRoot: 'root', verifiedAtMs: nowMs, activated: true, createdAtMs: nowMs };
    await db.insert(replica).values({ replicaId: copies[name] as ReplicaId, datasetId, versionId, targetId, ...state });
  }
  await db.insert(dataset).values({ datasetId, owner: 'cartography', createdAtMs: nowMs });
  await db.insert(datasetVersion).values({ versionId, datasetId, root: 'root', objects: 1, sizeBytes: 1, jobId, committedAtMs: nowMs });
  await db.insert(pointer).values({ datasetId, versionId, replicaId: copies.berlin as ReplicaId, rev: 1, changedByJob: jobId, changedAtMs: nowMs });
}

/** Another dataset with one copy on the Berlin disk; its agent told neither repeated files nor a sample. @param n makes its ids */
export async function addDataset(api: Interface, name: string, root: string, sizeBytes: number, n: number): Promise<void> {
  const { db } = api.store;
  const atMs = await api.store.nowMs();
  const id = (kind: string) => `01JD000000000000000000${kind}${String(n).padStart(2, '0')}`;
  const [datasetId, versionId, replicaId, jobId] = [name as DatasetId, id('0V') as VersionId, id('0R') as ReplicaId, id('0J') as JobId];
  await db.insert(dataset).values({ datasetId, owner: 'ops', createdAtMs: atMs });
  await db.insert(datasetVersion).values({ versionId, datasetId, root, objects: 1, sizeBytes, jobId, committedAtMs: atMs });
  await db.insert(replica).values({ replicaId, datasetId, versionId, targetId: 'berlin-disk' as TargetId, state: 'verified', createdAtMs: atMs });
  await db.insert(pointer).values({ datasetId, versionId, replicaId, rev: 1, changedByJob: jobId, changedAtMs: atMs });
}
