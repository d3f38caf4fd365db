import type { NodeId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { and, eq, inArray, isNull, lte, or, sql } from 'drizzle-orm';
import { endAlert, raiseAlert } from './alerts.ts';
import type { Tx } from './database.ts';
import type { Told } from './devices.ts';
import { appendEvents } from './events.ts';
import { alert, node, target } from './schema.ts';
import { nameUnnamed } from './unnamed-copies.ts';

const undeclared = 'its agent no longer declares it';

/** Another living node has this name: the first keeps it, or two directories would pass for one place. */
async function refuseClaims(tx: Tx, nowMs: number, nodeId: NodeId, declared: readonly TargetDescription[]): Promise<readonly TargetDescription[]> {
  const taken = await tx
    .select({ targetId: target.targetId, owner: target.nodeId, ownerState: node.agentState })
    .from(target)
    .leftJoin(node, eq(node.nodeId, target.nodeId))
    .where(
      inArray(
        target.targetId,
        declared.map((one) => one.targetId),
      ),
    );
  const claims = taken.filter((row) => row.owner !== nodeId && row.ownerState !== 'revoked' && row.ownerState !== null);
  for (const { targetId, owner } of claims) {
    const text = `The agent on ${nodeId} declares the target ${targetId}, which belongs to ${owner}: ignored. Give each target its own name.`;
    await raiseAlert(tx, nowMs, { rule: 'target-claimed-twice', subject: `${targetId}@${nodeId}`, severity: 'error', text, ids: { targetId, nodeId } });
  }
  await endOldClaims(tx, nowMs, nodeId, new Set(claims.map(({ targetId }) => targetId)));
  return declared.filter((one) => !claims.some((claim) => claim.targetId === one.targetId));
}

/** What this node declared before and declares no more, or what is its own by now. */
async function endOldClaims(tx: Tx, nowMs: number, nodeId: NodeId, claims: ReadonlySet<TargetId>): Promise<void> {
  const open = await tx
    .select({ ids: alert.ids })
    .from(alert)
    .where(and(eq(alert.rule, 'target-claimed-twice'), isNull(alert.endedAtMs), sql`${alert.ids}->>'nodeId' = ${nodeId}`));
  for (const { ids } of open) if (!claims.has(ids.targetId as TargetId)) await endAlert(tx, nowMs, 'target-claimed-twice', `${ids.targetId}@${nodeId}`);
}

async function withdraw(tx: Tx, nowMs: number, nodeId: NodeId, declared: ReadonlySet<TargetId>): Promise<void> {
  const present = await tx
    .select({ targetId: target.targetId })
    .from(target)
    .where(and(eq(target.nodeId, nodeId), inArray(target.state, ['ok', 'draining', 'frozen'])));
  for (const { targetId } of present.filter((row) => !declared.has(row.targetId))) {
    await tx.update(target).set({ state: 'lost', stateReason: undeclared }).where(eq(target.targetId, targetId));
    await appendEvents(tx, nowMs, [
      {
        type: 'target.withdrawn',
        severity: 'warning',
        text: `The agent on ${nodeId} no longer declares the target ${targetId}.`,
        ids: { targetId, nodeId },
        by: `agent ${nodeId}`,
      },
    ]);
  }
}

/** The targets that an agent declares when it starts: new ones are added, changed ones changed, those it no longer names are lost until it does. */
export async function storeTargets(tx: Tx, nowMs: number, nodeId: NodeId, declared: readonly TargetDescription[]): Promise<void> {
  const own = await refuseClaims(tx, nowMs, nodeId, declared);
  for (const description of [...own].sort((a, b) => (a.targetId < b.targetId ? -1 : 1))) {
    const { targetId } = description;
    const [before] = await tx
      .select({ state: target.state, stateReason: target.stateReason, nodeId: target.nodeId })
      .from(target)
      .where(eq(target.targetId, targetId))
      .for('update');
    if (before === undefined) {
      await tx.insert(target).values({ targetId, nodeId, description, capacityBytes: description.capacityBytes ?? 0 });
      await appendEvents(tx, nowMs, [
        {
          type: 'target.declared',
          severity: 'info',
          text: `${nodeId} offers the target ${targetId} (${description.tier}, ${description.provider} ${description.region}).`,
          ids: { targetId, nodeId },
          by: `agent ${nodeId}`,
        },
      ]);
      continue;
    }
    const isBack = before.state === 'lost' && before.stateReason === undeclared;
    await tx
      .update(target)
      .set({ nodeId, description, ...(isBack ? { state: 'ok' as const, stateReason: null } : {}) })
      .where(eq(target.targetId, targetId));
    if (isBack) await nameUnnamed(tx, { targetId }, nowMs);
  }
  await withdraw(tx, nowMs, nodeId, new Set(own.map((one) => one.targetId)));
}

async function tellReachable(tx: Tx, nowMs: number, nodeId: NodeId, stats: RecordOf<'target-stats'>): Promise<void> {
  const ids = { targetId: stats.targetId, nodeId };
  if (stats.reachable) {
    await appendEvents(tx, nowMs, [
      { type: 'target.reachable', severity: 'info', text: `The target ${stats.targetId} can be reached again.`, ids, by: `agent ${nodeId}` },
    ]);
    await endAlert(tx, nowMs, 'target-unreachable', stats.targetId);
    return;
  }
  const text = `The target ${stats.targetId} on ${nodeId} can not be reached: ${stats.unreachableBecause ?? 'no reason given'}`;
  await appendEvents(tx, nowMs, [{ type: 'target.unreachable', severity: 'error', text, ids, by: `agent ${nodeId}` }]);
  await raiseAlert(tx, nowMs, { rule: 'target-unreachable', subject: stats.targetId, severity: 'error', text, ids });
}

/** Let the newest measurement of each target stand on it; what another node says of a target is ignored. Answers the targets whose reachability changed. */
export async function storeTargetStats(tx: Tx, nowMs: number, told: readonly Told<RecordOf<'target-stats'>>[]): Promise<TargetId[]> {
  const newest = new Map<TargetId, Told<RecordOf<'target-stats'>>>();
  for (const one of told) {
    const before = newest.get(one.record.targetId);
    if (before === undefined || !one.isLate || one.record.atMs >= before.record.atMs) newest.set(one.record.targetId, one);
  }
  const changed: TargetId[] = [];
  for (const { nodeId, record, isLate } of [...newest.values()].sort((a, b) => (a.record.targetId < b.record.targetId ? -1 : 1))) {
    const { type: _, targetId, atMs, unreachableBecause: __, capacityBytes, usedBytes, freeBytes, ...measured } = record;
    // Sizes of a target that can not be reached are not known: what was measured last still holds.
    const sizes = record.reachable ? { capacityBytes, usedBytes, freeBytes } : {};
    const measuredAtMs = Math.min(atMs, nowMs);
    const isNewer = isLate ? or(isNull(target.measuredAtMs), lte(target.measuredAtMs, measuredAtMs)) : undefined;
    const mine = and(eq(target.targetId, targetId), eq(target.nodeId, nodeId), isNewer);
    const [before] = await tx.select({ reachable: target.reachable }).from(target).where(mine).for('update');
    if (before === undefined) continue;
    await tx
      .update(target)
      .set({ ...measured, ...sizes, measuredAtMs })
      .where(mine);
    if (before.reachable === record.reachable) continue;
    changed.push(targetId);
    await tellReachable(tx, nowMs, nodeId, record);
  }
  return changed;
}
