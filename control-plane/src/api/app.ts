import type { Problem } from '@data-in-motion/shared/api/fleet';
import { nobody } from '@data-in-motion/shared/api/operations';
import { routes } from '@data-in-motion/shared/api/routes';
import { Failure } from '@data-in-motion/shared/failure';
import { asyncApiDocument } from '@data-in-motion/shared/protocol/async-api';
import { OpenAPIHono } from '@hono/zod-openapi';
import { sql } from 'drizzle-orm';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { matchedRoutes } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import { recordAudit } from '../audit/audit.ts';
import { auditDetail } from '../audit/audit-detail.ts';
import { rowsOf } from '../store/database.ts';
import { storableText } from '../store/storable-text.ts';
import { authenticate } from './authenticate.ts';
import type { ApiContext } from './context.ts';
import { type Api, type ApiVariables, routePattern } from './endpoint.ts';
import { serveEvents } from './event-stream.ts';
import { answerOnce } from './idempotency.ts';
import { problemOf } from './problem.ts';
import { accessControlRoutes } from './routes/access-control-routes.ts';
import { costRoutes } from './routes/cost-routes.ts';
import { datasetRoutes } from './routes/dataset-routes.ts';
import { decisionRoutes } from './routes/decision-routes.ts';
import { findingRoutes } from './routes/finding-routes.ts';
import { fleetRoutes } from './routes/fleet-routes.ts';
import { modelDriftRoutes } from './routes/model-drift-routes.ts';
import { modelOutcomeRoutes } from './routes/model-outcome-routes.ts';
import { modelRoutes } from './routes/model-routes.ts';
import { operationRoutes } from './routes/operation-routes.ts';
import { serveConsole } from './serve-console.ts';
import { documentServedByHand } from './served-by-hand.ts';

const largestBodyBytes = 4 * 1024 * 1024;

/** The HTTP interface: parse, check, ask, answer. Everything thrown becomes a problem document; every change an audit row. */
export function createApp(context: ApiContext, log: Logger): Api {
  const app: Api = new OpenAPIHono<ApiVariables>();
  const { store, metrics } = context;

  app.onError((thrown, c) => {
    const problem = problemOf(thrown);
    if (problem.status === 500) log.error({ err: thrown, path: c.req.path }, 'a request failed by our own mistake');
    metrics.refused.inc({ code: problem.code });
    return problemAnswer(problem);
  });
  app.notFound((c) =>
    problemAnswer(
      problemOf(
        new Failure('refused', {
          code: 'path.not-found',
          message: `There is nothing at ${c.req.method} ${c.req.path}.`,
          hint: 'GET /docs lists what there is.',
        }),
      ),
    ),
  );

  app.use('*', measured(context));
  app.use(
    '*',
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        objectSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'self'"],
        formAction: ["'self'"],
      },
      xFrameOptions: 'DENY',
      strictTransportSecurity: false,
    }),
  );
  app.use('/v1/*', audited(context));
  app.use(
    '/v1/*',
    bodyLimit({
      maxSize: largestBodyBytes,
      onError: () => {
        throw new Failure('refused', {
          code: 'request.too-large',
          message: `The body is larger than ${largestBodyBytes / 1024 / 1024} MiB.`,
          hint: 'Send it in several requests.',
        });
      },
    }),
  );
  app.use('/v1/*', authenticate(store));
  app.use('/v1/*', answerOnce(store));

  health(app, context);
  fleetRoutes(app, context);
  datasetRoutes(app, context);
  decisionRoutes(app, context);
  costRoutes(app, context);
  findingRoutes(app, context);
  modelOutcomeRoutes(app, context);
  modelDriftRoutes(app, context);
  modelRoutes(app, context);
  operationRoutes(app, context);
  accessControlRoutes(app, context);
  serveEvents(app, store);
  documents(app, context);
  serveConsole(app, context.settings.consoleDirectory);
  return app;
}

function health(app: Api, { store, bus, metrics, settings, clock }: ApiContext): void {
  app.get('/healthz', (c) => c.json({ status: 'up', version: settings.version, uptimeMs: clock.nowMs() - settings.startedAtMs }));
  app.get('/readyz', async (c) => {
    const database = await rowsOf(store.db, sql`select 1 as one`).then(
      () => 'up',
      () => 'down',
    );
    const broker = bus.connected() ? 'up' : 'down';
    const ready = database === 'up' && broker === 'up';
    return c.json({ status: ready ? 'ready' : 'not ready', database, broker }, ready ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    const { text, contentType } = await metrics.render();
    return c.text(text, 200, { 'Content-Type': contentType });
  });
}

function documents(app: Api, { settings }: ApiContext): void {
  documentServedByHand(app);
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', { type: 'apiKey', in: 'header', name: 'X-Api-Key' });
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', { type: 'apiKey', in: 'cookie', name: 'dim_session' });
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Data in Motion',
      version: settings.version,
      description:
        'Problems are answered as RFC 9457 documents. Changes need an API key or a console session. A change that was answered shows in every later answer of the same control plane; ' +
        'of a fleet of 10,000 datasets or more what agents report, and a plan that is made of it, shows some seconds later at most (`asOfMs`), or at once with `Cache-Control: no-cache`, which waits for it.',
    },
  });
  app.get('/asyncapi.json', (c) => c.json(asyncApiDocument(settings.version)));
}

/** Longest path in an audit row; those of the route table are far shorter. */
const longestAction = 300;

/** One audit row for every change that somebody asked for, refused ones too, whoever it was and however large. What has no route is no change. */
function audited({ store }: ApiContext): MiddlewareHandler<ApiVariables> {
  return async (c, next) => {
    await next();
    if (c.req.method === 'GET' || c.req.method === 'HEAD' || routeOf(c) === noRoute) return;
    const caller = c.get('caller') ?? { who: nobody, role: 'viewer' as const };
    await recordAudit(store.db, await store.nowMs(), {
      caller,
      action: storableText(`${c.req.method} ${c.req.path}`, longestAction),
      subject: c.get('subject') ?? '',
      detail: auditDetail(c.get('asked')),
      outcome: String(c.res.status),
    });
  };
}

function problemAnswer(problem: Problem): Response {
  return new Response(JSON.stringify(problem), { status: problem.status, headers: { 'Content-Type': 'application/problem+json' } });
}

function measured({ metrics, clock }: ApiContext): MiddlewareHandler<ApiVariables> {
  return async (c, next) => {
    const startedMs = clock.monotonicMs();
    await next();
    metrics.requests.observe({ route: routeOf(c), method: c.req.method, status: String(c.res.status) }, (clock.monotonicMs() - startedMs) / 1000);
  };
}

const noRoute = 'unknown';
const tableRoutes = new Set(Object.values(routes).map((route) => routePattern(route.split(' ')[1]!)));

/** The row of the route table, never the path itself: anybody can ask for any number of paths, and each would become a series. */
function routeOf(c: Context<ApiVariables>): string {
  const matched = matchedRoutes(c).findLast(({ path }) => tableRoutes.has(path));
  if (matched !== undefined) return matched.path;
  return c.req.path.startsWith('/v1/') ? noRoute : 'console';
}
