import type { DatasetId, DeviceId, NodeId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy, effectivePolicy, type Policy } from '@data-in-motion/shared/domain/policy';
import { and, eq, inArray, notInArray } from 'drizzle-orm';
import { type CopyFacts, spreadDomain } from '../jobs/guards.ts';
import type { Tx } from './database.ts';
import { isLeft } from './leaving-devices.ts';
import { dataset, device, globalPolicy, node, replica, target } from './schema.ts';

export interface DatasetCopies {
  readonly policy: Policy;
  readonly copies: readonly (CopyFacts & { readonly nodeId: NodeId; readonly frozen: boolean; readonly reachable: boolean })[];
}

/**
 * The copies of one dataset as the guards need them, read in the transaction that decides; the dataset's row must be locked before.
 * A copy on a lost node, an unreachable target or a device that is being emptied or is failing does not count for another that wants to leave.
 */
export async function copiesOf(tx: Tx, datasetId: DatasetId): Promise<DatasetCopies> {
  const [own] = await tx.select({ ownPolicy: dataset.ownPolicy }).from(dataset).where(eq(dataset.datasetId, datasetId));
  const [global] = await tx.select({ policy: globalPolicy.policy }).from(globalPolicy);
  const policy = effectivePolicy(global?.policy ?? defaultPolicy, own?.ownPolicy ?? {});
  const rows = await tx
    .select({ replica, target, siteId: node.siteId, agentState: node.agentState })
    .from(replica)
    .innerJoin(target, eq(target.targetId, replica.targetId))
    .innerJoin(node, eq(node.nodeId, target.nodeId))
    .where(and(eq(replica.datasetId, datasetId), notInArray(replica.state, ['purged', 'abandoned'])));
  const deviceIds = [...new Set(rows.flatMap((row) => row.target.description.deviceIds))];
  const risky = await riskyDevices(tx, deviceIds);
  const copies = rows.map((row) => {
    const { provider, region, encryptedAtRest, deviceIds: under } = row.target.description;
    const { targetId, nodeId } = row.target;
    const reachable = row.target.reachable && row.target.state !== 'lost';
    return {
      replicaId: row.replica.replicaId,
      versionId: row.replica.versionId,
      targetId,
      state: row.replica.state,
      nodeId,
      verifiedRoot: row.replica.verifiedRoot,
      verifiedLevel: row.replica.verifiedLevel,
      verifiedAtMs: row.replica.verifiedAtMs,
      reliable: row.agentState !== 'lost' && row.agentState !== 'revoked' && reachable && !under.some((id) => risky.has(id)),
      allowed:
        !policy.forbiddenTargets.includes(targetId) &&
        (policy.regions.length === 0 || policy.regions.includes(region)) &&
        (!policy.encryptionRequired || encryptedAtRest),
      domain: spreadDomain({ targetId, nodeId, siteId: row.siteId, provider }, policy.spread),
      frozen: row.target.state === 'frozen',
      reachable,
    };
  });
  return { policy, copies };
}

async function riskyDevices(tx: Tx, deviceIds: readonly DeviceId[]): Promise<Set<DeviceId>> {
  if (deviceIds.length === 0) return new Set();
  const rows = await tx
    .select({ deviceId: device.deviceId, level: device.level, judge: device.judge, evacuatingSinceMs: device.evacuatingSinceMs })
    .from(device)
    .where(inArray(device.deviceId, [...deviceIds]));
  return new Set(rows.filter(isLeft).map((row) => row.deviceId));
}
