import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import type { FaultKind } from '@data-in-motion/shared/domain/fault-hooks';
import type { ExperimentId, JobId, NodeId, ReplicaId, SiteId, TargetId } from '@data-in-motion/shared/domain/ids';
import { topicFor } from '@data-in-motion/shared/protocol/topics';
import { seededRandom, systemRandom } from '@data-in-motion/shared/random';
import { newPrivateKeyPem, signingKey } from '@data-in-motion/shared/signature';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type RunningAgent, startAgent } from '../../src/agent.ts';
import type { AgentConfig } from '../../src/config.ts';
import { MemoryBus, MemoryLink } from '../../src/link/memory-link.ts';
import { canMount, fillUp, onSmallDisk } from '../small-disk.ts';
import { ControlPlaneStub } from './control-plane-stub.ts';

let directory: string;
let bus: MemoryBus;
let controlPlane: ControlPlaneStub;
const running: RunningAgent[] = [];
const logged: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-agent-'));
  mkdirSync(path.join(directory, 'root'));
  bus = new MemoryBus(seededRandom(1));
  controlPlane = new ControlPlaneStub('node-a', (topic, text, retain) => bus.publish(topic, text, retain));
  bus.subscribe((topic, text) => controlPlane.hear(topic, text));
});
afterEach(async () => {
  for (const agent of running.splice(0)) await agent.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(settings: Partial<AgentConfig> = {}): Promise<RunningAgent> {
  const config: AgentConfig = {
    nodeId: 'node-a' as NodeId,
    siteId: 'berlin' as SiteId,
    mqttUrl: 'mqtt://unused',
    password: 'unused',
    stateDirectory: path.join(directory, 'state'),
    importRoots: [directory],
    transfer: { host: '127.0.0.1', port: 0, advertisedUrl: null },
    targets: [
      {
        targetId: 'disk-1' as TargetId,
        store: 'posix',
        root: path.join(directory, 'root'),
        tier: 'hot',
        locationKind: 'on-premises',
        provider: 'own',
        region: 'local',
        failureDomain: 'node-a',
        encryptedAtRest: false,
        priceClass: 'onprem',
        capacityBytes: null,
        reserveBytes: 0,
        deviceIds: [],
        addedLatencyMs: 0,
      },
    ],
    telemetry: {
      smartctl: 'off',
      sysfsDirectory: '/sys',
      replay: null,
      deviceEveryMs: 1_000,
      targetEveryMs: 200,
      targetToldEveryMs: 200,
      fileTimesEveryMs: 60_000,
    },
    quietMs: 0,
    bytesPerSecPerTarget: null,
    faultsAllowed: true,
    controlPlaneKeyId: null,
    reconnect: { firstDelayMs: 1, longestDelayMs: 10 },
    ballastBytes: 1_000_000,
    logLevel: 'silent',
    failpoint: null,
    ...settings,
  };
  const say = (_: object, message: string): void => void logged.push(message);
  const agent = await startAgent({
    config,
    version: '0.0.0',
    clock: systemClock,
    random: systemRandom,
    log: { info: say, warn: say, error: say },
    makeLink: ({ nextSession }) => new MemoryLink({ bus, nodeId: 'node-a', nextSession, nowMs: () => Date.now() }),
    kill: () => {},
    onDefect: (failure) => {
      throw failure;
    },
  });
  running.push(agent);
  return agent;
}

let experiments = 0;
const experiment = (): ExperimentId => `01ARZ3NDEKTSV4RRFFQ69G${String(++experiments).padStart(4, '0')}` as ExperimentId;
const isFault = (kind: FaultKind, subject: string, parameters: Record<string, number> = {}) => ({
  action: 'arm' as const,
  kind,
  subject,
  parameters,
  ttlMs: 60_000,
  seed: 1,
  experimentId: experiment(),
});

test('an agent boots until it is welcomed, then tells what lies on its targets and what it measures', async () => {
  controlPlane.answers = false;
  await start();
  await controlPlane.until(() => controlPlane.boots.length >= 2);
  expect(new Set(controlPlane.boots.map(({ bootUid }) => bootUid)).size).toBe(1);
  expect(controlPlane.boots[0]).toMatchObject({ nodeId: 'node-a', siteId: 'berlin', targets: [{ targetId: 'disk-1' }], faultsAllowed: true });
  controlPlane.answers = true;
  await controlPlane.untilTold((record) => record.type === 'inventory' && record.targetId === 'disk-1');
  await controlPlane.untilTold((record) => record.type === 'target-stats' && record.reachable);
  expect(controlPlane.asks).toBeGreaterThan(0);
});

test('a target whose disk is away is told as unreachable, and the measuring writes nothing where it was', async () => {
  const root = path.join(directory, 'root');
  // Measured once: a measurement under way goes on for a moment after a stop.
  const first = await start({
    telemetry: {
      smartctl: 'off',
      sysfsDirectory: '/sys',
      replay: null,
      deviceEveryMs: 1_000,
      targetEveryMs: 600_000,
      targetToldEveryMs: 600_000,
      fileTimesEveryMs: 60_000,
    },
  });
  await controlPlane.untilTold((record) => record.type === 'target-stats' && record.reachable);
  // From then on the agent knows what the target has to look like.
  await controlPlane.untilTold((record) => record.type === 'inventory' && record.targetId === 'disk-1');
  running.splice(0);
  await first.stop();
  renameSync(root, path.join(directory, 'away'));
  mkdirSync(root);
  const told = controlPlane.records.length;
  await start();
  await controlPlane.until(() => controlPlane.records.slice(told).filter(({ type }) => type === 'target-stats').length >= 2);
  const stats = controlPlane.records.slice(told).filter((record) => record.type === 'target-stats');
  expect(stats.map(({ reachable }) => reachable)).not.toContain(true);
  expect(stats.at(-1)?.unreachableBecause).toMatch(/is not what it was: it has no .dim\/manifests any more/);
  expect(readdirSync(root)).toEqual([]);
});

test('the next start has the next incarnation, and nothing told before is lost or told twice', async () => {
  const first = await start();
  await controlPlane.untilTold((record) => record.type === 'target-stats');
  controlPlane.answers = false;
  running.splice(0);
  await first.stop();
  controlPlane.answers = true;
  await start();
  const told = controlPlane.records.length;
  await controlPlane.until(() => controlPlane.records.length > told);
  expect(controlPlane.boots.at(-1)?.lastIncarnation).toBeGreaterThan(0);
  const uids = [...controlPlane.reference.store.batches.keys()];
  expect(new Set(uids).size).toBe(controlPlane.reference.store.counted);
});

test.skipIf(!canMount)('an agent starts on a disk that is full to the last byte, by what it kept for that', async () => {
  const stateDirectory = path.join(directory, 'small disk');
  await onSmallDisk(stateDirectory, 6, async () => {
    await (await start({ stateDirectory, ballastBytes: 2_000_000 })).stop();
    running.splice(0);
    fillUp(stateDirectory);
    const welcomed = controlPlane.boots.length;
    const agent = await start({ stateDirectory, ballastBytes: 2_000_000 });
    await controlPlane.until(() => controlPlane.boots.length > welcomed);
    running.splice(0);
    await agent.stop();
  });
});

test.skipIf(!canMount)('an agent whose disk has become full says so in its own log, once, and goes on when there is room', async () => {
  const stateDirectory = path.join(directory, 'small disk');
  await onSmallDisk(stateDirectory, 6, async () => {
    const agent = await start({ stateDirectory, ballastBytes: 100_000 });
    await controlPlane.untilTold((record) => record.type === 'target-stats');
    rmSync(path.join(stateDirectory, 'ballast'));
    const before = logged.length;
    const filler = fillUp(stateDirectory);
    const full = (): string[] => logged.slice(before).filter((message) => /directory is full: .*: free some space there/.test(message));
    await vi.waitFor(() => expect(full()).toHaveLength(1), 15_000);
    rmSync(filler);
    const told = controlPlane.records.length;
    await controlPlane.until(() => controlPlane.records.slice(told).some(({ type }) => type === 'target-stats'));
    expect(full()).toHaveLength(1);
    running.splice(0);
    await agent.stop();
  });
});

test('orders reach the mover, signed by the pinned key alone', async () => {
  await start();
  await controlPlane.until(() => controlPlane.asks > 0);
  const jobId = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const scan = { jobId, epoch: 1, kind: 'scan' as const, datasetId: 'photos', source: { kind: 'sample' as const, bytes: 100_000, seed: 1 } };
  controlPlane.order({ rev: 1, orders: [scan] as never, liveJobs: [jobId] as never, watched: [] });
  await controlPlane.untilTold((record) => record.type === 'job' && record.event === 'manifest' && record.jobId === jobId);

  controlPlane.fault(isFault('link-cut', 'node-a'), signingKey(newPrivateKeyPem()));
  await controlPlane.untilTold((record) => record.type === 'note' && record.code === 'command.signature');
  expect(controlPlane.records.some((record) => record.type === 'fault')).toBe(false);
});

test('a control plane with another key than the pinned one is not believed', async () => {
  const first = await start();
  await controlPlane.untilTold((record) => record.type === 'inventory');
  running.splice(0);
  await first.stop();
  controlPlane = new ControlPlaneStub('node-a', (topic, text, retain) => bus.publish(topic, text, retain));
  await start();
  await controlPlane.until(() => controlPlane.boots.length >= 2);
  expect(controlPlane.records).toEqual([]);
  expect(logged.at(-1)).toMatch(/shows key [0-9a-f]{32}, but this agent trusts/);
});

test('a store that comes back without its last commits gets them again', async () => {
  await start();
  await controlPlane.untilTold((record) => record.type === 'target-stats');
  const before = new Set(controlPlane.reference.store.batches.keys());
  controlPlane.reference.store = { batches: new Map(), numbers: new Map(), counted: 0 };
  controlPlane.reference.flush();
  controlPlane.reference.rollBack();
  await controlPlane.until(() => [...before].every((uid) => controlPlane.reference.store.batches.has(uid)));
  expect(controlPlane.boots.at(-1)?.lastIncarnation).toBe(1);
});

test('faults are armed, shown in what is measured, told, and undone by the order to undo all', async () => {
  await start();
  await controlPlane.until(() => controlPlane.asks > 0);
  controlPlane.fault(isFault('target-errors', 'disk-1', { probability: 1 }));
  await controlPlane.untilTold((record) => record.type === 'fault' && record.state === 'refused');
  controlPlane.fault(isFault('target-full', 'disk-1'));
  await controlPlane.untilTold((record) => record.type === 'fault' && record.state === 'armed');
  controlPlane.fault({ ...isFault('target-full', 'disk-1'), action: 'undo-all' });
  await controlPlane.untilTold((record) => record.type === 'fault' && record.state === 'undone');
});

test('an agent that is cut off says everything when the cut is over', async () => {
  await start();
  await controlPlane.until(() => controlPlane.asks > 0);
  controlPlane.fault({ ...isFault('link-cut', 'node-a'), ttlMs: 1_000 });
  await controlPlane.untilTold((record) => record.type === 'fault' && record.state === 'undone');
  expect(controlPlane.records.filter((record) => record.type === 'fault').map((record) => record.state)).toEqual(['armed', 'undone']);
});

test('on a bus that loses, repeats and reorders everything is told once', async () => {
  bus.weather = { loss: 0.3, duplication: 0.3, reordering: 0.3 };
  await start();
  await controlPlane.until(() => controlPlane.records.filter(({ type }) => type === 'target-stats').length >= 8);
  const stats = controlPlane.records.flatMap((record) => (record.type === 'target-stats' ? [record.atMs] : []));
  expect(new Set(stats).size).toBe(stats.length);
});

test('a second agent on the same state directory is refused', async () => {
  await start();
  await expect(start()).rejects.toThrow(/another process owns/);
});

test('a store that began a new life is shown the switch certificates that the agent keeps, and no other store', async () => {
  await start();
  await controlPlane.until(() => controlPlane.asks > 0);
  const job = { jobId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' as JobId, epoch: 1 };
  const replicaId = '01ARZ3NDEKTSV4RRFFQ69G5FAW' as ReplicaId;
  controlPlane.order({ rev: 1, orders: [{ ...job, kind: 'witness', replicaId, rev: 2, certificate: 'signed' }], liveJobs: [job.jobId], watched: [] });
  await controlPlane.untilTold((record) => record.type === 'job' && record.event === 'witnessed');
  controlPlane.reference.rollBack();
  await controlPlane.untilTold((record) => record.type === 'switch-certificate');
  const boots = controlPlane.boots.length;
  await running.shift()!.stop();
  await start();
  await controlPlane.until(() => controlPlane.boots.length > boots);
  const inventories = controlPlane.records.filter((record) => record.type === 'inventory').length;
  await controlPlane.until(() => controlPlane.records.filter((record) => record.type === 'inventory').length > inventories);
  expect(controlPlane.records.filter((record) => record.type === 'switch-certificate')).toMatchObject([{ role: 'witness', certificate: 'signed' }]);
});

test('a model reaches an agent that comes later, is told at its next start, and one that was tampered with does not replace it', async () => {
  const model = smallModel();
  controlPlane.model(model);
  const first = await start();
  await controlPlane.untilTold((record) => record.type === 'model-running' && record.version === model.version);
  expect(controlPlane.boots[0]?.modelVersion).toBeNull();

  const changed = smallModel({ base: -4 });
  controlPlane.model({ ...changed, base: -3 });
  await controlPlane.untilTold((record) => record.type === 'note' && record.code === 'model.refused' && record.message.includes(`${model.version} judges on`));
  running.splice(0);
  await first.stop();
  bus.retained.delete(topicFor('model'));
  const boots = controlPlane.boots.length;
  await start();
  await controlPlane.until(() => controlPlane.boots.length > boots);
  expect(controlPlane.boots.at(-1)?.modelVersion).toBe(model.version);
});
