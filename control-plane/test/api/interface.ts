import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Problem } from '@data-in-motion/shared/api/fleet';
import type { Role } from '@data-in-motion/shared/api/operations';
import { systemClock } from '@data-in-motion/shared/clock';
import type { DatasetId, NodeId, SiteId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { FaultDocument } from '@data-in-motion/shared/protocol/messages';
import { systemRandom } from '@data-in-motion/shared/random';
import { newPrivateKeyPem, signingKey } from '@data-in-motion/shared/signature';
import pino from 'pino';
import { expect } from 'vitest';
import { createApp } from '../../src/api/app.ts';
import type { ApiContext } from '../../src/api/context.ts';
import { FleetReader } from '../../src/api/fleet-reader.ts';
import { applyPlan } from '../../src/control-loop/carry-out-plans.ts';
import { makePlan } from '../../src/control-loop/decide.ts';
import { defaultLoopSettings, type LeaderWrite, type LoopParts, type Solve } from '../../src/control-loop/parts.ts';
import { ModelTrainer } from '../../src/control-loop/train-models.ts';
import { defaultDecisionSettings } from '../../src/fleet/decision-settings.ts';
import { startMetrics } from '../../src/metrics/metrics.ts';
import { placeExact } from '../../src/placement/place-exact.ts';
import { openStore, type Store } from '../../src/store/database.ts';
import { node, target } from '../../src/store/schema.ts';
import { createApiKey } from '../../src/store/tokens.ts';
import { layEmptyDatabase } from '../empty-database.ts';
import { scratchFolder } from '../scratch.ts';

/** The HTTP interface on a real embedded database, without a network: what stands behind the loop and the bus is not asked here. */
export interface Interface {
  readonly store: Store;
  readonly keys: Record<Role, string>;
  readonly wakes: () => number;
  /** Identities that were thrown off the bus. */
  readonly disconnected: () => readonly string[];
  /** Faults that agents were told. */
  readonly faults: readonly FaultDocument[];
  /** What the loop says when it is asked about plans. */
  answerPlans(answers: Partial<Pick<ApiContext['loop'], 'applyPlan' | 'planDifferences'>>): void;
  /** Pages share one look at the database for a quarter of a second; after this the next one looks anew. */
  forgetLook(): void;
  call(method: string, path: string, options?: { role?: Role; body?: unknown; headers?: Record<string, string>; raw?: string }): Promise<Response>;
  app: ReturnType<typeof createApp>;
  close(): Promise<void>;
}

/**
 * @param modelData recorded drives to train models on, as DIM_MODEL_DATA
 * @param decides plans are made and applied as the leader does; otherwise who asks for one fails
 */
export async function openInterface({ modelData = null, decides = false }: { modelData?: string | null; decides?: boolean } = {}): Promise<Interface> {
  const directory = mkdtempSync(path.join(scratchFolder, 'dim-api-'));
  const database = path.join(directory, 'database');
  await layEmptyDatabase(database);
  const store = await openStore({ databaseUrl: null, directory: database });
  const nowMs = await store.nowMs();
  const trainer = new ModelTrainer({ store, settings: { ...defaultLoopSettings, training: { dataDirectory: modelData, everyMs: 1e9 } }, onFailure: () => {} });
  let wakes = 0;
  const plans: Pick<ApiContext['loop'], 'applyPlan' | 'planDifferences'> = { applyPlan: notAsked, planDifferences: notAsked };
  const disconnected: string[] = [];
  const faults: FaultDocument[] = [];
  const context: ApiContext = {
    store,
    bus: {
      kind: 'embedded',
      connected: () => true,
      clients: () => [],
      topicCounts: () => [],
      disconnect: (identity) => void disconnected.push(identity),
      publish: async () => {},
      onMessage: () => {},
      onRefused: () => {},
      close: async () => {},
    },
    loop: {
      wake: () => wakes++,
      stop: async () => {},
      makePlan: notAsked,
      applyPlan: (planId) => plans.applyPlan(planId),
      ...(decides ? leaderOf(store) : {}),
      planDifferences: (planId) => plans.planDifferences(planId),
      resync: async () => ({ verifying: 0, nodes: 0 }),
      trainModel: (by) => trainer.ask(by),
    },
    dispatch: {
      answerAsk: async () => {},
      nudgeChanged: async () => 0,
      nudgeAll: async () => 0,
      tellModel: async () => {},
      sendFault: async (_, document) => void faults.push(document),
      stop: async () => {},
    },
    fleet: new FleetReader(store),
    metrics: startMetrics(store, nowMs, () => systemClock.nowMs()),
    signingKey: signingKey(newPrivateKeyPem()),
    clock: systemClock,
    random: systemRandom,
    settings: {
      version: '0.1.0',
      publicUrl: () => 'http://127.0.0.1:8080',
      mqttUrl: () => 'mqtt://127.0.0.1:1883',
      startedAtMs: nowMs,
      chaosAllowed: true,
      scrubEveryMs: 1e9,
      decisions: defaultDecisionSettings,
      consoleDirectory: path.join(directory, 'console'),
    },
  };
  const keys = {} as Record<Role, string>;
  for (const role of ['viewer', 'operator', 'admin'] as const) keys[role] = (await createApiKey(store.db, role, role, nowMs)).secret;
  await addNode(store, nowMs);
  const app = createApp(context, pino({ level: 'silent' }));
  return {
    store,
    keys,
    answerPlans: (answers) => void Object.assign(plans, answers),
    forgetLook: () => void store.signals.emit('events'),
    wakes: () => wakes,
    disconnected: () => disconnected,
    faults,
    app,
    call(method, at, { role, body, headers = {}, raw } = {}) {
      return app.request(`http://127.0.0.1:8080${at}`, {
        method,
        headers: {
          Host: '127.0.0.1:8080',
          ...(role === undefined ? {} : { 'X-Api-Key': keys[role] }),
          ...(body === undefined && raw === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(raw !== undefined ? { body: raw } : body === undefined ? {} : { body: JSON.stringify(body) }),
      }) as Promise<Response>;
    },
    async close() {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The body of an answer that says what was wrong. */
export async function problem(answer: Response): Promise<Problem> {
  expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
  return (await answer.json()) as Problem;
}

function leaderOf(store: Store): Pick<ApiContext['loop'], 'makePlan' | 'applyPlan'> {
  const solve: Solve = (snapshot, needs, heats, only) =>
    placeExact(snapshot, needs, heats, defaultDecisionSettings.placement, defaultDecisionSettings, only ?? undefined);
  const parts = { store, settings: defaultLoopSettings, solve } as unknown as LoopParts;
  const write: LeaderWrite = (work) => store.transaction(async (tx) => work(tx, await store.nowMs(tx)));
  return {
    makePlan: ({ dryRun, datasetIds }) => makePlan(parts, write, { dryRun, datasetIds: datasetIds === undefined ? null : new Set(datasetIds as DatasetId[]) }),
    applyPlan: (planId) => applyPlan(parts, write, planId),
  };
}

async function notAsked(): Promise<never> {
  throw new Error('this test does not ask the control loop');
}

async function addNode(store: Store, nowMs: number): Promise<void> {
  const nodeId = 'berlin' as NodeId;
  await store.db
    .insert(node)
    .values({ nodeId, siteId: 'berlin' as SiteId, agentState: 'online', incarnation: 1, importRoots: ['/srv'], faultsAllowed: true, lastHeardAtMs: nowMs });
  await store.db.insert(target).values({
    targetId: 'berlin-nvme' as TargetId,
    nodeId,
    capacityBytes: 1e12,
    freeBytes: 1e12,
    description: {
      targetId: 'berlin-nvme' as TargetId,
      store: 'posix',
      root: '/srv/dim',
      tier: 'hot',
      locationKind: 'on-premises',
      provider: 'own',
      region: 'eu-central',
      failureDomain: 'rack-1',
      encryptedAtRest: true,
      priceClass: 'onprem-nvme',
      capacityBytes: null,
      reserveBytes: 0,
      deviceIds: [],
      addedLatencyMs: 0,
    },
  });
}
