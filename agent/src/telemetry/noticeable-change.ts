import type { RecordOf } from '@data-in-motion/shared/protocol/records';

type Stats = RecordOf<'target-stats'>;

/** Of its capacity; less is what logs and journals of a busy host write all the time. */
const sizeShare = 0.001;
/** Of a latency or a rate before; percentiles of 128 reads wander by as much on a disk that nothing happens on. */
const speedShare = 0.25;
/** Latencies below it are as good as each other: it is what a busy host adds by itself. */
const quietLatencyMs = 2;

/** Whether a measurement of a target says anything that the one before did not. What comes and goes (reachable, a figure, a reason) always does. */
export function isNoticeable(before: Stats, now: Stats): boolean {
  if (before.reachable !== now.reachable || before.unreachableBecause !== now.unreachableBecause || before.capacityBytes !== now.capacityBytes) return true;
  const sizes = (['usedBytes', 'freeBytes'] as const).some((name) => {
    const isFull = before[name] === 0 || now[name] === 0;
    return before[name] !== now[name] && (isFull || Math.abs(now[name] - before[name]) > sizeShare * now.capacityBytes);
  });
  return (
    sizes ||
    (['latencyP50Ms', 'latencyP95Ms', 'latencyP99Ms'] as const).some((name) => moved(before[name], now[name], quietLatencyMs)) ||
    (['readBytesPerSec', 'writeBytesPerSec'] as const).some((name) => moved(before[name], now[name], 0))
  );
}

function moved(before: number | null, now: number | null, quietBelow: number): boolean {
  if (before === null || now === null) return before !== now;
  return Math.max(before, now) > quietBelow && Math.abs(now - before) > speedShare * before;
}
