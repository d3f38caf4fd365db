import type { MoveView } from '@data-in-motion/shared/api/decisions';
import type { TargetView } from '@data-in-motion/shared/api/fleet';
import type { Flow } from '../../lib/components/MoveFlow.svelte';

/** Moves added up by where they come from and go to. What has no source is new; what has no destination leaves. */
export function flowsOf(moves: readonly MoveView[], targets: readonly TargetView[]): Flow[] {
  const place = (targetId: string | null, otherwise: string): { name: string; tier: string } => {
    if (targetId === null) return { name: otherwise, tier: '' };
    const target = targets.find((one) => one.targetId === targetId);
    return target === undefined ? { name: targetId, tier: '' } : { name: `${target.siteId} · ${target.tier}`, tier: target.tier };
  };
  const flows = new Map<string, Flow>();
  for (const move of moves) {
    const from = place(move.fromTargetId, 'new copies');
    const to = place(move.toTargetId, 'leaves');
    const key = `${from.name}>${to.name}`;
    const known = flows.get(key);
    flows.set(key, {
      from: from.name,
      to: to.name,
      fromTier: from.tier,
      toTier: to.tier,
      sizeBytes: (known?.sizeBytes ?? 0) + move.sizeBytes,
      moves: (known?.moves ?? 0) + 1,
    });
  }
  return [...flows.values()];
}

/** What applying a plan sets in motion. */
export function consequence(moves: readonly MoveView[]): {
  moves: number;
  sizeBytes: number;
  migrationOnce: number;
  changePerMonth: number;
  expectedMs: number | null;
} {
  const waiting = moves.filter((move) => move.verdict === 'advised');
  const times = waiting.map((move) => move.expectedMs).filter((ms) => ms !== null);
  return {
    moves: waiting.length,
    sizeBytes: waiting.reduce((sum, move) => sum + (move.action === 'retire' ? 0 : move.sizeBytes), 0),
    migrationOnce: waiting.reduce((sum, move) => sum + move.migrationOnce, 0),
    changePerMonth: waiting.reduce((sum, move) => sum + move.changePerMonth, 0),
    expectedMs: times.length === 0 ? null : times.reduce((sum, ms) => sum + ms, 0),
  };
}
