import { problem } from '@data-in-motion/shared/api/fleet';
import type { Role } from '@data-in-motion/shared/api/operations';
import { type RouteName, routes } from '@data-in-motion/shared/api/routes';
import { Failure } from '@data-in-motion/shared/failure';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Caller } from '../store/tokens.ts';
import { InvalidRequest } from './problem.ts';

export interface ApiVariables {
  Variables: {
    caller: Caller;
    /** For the audit: what the request is about, and its body as it was understood. */
    subject: string;
    asked: unknown;
    /** The answer holds a secret, which is not to be kept. */
    secret: boolean;
  };
}
export type Api = OpenAPIHono<ApiVariables>;

export interface Call<Body, Query> {
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  readonly caller: Caller;
  /** The revision in `If-Match`, null when there is none (or `*`). */
  readonly ifMatchRev: number | null;
  /** `Cache-Control: no-cache`: the caller waits for an answer from after all that has happened, also where that takes a look at a large fleet. */
  readonly newest: boolean;
}

export interface Reply<Answer> {
  /** As it is, or the same written out before. */
  readonly body: Answer | Uint8Array<ArrayBuffer>;
  /** Sets the ETag. */
  readonly rev?: number;
}

export interface Endpoint<Body, Query, Answer> {
  /** The least role that may call; `anyone` needs no identity. */
  readonly role: Role | 'anyone';
  readonly says: string;
  readonly body?: z.ZodType<Body>;
  readonly query?: z.ZodType<Query>;
  readonly answer: z.ZodType<Answer>;
  readonly status?: 200 | 201 | 202;
  /** The answer holds a secret: it is not kept for a repetition. */
  readonly secret?: true;
  run(call: Call<Body, Query>): Promise<Reply<Answer>>;
}

const rank: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };
const rolesOfRoutes = new Map<string, Role | 'anyone'>();

/** The least role of a route, for documents and tests. */
export function roleOf(route: RouteName): Role | 'anyone' | undefined {
  return rolesOfRoutes.get(route);
}

/** For the OpenAPI document. */
export const json = (schema: z.ZodType) => ({ 'application/json': { schema } });
export const refused = { default: { description: 'a problem document', content: { 'application/problem+json': { schema: problem } } } };
export const identified: Record<string, string[]>[] = [{ apiKey: [] }, { session: [] }];

/** A path of the table as the router writes it: `/v1/nodes/:nodeId`. */
export function routePattern(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** Serve one row of the route table: parse at the door, check the role, answer with an ETag where there is a revision. */
export function endpoint<Answer, Body = undefined, Query = undefined>(app: Api, name: RouteName, definition: Endpoint<Body, Query, Answer>): void {
  const [method, path] = routes[name].split(' ') as [string, string];
  rolesOfRoutes.set(name, definition.role);
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  const status = definition.status ?? 200;
  app.openAPIRegistry.registerPath(
    createRoute({
      method: method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete',
      path,
      operationId: name,
      tags: [path.split('/')[2] ?? 'v1'],
      summary: definition.says,
      description: definition.role === 'anyone' ? 'Needs no identity.' : `Needs the role ${definition.role}.`,
      security: definition.role === 'anyone' ? [] : identified,
      request: {
        ...(names.length === 0 ? {} : { params: z.object(Object.fromEntries(names.map((one) => [one, z.string()]))) }),
        ...(definition.query === undefined ? {} : { query: definition.query as unknown as z.ZodObject }),
        ...(definition.body === undefined ? {} : { body: { required: true, content: json(definition.body) } }),
      },
      responses: {
        [status]: { description: definition.says, content: json(definition.answer) },
        ...refused,
      },
    }),
  );
  app.on(method, routePattern(path), async (c) => {
    const caller = c.get('caller');
    if (definition.role !== 'anyone') checkRole(caller, definition.role);
    const params = c.req.param() as Record<string, string>;
    refuseUnstorable('path', params);
    c.set('subject', Object.values(params).join('/'));
    c.set('secret', definition.secret === true);
    const body = definition.body === undefined ? (undefined as Body) : parse('body', definition.body, await readJson(c));
    c.set('asked', body);
    const query = definition.query === undefined ? (undefined as Query) : parse('query', definition.query, c.req.query());
    const reply = await definition.run({
      params,
      body,
      query,
      caller,
      ifMatchRev: ifMatch(c),
      newest: c.req.header('Cache-Control')?.includes('no-cache') === true,
    });
    if (reply.rev !== undefined) c.header('ETag', `"${reply.rev}"`);
    if (reply.body instanceof Uint8Array) return c.body(reply.body, status, { 'Content-Type': 'application/json' });
    if (names.length === 0) c.set('subject', madeId(reply.body));
    return c.json(reply.body as object, status);
  });
}

/** The name of what an answer is about: `datasetId`, `jobId` …, the `version` of a model. */
function madeId(answer: unknown): string {
  const found = Object.entries(answer ?? {}).find(([name, value]) => (name.endsWith('Id') || name === 'version') && typeof value === 'string');
  return found === undefined ? '' : String(found[1]);
}

/** @throws refused `caller.unauthenticated` or `caller.forbidden` */
export function checkRole(caller: Caller | undefined, least: Role): void {
  if (caller === undefined) {
    throw new Failure('refused', {
      code: 'caller.unauthenticated',
      message: 'This needs an API key or a console session.',
      hint: 'Send the header X-Api-Key, or open the address that `npx dim console` prints.',
    });
  }
  if (rank[caller.role] < rank[least]) {
    throw new Failure('refused', {
      code: 'caller.forbidden',
      message: `This needs the role ${least}; ${caller.who} is ${caller.role}.`,
      hint: `Use a key with the role ${least}.`,
    });
  }
}

async function readJson(c: Context): Promise<unknown> {
  const text = await c.req.text();
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    throw new Failure('refused', {
      code: 'request.not-json',
      message: 'The body is not JSON.',
      hint: 'Send Content-Type: application/json and a JSON object.',
    });
  }
}

/** Parse what came with a request. @throws InvalidRequest that names every wrong field */
export function parse<T>(where: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new InvalidRequest(where, parsed.error);
  refuseUnstorable(where, parsed.data);
  return parsed.data;
}

/** No database column takes U+0000 or half a surrogate pair, in whatever field it is. */
function refuseUnstorable(where: string, value: unknown): void {
  if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) {
    const message = `${where}: text can not hold the character U+0000 or half of a surrogate pair.`;
    throw new Failure('refused', { code: 'request.invalid', message, hint: 'Leave it out.' });
  }
  if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      refuseUnstorable(where, name);
      refuseUnstorable(`${where}.${name}`, inner);
    }
  }
}

function ifMatch(c: Context): number | null {
  const header = c.req.header('If-Match');
  if (header === undefined || header === '*') return null;
  const rev = /^(?:W\/)?"(\d+)"$/.exec(header)?.[1];
  if (rev === undefined)
    throw new Failure('refused', {
      code: 'if-match.invalid',
      message: `If-Match is ${header}, not an ETag of ours.`,
      hint: 'Send the ETag of the last answer as it was.',
    });
  return Number(rev);
}
