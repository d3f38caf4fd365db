import { randomBytes } from 'node:crypto';
import {
  enrollAnswer,
  enrollRequest,
  integrationsView,
  joinTokenAnswer,
  joinTokenRequest,
  loginTokenAnswer,
  type Role,
  revoked,
  sessionRequest,
  sessionView,
} from '@data-in-motion/shared/api/operations';
import { type NodeId, namePattern } from '@data-in-motion/shared/domain/ids';
import { Failure } from '@data-in-motion/shared/failure';
import { type TopicName, topics } from '@data-in-motion/shared/protocol/topics';
import { z } from '@hono/zod-openapi';
import { eq, sql } from 'drizzle-orm';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { decideAgent } from '../../store/agent-states.ts';
import { addBusIdentity, putBusIdentity, revokeBusIdentity } from '../../store/bus-identities.ts';
import { rowsOf, type Tx } from '../../store/database.ts';
import { node } from '../../store/schema.ts';
import { callerOfSession, createToken, endSession, readApiKeys, useToken } from '../../store/tokens.ts';
import { sessionCookie } from '../authenticate.ts';
import type { ApiContext } from '../context.ts';
import { type Api, checkRole, endpoint } from '../endpoint.ts';
import { keyRoutes } from './key-routes.ts';

const loginLifeMs = 10 * 60_000;
const joinLifeMs = 10 * 60_000;
const sessionLifeMs = 12 * 3_600_000;

export function accessControlRoutes(app: Api, context: ApiContext): void {
  const { store, bus, fleet, loop, signingKey, settings } = context;

  endpoint(app, 'joinToken', {
    role: 'admin',
    says: 'A token that lets one agent (or client of the bus) enrol, once, within ten minutes',
    body: joinTokenRequest,
    answer: joinTokenAnswer,
    secret: true,
    status: 201,
    async run({ body, caller }) {
      const { secret, expiresAtMs } = await createToken(
        store.db,
        'join',
        { who: caller.who, role: body.role },
        joinLifeMs,
        await store.nowMs(),
        body.nodeId ?? null,
      );
      return { body: { token: secret, expiresAtMs, command: `node agent/src/main.ts enroll ${settings.publicUrl()} --token ${secret} --config agent.json` } };
    },
  });

  endpoint(app, 'enroll', {
    role: 'anyone',
    says: 'Trade a join token for an identity on the bus',
    body: enrollRequest,
    answer: enrollAnswer,
    secret: true,
    status: 201,
    async run({ body }) {
      if (!namePattern.test(body.nodeId))
        throw new Failure('refused', {
          code: 'node-name.invalid',
          message: `"${body.nodeId}" can not be a node's name.`,
          hint: 'Lower case letters, digits, dot, dash and underscore; at most 63 characters.',
        });
      const password = randomBytes(24).toString('base64url');
      // Whatever is refused leaves the token as it was.
      await store.transaction(async (tx) => admit(tx, { ...body, password }, await store.nowMs(tx)));
      fleet.forget();
      bus.disconnect(body.nodeId);
      return { body: { nodeId: body.nodeId, password, mqttUrl: settings.mqttUrl(), keyId: signingKey.keyId, publicKeyPem: signingKey.publicKeyPem } };
    },
  });

  endpoint(app, 'revokeAgent', {
    role: 'admin',
    says: 'Take the identity of an agent (or client of the bus) away; it is disconnected, and copies on its node no longer count',
    answer: revoked,
    async run({ params, caller }) {
      const nodeId = params['nodeId'] as NodeId;
      await store.transaction(async (tx) => {
        const nowMs = await store.nowMs(tx);
        const hadIdentity = await revokeBusIdentity(tx, nowMs, nodeId);
        const hadNode = await decideAgent(tx, nodeId, 'revoke', `${caller.who} took its identity away`, nowMs);
        if (!hadIdentity && !hadNode)
          throw new Failure('refused', {
            code: 'agent.not-found',
            message: `Nobody speaks on the bus as "${nodeId}".`,
            hint: 'dim nodes lists the agents, GET /v1/integrations the clients.',
          });
      });
      bus.disconnect(nodeId);
      fleet.forget();
      loop.wake();
      return { body: { revoked: nodeId } };
    },
  });

  endpoint(app, 'loginToken', {
    role: 'operator',
    says: 'A fresh address of the console, good once',
    answer: loginTokenAnswer,
    secret: true,
    status: 201,
    async run({ caller }) {
      const { secret, expiresAtMs } = await createToken(store.db, 'login', caller, loginLifeMs, await store.nowMs());
      return { body: { token: secret, url: `${settings.publicUrl()}/#token=${secret}`, expiresAtMs } };
    },
  });

  endpoint(app, 'integrations', {
    role: 'viewer',
    says: 'How to connect: topics with their rates, clients, keys, documents, and what we stand on',
    answer: integrationsView,
    async run({ caller }) {
      return { body: await integrations(context, caller.role) };
    },
  });

  keyRoutes(app, context);
  sessionRoutes(app, context);
}

