import { endAlert, raiseAlert } from '../store/alerts.ts';
import type { Tx } from '../store/database.ts';
import type { Work } from './read-message.ts';

const windowMs = 60_000;
/** Above one in a thousand, and not for a single stray message. */
const highest = { share: 0.001, atLeast: 5 };
const rule = 'bus-unreadable';

/** Watches how much of what comes over the bus can not be read, minute by minute, and tells a person when it is too much. */
export class UnreadableRate {
  #windowStartMs = 0;
  #messages = 0;
  #unreadable = 0;
  #isRaised = false;

  /** Count a group and, at the end of a minute, raise or end the alert, in the group's transaction. A group that is tried again counts again. */
  async watch(tx: Tx, nowMs: number, group: readonly Work[]): Promise<void> {
    this.#messages += group.length;
    this.#unreadable += group.filter((work) => work.kind === 'bad' || (work.kind === 'batch' && work.batch.poison)).length;
    const isHigh = this.#unreadable >= highest.atLeast && this.#unreadable > this.#messages * highest.share;
    if (isHigh && !this.#isRaised) {
      const text = `${this.#unreadable} of ${this.#messages} messages on the bus within a minute could not be read; they are in the quarantine.`;
      await raiseAlert(tx, nowMs, { rule, subject: 'bus', severity: 'error', text, ids: {} });
      tx.afterCommit(() => (this.#isRaised = true));
    }
    if (nowMs - this.#windowStartMs < windowMs) return;
    if (!isHigh) {
      await endAlert(tx, nowMs, rule, 'bus');
      this.#isRaised = false;
    }
    this.#windowStartMs = nowMs;
    this.#messages = 0;
    this.#unreadable = 0;
  }
}
