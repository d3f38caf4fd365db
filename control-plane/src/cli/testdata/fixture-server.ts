import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { DatasetDetail } from '@data-in-motion/shared/api/datasets';
import type { EventView, JobView, MoveView, PlanView } from '@data-in-motion/shared/api/decisions';
import type { DatasetExplanation } from '@data-in-motion/shared/api/explanation';
import type { NodeView } from '@data-in-motion/shared/api/fleet';

const noParts = { retrievalPerMonth: 0, riskPerMonth: 0, copyingPerMonth: 0, restPerMonth: 0 };

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
  parts: { ...noParts, storagePerMonth: 40, requestsPerMonth: 0, egressPerMonth: 0, waitingPerMonth: 2, wayTherePerMonth: 0 }, gap: 0.0024, full: [{ targetId: 'berlin-disk', dollarsPerTbMonth: 3.2 }], differences: [],
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
    { replicaId: '01JD0000000000000000000002', versionId: '01JD0000000000000000000001', targetId: 'berlin-disk', nodeId: 'berlin', siteId: 'berlin', region: 'eu-central', tier: 'warm', state: 'verified', primary: true, current: true, verifiedAtMs: 995_000, verifiedLevel: 'L2', path: '/d/photos/current', costPerMonth: 0.0011, why: 'the cheapest place that its policy allows' },
  ],
  versions: [],
  accessByHour: [],
  history: [{ atMs: 991_000, text: 'anna registered it' }],
};

const noCost = { storagePerMonth: 0, requestsPerMonth: 0, retrievalPerMonth: 0, egressPerMonth: 0, migrationOnce: 0 };
export const anExplanation: DatasetExplanation = {
  datasetId: 'photos', asOfMs: 1_000_000, sizeBytes: 100e6, readsPerMonth: 3_000, readBytesPerMonth: 3e9,
  use: { past: { readsPerMonth: 3_300, readBytesPerMonth: 3.3e9, days: 30 }, forecast: { readsPerMonth: 2_300, readBytesPerMonth: 2.3e9 }, forecastShare: 0.3 },
  horizonDays: 30, objectivePerMonth: 0.0103, bestObjectivePerMonth: 0.0103, score: 1, costPerMonth: 0.0112, impossible: null,
  billed: { minimised: { copies: 1, perMonth: 0.0073 }, otherVersions: { copies: 2, perMonth: 0.0037 }, unusable: { copies: 1, perMonth: 0.0002 } },
  copies: [
    {
      replicaId: '01JD0000000000000000000002', targetId: 'berlin-disk', siteId: 'berlin', tier: 'warm', state: 'verified', primary: true, why: 'the cheapest place that its policy allows',
      cost: { ...noCost, storagePerMonth: 0.002, requestsPerMonth: 0.0003, egressPerMonth: 0.005 }, parts: { ...noParts, storagePerMonth: 0.002, requestsPerMonth: 0.0003, egressPerMonth: 0.005, waitingPerMonth: 0.003, wayTherePerMonth: 0 },
      objectivePerMonth: 0.0103, latencyP95Ms: 10, readBytesPerSec: 180e6, writeBytesPerSec: 120e6, choice: 'stays', chosenTargetId: 'berlin-disk', hold: null,
      binding: { rule: 'latency-slo', opens: 'boston-archive', savesPerMonth: 0.0016, missingBytes: null, text: 'the latency of at most 20 ms: without it, it would be on boston-archive' }, bindingText: 'the latency of at most 20 ms: without it, it would be on boston-archive',
      alternatives: [
        {
          targetId: 'boston-archive', allowed: false, violates: ['latency-slo', 'spread'], because: ['it answers within 60 ms', 'another copy is at the same site'], cost: { ...noCost, storagePerMonth: 0.0004, requestsPerMonth: 0.0003, egressPerMonth: 0.005, migrationOnce: 0.0002 },
          parts: { ...noParts, storagePerMonth: 0.0004, requestsPerMonth: 0.0003, egressPerMonth: 0.005, waitingPerMonth: 0.003, wayTherePerMonth: 0.0002 }, objectivePerMonth: 0.0089, objectiveDifferencePerMonth: -0.0014, totalPerMonth: 0.0057, differencePerMonth: -0.0016,
          latencyP95Ms: 60, latencyDifferenceMs: 50, paybackDays: 3.8,
        },
      ],
      placesAllowed: 3, placesInAll: 7,
      flips: [
        { of: 'storage-price', targetId: 'berlin-disk', direction: 'above', now: 0.02, at: 0.03, kind: 'goes', becomes: 'paris-disk', text: 'above $0.03 per GB and month on berlin-disk (now $0.02) its place is paris-disk' },
        { of: 'reads', targetId: null, direction: 'below', now: 3_000, at: 5, kind: 'goes', becomes: 'paris-disk', text: 'below 5 reads a month (now 3,000), each of 1.0 MB, its place is paris-disk' },
      ],
    },
  ],
};

export function anEvent(seq: number, text: string): EventView {
  return { seq, atMs: Date.now(), type: 'job.transition', severity: 'info', text, ids: {}, by: 'loop' };
}