/** Let one in who shows a join token: a token that names no node only lets in who was not here before. */
async function admit(tx: Tx, { token, nodeId, password }: z.infer<typeof enrollRequest> & { password: string }, nowMs: number): Promise<void> {
  const used = await useToken(tx, 'join', token, nowMs);
  if (used === undefined)
    throw new Failure('refused', {
      code: 'join-token.unauthenticated',
      message: 'This join token is unknown, used, or older than ten minutes.',
      hint: 'Make another: npx dim agents join-token.',
    });
  if (used.boundTo !== null && used.boundTo !== nodeId)
    throw new Failure('refused', {
      code: 'join-token.forbidden',
      message: `This join token is for ${used.boundTo}, not for ${nodeId}.`,
      hint: `Make one for this node: npx dim agents join-token ${nodeId}.`,
    });
  const [known] = await tx
    .select({ nodeId: node.nodeId })
    .from(node)
    .where(eq(node.nodeId, nodeId as NodeId));
  const role = used.role === 'client' ? 'client' : 'agent';
  if (role === 'client' && known !== undefined) throw taken(nodeId, 'agent');
  const given = { identity: nodeId, role, password } as const;
  if (used.boundTo === null) {
    if (known === undefined && (await addBusIdentity(tx, nowMs, given))) return;
    throw new Failure('refused', {
      code: 'join-token.forbidden',
      message: `There is already a "${nodeId}", and this join token names no node.`,
      hint: `Make a token for this node: npx dim agents join-token ${nodeId}.`,
    });
  }
  if (!(await putBusIdentity(tx, nowMs, given))) throw taken(nodeId, role === 'agent' ? 'client' : 'agent');
  await decideAgent(tx, nodeId as NodeId, 'enrol', 'it was enrolled again', nowMs);
}

function taken(nodeId: string, role: 'agent' | 'client'): Failure {
  return new Failure('refused', {
    code: 'identity.taken',
    message: `"${nodeId}" is the name of ${role === 'agent' ? 'an agent' : 'a client'}.`,
    hint: 'Choose another name.',
  });
}

/** The session lives in a cookie, so these three answer by hand. */
function sessionRoutes(app: Api, { store }: ApiContext): void {
  app.get('/v1/session', async (c) => {
    const caller = c.get('caller');
    checkRole(caller, 'viewer');
    const session = await callerOfSession(store.db, getCookie(c, sessionCookie) ?? '', await store.nowMs());
    return c.json({ who: caller.who, role: caller.role, expiresAtMs: session?.expiresAtMs ?? 0 } satisfies z.infer<typeof sessionView>);
  });
  app.post('/v1/session', async (c) => {
    const body = sessionRequest.safeParse(await c.req.json().catch(() => undefined));
    if (!body.success) throw new Failure('refused', { code: 'session.invalid', message: 'Send {"token": "…"}, the token of the address that was printed.' });
    const nowMs = await store.nowMs();
    const used = await useToken(store.db, 'login', body.data.token, nowMs);
    if (used === undefined)
      throw new Failure('refused', {
        code: 'login-token.unauthenticated',
        message: 'This address was used already, or it is older than ten minutes.',
        hint: 'Print a fresh one: npx dim console.',
      });
    const { secret, expiresAtMs } = await createToken(store.db, 'session', used, sessionLifeMs, nowMs);
    setCookie(c, sessionCookie, secret, {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: sessionLifeMs / 1000,
      secure: new URL(c.req.url).protocol === 'https:',
    });
    return c.json({ who: used.who, role: used.role as Role, expiresAtMs } satisfies z.infer<typeof sessionView>);
  });
  app.delete('/v1/session', async (c) => {
    const session = getCookie(c, sessionCookie);
    if (session !== undefined) await endSession(store.db, session, await store.nowMs());
    deleteCookie(c, sessionCookie, { path: '/' });
    return c.json({ ended: true });
  });
}

async function integrations({ store, bus, settings }: ApiContext, role: Role): Promise<z.infer<typeof integrationsView>> {
  const counts = new Map(bus.topicCounts().map((count) => [count.name, count]));
  const database = await rowsOf<{ version: string }>(store.db, sql`select version() as version`).then(
    (rows) => ({ name: 'database', state: 'up' as const, detail: (rows[0]?.version ?? '').split(' on ')[0]! }),
    (error: unknown) => ({ name: 'database', state: 'down' as const, detail: String(error) }),
  );
  return {
    broker: { url: settings.mqttUrl(), kind: bus.kind, connected: bus.connected() },
    topics: Object.entries(topics).map(([name, topic]) => {
      const counted = counts.get(name as TopicName);
      return {
        name,
        pattern: topic.pattern,
        from: topic.from,
        qos: topic.qos,
        retain: topic.retain,
        says: topic.says,
        messages: counted?.messages ?? 0,
        perMinute: counted?.perMinute ?? 0,
        lastAtMs: counted?.lastAtMs ?? null,
      };
    }),
    clients: bus.clients(),
    keys: role === 'admin' ? await readApiKeys(store.db) : [],
    documents: [
      { title: 'HTTP interface, to try out', href: '/docs' },
      { title: 'OpenAPI 3.1', href: '/openapi.json' },
      { title: 'AsyncAPI 3', href: '/asyncapi.json' },
      { title: 'Prometheus metrics', href: '/metrics' },
    ],
    dependencies: [
      { name: 'control plane', state: 'up', detail: settings.version },
      database,
      { name: 'broker', state: bus.connected() ? 'up' : 'down', detail: `${bus.kind}, ${settings.mqttUrl()}` },
    ],
  };
}
