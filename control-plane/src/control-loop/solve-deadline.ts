/** By the clock a plan may take so many times as long as it may compute. */
const patience = 6;

/**
 * When a solve has to stop with the best plan so far: by the processor time it had, so that a machine which does other things gets its plan later and not a
 * worse one, and in any case by the clock.
 *
 * @param spentMs processor time of the thread that solves
 * @returns whether it is over
 */
export function solveDeadline(limitMs: number, { spentMs, nowMs }: { readonly spentMs: () => number; readonly nowMs: () => number }): () => boolean {
  const [spentUntilMs, untilMs] = [spentMs() + limitMs, nowMs() + patience * limitMs];
  return () => spentMs() >= spentUntilMs || nowMs() >= untilMs;
}
