import type { NodeFacts } from '../fleet/snapshot.ts';

/**
 * Since when agents could be heard at all, so that nobody is called lost for our own deafness.
 * It begins anew with the process, after a pause in which we did not look (another control plane led, the database was away),
 * and when somebody is heard again after all were silent: the broker or our own way to it is then the likelier fault.
 */
export class Listening {
  #sinceMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #wasDeaf = false;

  /**
   * Look at who was heard; answers since when silence counts.
   *
   * @param longestPauseMs between two looks, and of everybody's silence, that is not noticed
   */
  since(nodes: readonly NodeFacts[], nowMs: number, longestPauseMs: number): number {
    const isDeaf = !nodes.some(({ lastHeardAtMs }) => lastHeardAtMs !== null && nowMs - lastHeardAtMs < longestPauseMs);
    if (nowMs - this.#lookedAtMs >= longestPauseMs || (this.#wasDeaf && !isDeaf)) this.#sinceMs = nowMs;
    this.#lookedAtMs = nowMs;
    this.#wasDeaf = isDeaf;
    return this.#sinceMs;
  }

  /** Nobody was heard lately: who is late stays late, until somebody is heard who makes the others' silence mean something. */
  get isDeaf(): boolean {
    return this.#wasDeaf;
  }
}
