import { asRequestFailed, type RequestFailed } from '../api/request-failed.ts';
import { notices } from './notices.svelte.ts';
import { session } from './session.svelte.ts';

/** Something a person asked for: under way, failed with its problem, or done. */
export class Action {
  busy = $state(false);
  failed = $state.raw<RequestFailed | null>(null);

  /**
   * Do it once; a second click while it runs does nothing.
   *
   * @param said what to tell when it worked
   * @returns whether it worked
   */
  async run(work: () => Promise<unknown>, said: string): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.failed = null;
    try {
      await work();
      if (said !== '') notices.tell(said);
      return true;
    } catch (thrown) {
      this.failed = asRequestFailed(thrown);
      if (this.failed.status === 401) session.lost();
      return false;
    } finally {
      this.busy = false;
    }
  }
}
