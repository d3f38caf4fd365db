import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { PlanView } from '@data-in-motion/shared/api/decisions';
import { fixtureDrift } from './fixture/drift.ts';
import { fixtureHistory } from './fixture/history.ts';
import { fixtureComparison, fixtureOutcomes, fixtureScores } from './fixture/model-outcomes.ts';
import { fixtureStoppedPlan, raisedPrice, summaryOf } from './fixture/plan.ts';
import { fixtureFleet } from './fixture-fleet.ts';

const build = path.resolve(import.meta.dirname, '../build');
const kinds: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

export interface FixtureServer {
  readonly url: string;
  /** Changes that the console asked for, in order: `POST /v1/chaos/stop`. */
  readonly changes: { readonly route: string; readonly body: string; readonly ifMatch: string | undefined }[];
  /** Ends all event streams and refuses new ones until it is called with true. */
  setStream(up: boolean): void;
  emit(text: string): void;
  close(): Promise<void>;
}

/** The built console with an invented fleet behind it; the token `first-look-token` is good once, as a real one. */
export async function startFixtureServer(options: { port?: number; manyDevices?: number } = {}): Promise<FixtureServer> {
  const fleet = fixtureFleet(Date.now(), options.manyDevices ?? 0);
  const preview: PlanView = {
    ...fleet.plan,
    planId: '01JQP2',
    state: 'preview',
    dryRun: true,
    roomHeldUntilMs: Date.now() + 540_000,
    differences: [raisedPrice],
  };
  const plans: Record<string, PlanView> = { '01JQP1': fleet.plan, '01JQP2': preview, '01JQP0': fixtureStoppedPlan(Date.now()) };
  const streams = new Set<ServerResponse>();
  const changes: FixtureServer['changes'] = [];
  let streamUp = true;
  let tokenGood = true;
  let seq = 1000;
  const list = (items: readonly unknown[]): unknown => ({ items, next: null, asOfMs: Date.now() });
  const problem = (status: number, detail: string): [number, unknown] => [
    status,
    { type: 'about:blank', title: status === 401 ? 'Who are you?' : 'Not there', status, detail, code: 'fixture' },
  ];

  function answer(method: string, url: URL, body: string): [number, unknown, string?] {
    const [, , noun = '', id = '', verb = ''] = url.pathname.split('/').map(decodeURIComponent);
    if (method !== 'GET') {
      // Nine copies are more than there are sites: the real one refuses it too, unless it is forced.
      if (method === 'PATCH' && verb === 'policy' && (JSON.parse(body) as { set: { copies?: number } }).set.copies === 9) {
        const warning = { when: 'never', rules: ['spread'], text: 'no place of this fleet can meet this policy: spread', cheapestWayOut: 'add a site' };
        if (url.searchParams.get('force') === 'true') return [200, { datasetId: id, rev: 42, warning }];
        const refusal = { detail: 'No place of this fleet can meet this policy: spread.', code: 'policy.infeasible', fix: 'Cheapest way out: add a site.' };
        return [422, { type: 'about:blank', title: 'Something in the request is not right', status: 422, ...refusal }];
      }
      // What helps one dataset is made and holds; the preview of the fleet is one that the world has overtaken.
      if (noun === 'plans' && id === '')
        return [201, body.includes('datasetIds') ? { ...fleet.plan, planId: '01JQP3', state: 'preview', dryRun: true } : plans['01JQP2']];
      if (noun === 'plans' && id === '01JQP2')
        return [
          409,
          { ...(problem(409, 'Plan 01JQP2 does not hold any more.')[1] as object), code: 'plan.stale', differences: [raisedPrice], newPlanId: '01JQP1' },
        ];
      if (noun === 'keys' && id === '') return [201, { keyId: 'k-02', ...(JSON.parse(body) as object), secret: 'dim_shown-once' }];
      return [202, { taken: body.length }];
    }
    switch (noun) {
      case 'status':
        return [200, fleet.status];
      case 'nodes':
        return id === ''
          ? [200, list(fleet.nodes)]
          : [
              200,
              {
                node: fleet.nodes.find((one) => one.nodeId === id),
                targets: fleet.targets.filter((one) => one.nodeId === id),
                devices: fleet.devices.filter((one) => one.nodeId === id),
              },
            ];
      case 'devices':
        return id === ''
          ? [200, list(fleet.devices)]
          : [200, fixtureHistory(Date.now(), fleet.devices.find((one) => one.deviceId === id) ?? fleet.devices[0]!)];
      case 'targets':
        return [200, list(fleet.targets)];
      case 'datasets':
        if (id === '') return [200, list(fleet.datasets)];
        if (verb === 'location')
          return [
            200,
            {
              datasetId: id,
              versionId: 'v1',
              replicaId: 'r1',
              targetId: 'berlin-a-nvme',
              nodeId: 'berlin-a',
              path: `/srv/dim/berlin-a-nvme/${id}/current`,
              root: 'ab',
              verifiedAtMs: Date.now(),
              copies: [],
            },
          ];
        if (verb === 'explanation') return [200, { ...fleet.explanation, datasetId: id }];
        if (!fleet.datasets.some((one) => one.datasetId === id)) return problem(404, `There is no dataset ${id}.`);
        return [200, { ...fleet.detail, dataset: fleet.datasets.find((one) => one.datasetId === id) }, '"41"'];
      case 'policies':
        return [200, fleet.policy, '"1"'];
      case 'plans':
        return id === '' ? [200, list([fleet.plan, plans['01JQP0']!].map(summaryOf))] : [200, plans[id] ?? fleet.plan];
      case 'costs':
        return [200, id === 'past' ? fleet.past : fleet.costs];
      case 'duplicates':
        return [200, fleet.duplicates];
      case 'findings':
        return [200, fleet.findings];
      case 'prices':
        return [200, fleet.prices, '"3"'];
      case 'jobs':
        if (id !== '')
          return [
            200,
            { ...fleet.jobs.find((one) => one.jobId === id), transitions: [{ atMs: Date.now() - 60_000, from: 'planned', event: 'lease', to: 'leased' }] },
          ];
        return [200, list(fleet.jobs.filter((one) => url.searchParams.get('active') !== String(['done', 'cancelled'].includes(one.state))))];
      case 'events':
        return [200, list(url.searchParams.has('before') ? [] : fleet.events)];
      case 'alerts':
        return [200, list(fleet.alerts)];
      case 'audit':
        return [200, list(fleet.audit)];
      case 'consistency':
        return [200, fleet.consistency];
      case 'chaos':
        return [200, fleet.chaos];
      case 'certificates':
        return id === '' ? [200, list(fleet.certificates)] : [200, fleet.documents[id]];
      case 'models':
        if (id === '') return [200, list(fleet.models)];
        if (id === 'outcomes') return [200, list(fixtureOutcomes())];
        if (id === 'drift') return [200, fixtureDrift(Date.now())];
        if (verb === 'comparison') return [200, fixtureComparison(Date.now(), id)];
        if (verb === 'scores') return [200, fixtureScores(Date.now(), id)];
        return fleet.modelDetails[id] === undefined ? problem(404, `There is no model "${id}".`) : [200, fleet.modelDetails[id], '"3"'];
      case 'integrations':
        return [200, fleet.integrations];
      default:
        return problem(404, `There is nothing at ${url.pathname}.`);
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fixture');
    const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers });
      response.end(JSON.stringify(body));
    };
    if (!url.pathname.startsWith('/v1/')) return serveFile(url.pathname, response);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const method = request.method ?? 'GET';
    if (url.pathname === '/v1/session' && method === 'POST') {
      const given = (JSON.parse(body) as { token: string }).token;
      if (given !== 'first-look-token' || !tokenGood) return send(...problem(401, 'This token was used, or its time is over.'));
      tokenGood = false;
      return send(200, {}, { 'set-cookie': 'fixture_session=1; HttpOnly; SameSite=Strict; Path=/' });
    }
    if (!(request.headers.cookie ?? '').includes('fixture_session=1')) return send(...problem(401, 'This needs an API key or a console session.'));
    if (url.pathname === '/v1/session') return send(200, { who: 'admin', role: 'admin', expiresAtMs: Date.now() + 3_600_000 });
    if (url.pathname === '/v1/events' && (request.headers.accept ?? '').includes('text/event-stream')) {
      if (!streamUp) return send(503, {});
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
      response.write('event: hello\nid: 1\ndata: {}\n\n');
      streams.add(response);
      response.on('close', () => streams.delete(response));
      return;
    }
    if (method !== 'GET') changes.push({ route: `${method} ${url.pathname}${url.search}`, body, ifMatch: request.headers['if-match'] });
    const [status, answered, etag] = answer(method, url, body);
    send(status, answered, etag === undefined ? {} : { etag });
  }

  const server = createServer((request, response) => {
    void serve(request, response).catch((thrown: unknown) => response.writeHead(500).end(String(thrown)));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    changes,
    setStream(up) {
      streamUp = up;
      if (!up) for (const stream of streams) stream.end();
    },
    emit(text) {
      seq += 1;
      const event = { seq, atMs: Date.now(), type: 'job.transition', severity: 'info', text, ids: { datasetId: 'survey-2026' }, by: 'loop' };
      for (const stream of streams) stream.write(`event: event\nid: ${seq}\ndata: ${JSON.stringify(event)}\n\n`);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serveFile(pathname: string, response: ServerResponse): Promise<void> {
  const file = path.join(build, path.normalize(pathname));
  const found = path.extname(file) !== '' && existsSync(file) ? file : path.join(build, 'index.html');
  response.writeHead(200, {
    'content-type': kinds[path.extname(found)] ?? 'application/octet-stream',
    'content-security-policy': "default-src 'self'; object-src 'none'; base-uri 'none'",
  });
  response.end(await readFile(found));
}

if (process.argv[1] === import.meta.filename) {
  const { url } = await startFixtureServer({ port: 4173 });
  process.stdout.write(`${url}/#token=first-look-token\n`);
}
