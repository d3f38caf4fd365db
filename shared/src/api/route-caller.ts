import { z } from 'zod';
import { Failure } from '../failure.ts';
import { listOf, problem } from './fleet.ts';
import { type RouteName, routes } from './routes.ts';

export interface Call {
  /** Values for the `{…}` of the route. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly ifMatch?: string;
}

const longestAnswerMs = 60_000;
const longestList = 100_000;

/** The HTTP interface of one control plane, by the table of routes; every answer is parsed with the schema that the caller names. */
export class RouteCaller {
  readonly url: string;
  readonly apiKey: string;

  constructor(url: string, apiKey: string) {
    this.url = url.replace(/\/+$/, '');
    this.apiKey = apiKey;
  }

  /** Throws `unavailable` when nobody answers or the server is not ready, `refused` with the problem's title, detail and fix otherwise, the whole document as its cause. */
  async call<Schema extends z.ZodType>(route: RouteName, schema: Schema, call: Call = {}): Promise<z.infer<Schema>> {
    const [method = 'GET', pattern = ''] = routes[route].split(' ');
    const place = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(call.path?.[name] ?? ''));
    const query = call.query === undefined ? '' : `?${new URLSearchParams(call.query)}`;
    const { status, text } = await this.#fetch(method, `${this.url}${place}${query}`, call);
    if (status < 200 || status > 299) throw refusal(status, text, route);
    const parsed = schema.safeParse(text === '' ? null : parseJson(text));
    if (!parsed.success)
      throw new Failure('defect', {
        code: 'api.unexpected-answer',
        message: `${routes[route]} answered what its contract does not allow: ${z.prettifyError(parsed.error)}`,
      });
    return parsed.data;
  }

  /** Every item of a list route, page after page. */
  async list<Item extends z.ZodType>(
    route: RouteName,
    item: Item,
    query: Readonly<Record<string, string>> = {},
  ): Promise<{ items: z.infer<Item>[]; asOfMs: number }> {
    const items: z.infer<Item>[] = [];
    for (let cursor: string | null = null; ; ) {
      const page: { items: z.infer<Item>[]; next: string | null; asOfMs: number } = await this.call(route, listOf(item), {
        query: { ...query, ...(cursor === null ? {} : { before: cursor }) },
      });
      items.push(...page.items);
      if (page.next === null || items.length >= longestList) return { items, asOfMs: page.asOfMs };
      cursor = page.next;
    }
  }

  /** The headers that say who is calling. */
  identity(): Record<string, string> {
    return this.apiKey === '' ? {} : { 'x-api-key': this.apiKey };
  }

  /** True when GET /readyz says so; false also when nobody answers. */
  async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  }

  async #fetch(method: string, url: string, call: Call): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        signal: AbortSignal.timeout(longestAnswerMs),
        headers: {
          ...this.identity(),
          // Who gives one command and goes waits for what is true now, also where that takes a look at a large fleet.
          'cache-control': 'no-cache',
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(call.ifMatch === undefined ? {} : { 'if-match': call.ifMatch }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      throw new Failure('unavailable', {
        code: 'api.no-answer',
        message: `Nobody answers at ${this.url}.`,
        hint: 'Is the control plane running there? `npm start` runs one here.',
        cause,
      });
    }
  }
}

function refusal(status: number, text: string, route: RouteName): Failure {
  const parsed = problem.safeParse(parseJson(text));
  const kind = status === 502 || status === 503 || status === 504 ? 'unavailable' : 'refused';
  if (!parsed.success) return new Failure(kind, { code: 'api.refused', message: `${routes[route]} answered ${status}: ${text.slice(0, 300)}` });
  // The detail names the wrong fields already.
  const { title, detail, fix, code } = parsed.data;
  return new Failure(kind, { code, message: `${title}: ${detail}`, ...(fix === undefined ? {} : { hint: fix }), cause: parsed.data });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
