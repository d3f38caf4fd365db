import type { AnswerOf, Route } from './answers.ts';
import { failedBy, RequestFailed, unreachable } from './request-failed.ts';

export interface Asked {
  /** Values for the `{names}` in the path. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  /** ETag of what is changed; a change in between is refused instead of overwritten. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

export interface Answered<Body> {
  readonly body: Body;
  readonly etag: string | null;
}

/** Far beyond any answer of a live server; without it a lost connection would leave a page loading for ever. */
const giveUpAfterMs = 30_000;

/**
 * Ask the control plane.
 *
 * @throws RequestFailed with the problem in words; status 0 when there was no answer
 */
export async function request<Asking extends Route>(route: Asking, asked: Asked = {}): Promise<Answered<AnswerOf<Asking>>> {
  const [method = 'GET', pattern = ''] = route.split(' ');
  // From after every event that was heard: of a large fleet an answer may otherwise be a moment old.
  const headers = new Headers({ accept: 'application/json', 'cache-control': 'no-cache' });
  if (asked.body !== undefined) headers.set('content-type', 'application/json');
  if (asked.ifMatch !== undefined) headers.set('if-match', asked.ifMatch);
  const limit = AbortSignal.timeout(giveUpAfterMs);
  const signal = asked.signal === undefined ? limit : AbortSignal.any([asked.signal, limit]);
  let response: Response;
  try {
    response = await fetch(address(pattern, asked), {
      method,
      headers,
      signal,
      credentials: 'same-origin',
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
    });
  } catch (thrown) {
    if (asked.signal?.aborted === true) throw thrown;
    throw unreachable(limit.aborted ? `No answer within ${giveUpAfterMs / 1000} s.` : 'The connection failed.');
  }
  const body = await parsed(response);
  if (!response.ok) throw failedBy(response.status, body);
  if (method === 'GET' && (typeof body !== 'object' || body === null)) {
    throw new RequestFailed({
      status: response.status,
      code: 'answer.shape',
      title: 'The answer was not understood',
      detail: `${pattern} did not answer with a document.`,
      fix: 'Console and control plane may be of different versions: reload the page.',
      fields: [],
    });
  }
  return { body: body as AnswerOf<Asking>, etag: response.headers.get('etag') };
}

/** The whole of a list that comes in pages. `atMost` bounds what one page of the console holds. */
export async function requestAll<Asking extends Route>(
  route: AnswerOf<Asking> extends { items: readonly unknown[] } ? Asking : never,
  asked: Asked & { readonly atMost: number },
): Promise<{ items: ItemOf<Asking>[]; asOfMs: number; more: boolean }> {
  const items: ItemOf<Asking>[] = [];
  let before: string | undefined;
  for (;;) {
    const { body } = await request(route, { ...asked, query: { ...asked.query, before } });
    const page = body as { items?: ItemOf<Asking>[]; next?: string | null; asOfMs?: number };
    for (const item of page.items ?? []) items.push(item);
    const next = page.next ?? null;
    if (next === null || next === before || items.length >= asked.atMost) return { items, asOfMs: page.asOfMs ?? 0, more: next !== null };
    before = next;
  }
}

type ItemOf<Asking extends Route> = AnswerOf<Asking> extends { items: readonly (infer Item)[] } ? Item : never;

function address(pattern: string, asked: Asked): string {
  const path = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(asked.path?.[name] ?? ''));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked.query ?? {})) if (value !== undefined && value !== '') query.set(name, String(value));
  return query.size === 0 ? path : `${path}?${query}`;
}

/** An empty or broken body is undefined: the status says enough. */
async function parsed(response: Response): Promise<unknown> {
  try {
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
