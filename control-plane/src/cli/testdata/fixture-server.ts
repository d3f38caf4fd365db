import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { DatasetDetail } from '@data-in-motion/shared/api/datasets';
import type { EventView, JobView, MoveView, PlanView } from '@data-in-motion/shared/api/decisions';
import type { NodeView } from '@data-in-motion/shared/api/fleet';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}
type Handler = (request: Request, response: ServerResponse) => unknown;

/** Answers the routes that a test names; everything else, and a wrong key, is a problem document as the real server sends it. */
export class FixtureServer {
  readonly asked: Request[] = [];
  readonly #routes: Record<string, Handler>;
  readonly #server: Server;
  url = '';

  constructor(routes: Record<string, Handler>) {
    this.#routes = routes;
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
    return this;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://x');
    let text = '';
    incoming.on('data', (chunk) => (text += chunk));
    incoming.on('end', () => {
      const request: Request = { method: incoming.method ?? '', path: pathname, query: searchParams, headers: incoming.headers, body: text === '' ? undefined : JSON.parse(text) };
      this.asked.push(request);
      if (incoming.headers['x-api-key'] !== 'dim_test') return problem(response, 401, 'Who are you?', 'This needs an API key.', 'caller.unauthenticated', 'Send X-Api-Key.');
      const handler = this.#routes[`${request.method} ${request.path}`];
      if (handler === undefined) return problem(response, 404, 'Not there', `There is nothing at ${request.path}.`, 'path.not-found', 'See /openapi.json.');
      const answer = handler(request, response);
      if (answer !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }
}

export function problem(response: ServerResponse, status: number, title: string, detail: string, code: string, fix: string): undefined {
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ type: 'about:blank', title, status, detail, code, fix, errors: [{ field: 'policy.copies', message: 'at most 10' }] }));
  return undefined;
}

export const aNode: NodeView = {
  nodeId: 'berlin', siteId: 'berlin', host: 'host-1', agentState: 'online', agentVersion: '0.1.0', modelVersion: '0123456789ab', incarnation: 3, lastHeardAtMs: 1_000_000, transferUrl: null,
  importRoots: ['/'], targets: 3, devices: 3, worstRisk: 'healthy', runningJobs: 0,
};

export const aJob: JobView = {
  jobId: '01JD0000000000000000000000', key: 'k', datasetId: 'photos', purpose: 'import', state: 'copying', need: null, reason: 'first import', fromTargetId: null, toTargetId: 'berlin-disk',
  agentNodeId: 'berlin', epoch: 1, attempt: 1, notBeforeMs: null, waitingBecause: null, error: null,
  progress: { step: 'copy', objectsDone: 5, objectsTotal: 10, bytesDone: 50e6, bytesTotal: 100e6, bytesPerSec: 25e6, remainingMs: 2_000, atMs: 1_000_000 },
  sizeBytes: 100e6, movedBytes: 50e6, createdAtMs: 990_000, startedAtMs: 991_000, endedAtMs: null,
};

const aMove: MoveView = {
  moveId: 'm1', order: 1, datasetId: 'photos', need: 'cheaper-place', action: 'move', fromTargetId: 'berlin-nvme', toTargetId: 'berlin-disk', sizeBytes: 100e6, reason: 'not read for 41 days', confidence: 0.9,
  costBefore: null, costAfter: null, changePerMonth: -8, migrationOnce: 0.83, paybackDays: 3.1, expectedMs: 4_000, verdict: 'advised', heldBecause: 'the policy of photos is advisory', jobId: null,
};
export const aPlan: PlanView = {
  planId: '01PLAN', madeAtMs: 990_000, dryRun: false, state: 'current', solver: 'exact (HiGHS)', solvedInMs: 12, objectivePerMonth: 42, lowerBoundPerMonth: 41.9, costBeforePerMonth: 48, costAfterPerMonth: 40,
  migrationOnce: 0.83, moves: [aMove, { ...aMove, moveId: 'm2', order: 2, datasetId: 'scans', need: 'drop-copy', action: 'retire', toTargetId: null, paybackDays: null }], infeasible: [],
  parts: { storage: 40, waiting: 2 }, gap: 0.0024, full: [{ targetId: 'berlin-disk', dollarsPerTbMonth: 3.2 }], differences: [],
};

export const aDataset: DatasetDetail = {
  dataset: {
    datasetId: 'photos', name: 'photos', owner: 'anna', rev: 7, createdAtMs: 990_000, sizeBytes: 100e6, objects: 10, versionId: '01JD0000000000000000000001', root: 'ab'.repeat(32),
    copiesWanted: 2, copiesVerified: 2, tier: 'warm', heat: null, costPerMonth: 0.0023, policyState: 'met', primary: { replicaId: '01JD0000000000000000000002', targetId: 'berlin-disk', nodeId: 'berlin', pointerRev: 1 },
  },
  policy: { copies: 2, spread: 'site', latencySloMs: null, maxCostPerGbMonth: null, regions: [], encryptionRequired: false, pinnedTargets: [], forbiddenTargets: [], mode: 'automated', probabilityCutoff: 0.6, forecastMargin: 0.05 },
  ownPolicy: { copies: 2 },
  findings: [],
  replicas: [
    { replicaId: '01JD0000000000000000000002', versionId: '01JD0000000000000000000001', targetId: 'berlin-disk', nodeId: 'berlin', siteId: 'berlin', region: 'eu-central', tier: 'warm', state: 'verified', primary: true, current: true, verifiedAtMs: 995_000, verifiedLevel: 'L2', path: '/d/photos/current', costPerMonth: 0.0011, why: 'the cheapest place that its policy allows', alternatives: [{ targetId: 'berlin-nvme', allowed: true, violates: [], cost: { storagePerMonth: 1, requestsPerMonth: 0, egressPerMonth: 0, migrationOnce: 0 }, totalPerMonth: 0.0045, differencePerMonth: 0.0034, latencyP95Ms: 0.4 }] },
  ],
  versions: [],
  accessByHour: [],
  history: [{ atMs: 991_000, text: 'anna registered it' }],
};

export function anEvent(seq: number, text: string): EventView {
  return { seq, atMs: Date.now(), type: 'job.transition', severity: 'info', text, ids: {}, by: 'loop' };
}
