import { eventView } from '@data-in-motion/shared/api/decisions';
import { listOf } from '@data-in-motion/shared/api/fleet';
import { sessionRequest, sessionView } from '@data-in-motion/shared/api/operations';
import { createRoute, z } from '@hono/zod-openapi';
import { type Api, identified, json, refused } from './endpoint.ts';
import { eventsQuery } from './event-stream.ts';

const text = z.string();
const readiness = z.object({ status: z.string(), database: z.enum(['up', 'down']), broker: z.enum(['up', 'down']) });

/** What does not fit an endpoint (a stream, a cookie, answers for machines that watch) is served by hand, and told to the OpenAPI document here. */
const servedByHand = [
  createRoute({
    method: 'get',
    path: '/v1/events',
    operationId: 'events',
    tags: ['events'],
    summary: 'What happened: a list, newest first, or a stream',
    description:
      'Needs the role viewer. With `Accept: text/event-stream` a stream: `hello` tells from where, each `event` has its number as id, `ping` comes in quiet times; it goes on after Last-Event-ID (or `after`), or from now on.',
    security: identified,
    request: { query: eventsQuery, headers: z.object({ 'Last-Event-ID': z.string().optional() }) },
    responses: {
      200: { description: 'events', content: { ...json(listOf(eventView)), 'text/event-stream': { schema: text } } },
      ...refused,
    },
  }),
  createRoute({
    method: 'get',
    path: '/v1/session',
    operationId: 'session',
    tags: ['session'],
    summary: 'Who is calling, and until when',
    description: 'Needs the role viewer.',
    security: identified,
    responses: { 200: { description: 'the caller', content: json(sessionView) }, ...refused },
  }),
  createRoute({
    method: 'post',
    path: '/v1/session',
    operationId: 'startSession',
    tags: ['session'],
    summary: 'Trade the token of a login address for a session of the console, once; the session is the cookie dim_session',
    description: 'Needs no identity.',
    security: [],
    request: { body: { required: true, content: json(sessionRequest) } },
    responses: { 200: { description: 'the session', content: json(sessionView) }, ...refused },
  }),
  createRoute({
    method: 'delete',
    path: '/v1/session',
    operationId: 'endSession',
    tags: ['session'],
    summary: 'Sign out',
    description: 'Needs no identity.',
    security: [],
    responses: { 200: { description: 'there is no session any more', content: json(z.object({ ended: z.literal(true) })) }, ...refused },
  }),
  createRoute({
    method: 'get',
    path: '/healthz',
    operationId: 'health',
    tags: ['watching'],
    summary: 'The process lives',
    security: [],
    responses: { 200: { description: 'up', content: json(z.object({ status: z.literal('up'), version: z.string(), uptimeMs: z.number() })) } },
  }),
  createRoute({
    method: 'get',
    path: '/readyz',
    operationId: 'readiness',
    tags: ['watching'],
    summary: 'It can work: database and broker answer',
    security: [],
    responses: { 200: { description: 'ready', content: json(readiness) }, 503: { description: 'not ready, and what is down', content: json(readiness) } },
  }),
  createRoute({
    method: 'get',
    path: '/metrics',
    operationId: 'metrics',
    tags: ['watching'],
    summary: 'Figures in the text format of Prometheus',
    security: [],
    responses: { 200: { description: 'figures', content: { 'text/plain': { schema: text } } } },
  }),
];

export function documentServedByHand(app: Api): void {
  for (const route of servedByHand) app.openAPIRegistry.registerPath(route);
}
