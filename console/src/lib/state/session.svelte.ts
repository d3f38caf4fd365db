import type { SessionView } from '@data-in-motion/shared/api/operations';
import { request } from '../api/request.ts';
import { asRequestFailed, type RequestFailed } from '../api/request-failed.ts';

/** Who looks, and what they may do. */
class Session {
  phase = $state<'asking' | 'in' | 'out' | 'unreachable'>('asking');
  who = $state.raw<SessionView | null>(null);
  failed = $state.raw<RequestFailed | null>(null);
  readonly mayChange = $derived(this.who !== null && this.who.role !== 'viewer');
  readonly isAdmin = $derived(this.who?.role === 'admin');

  /** Trade a token that is good once for a cookie, then ask who we are. */
  async begin(token: string | null): Promise<void> {
    try {
      if (token !== null) await request('POST /v1/session', { body: { token } });
    } catch (thrown) {
      // A used token is no harm while an older cookie is good; the next question tells.
      this.failed = asRequestFailed(thrown);
    }
    await this.ask();
  }

  async ask(): Promise<void> {
    try {
      const { body } = await request('GET /v1/session');
      this.who = body;
      this.failed = null;
      this.phase = 'in';
    } catch (thrown) {
      const failed = asRequestFailed(thrown);
      if (failed.status === 401 || failed.status === 403) this.phase = 'out';
      else {
        this.failed = failed;
        this.phase = 'unreachable';
      }
    }
  }

  /** The server no longer knows the cookie. */
  lost(): void {
    this.who = null;
    this.phase = 'out';
  }

  async end(): Promise<void> {
    try {
      await request('DELETE /v1/session');
    } catch (thrown) {
      this.failed = asRequestFailed(thrown);
    }
    this.lost();
  }
}

export const session = new Session();

/** The token in the address, from `#token=` or `?token=`; it is good once, so it is taken out of the address and its history at once. */
export function takeToken(): string | null {
  const inHash = new URLSearchParams(location.hash.replace(/^#/, ''));
  const inQuery = new URLSearchParams(location.search);
  const token = inHash.get('token') ?? inQuery.get('token');
  if (token === null) return null;
  inHash.delete('token');
  inQuery.delete('token');
  const query = inQuery.size === 0 ? '' : `?${inQuery}`;
  const hash = inHash.size === 0 ? '' : `#${inHash}`;
  history.replaceState(history.state, '', `${location.pathname}${query}${hash}`);
  return token;
}
