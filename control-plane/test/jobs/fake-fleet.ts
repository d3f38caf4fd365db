import { createHash } from 'node:crypto';
import { ManualClock } from '@data-in-motion/shared/clock';
import { writeFiles } from '@data-in-motion/shared/domain/file-sample';
import type { DatasetId, DeviceId, JobId, NodeId, ReplicaId, SiteId, TargetId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy, type Policy, type PolicyOverride } from '@data-in-motion/shared/domain/policy';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import type { DesiredDocument, Order } from '@data-in-motion/shared/protocol/messages';
import { desiredDocument } from '@data-in-motion/shared/protocol/messages';
import type { JobRecord } from '@data-in-motion/shared/protocol/records';
import { jobRecord } from '@data-in-motion/shared/protocol/records';
import type { Random } from '@data-in-motion/shared/random';
import { isSignedBy, newPrivateKeyPem, type SigningKey, signingKey } from '@data-in-motion/shared/signature';
import { eq } from 'drizzle-orm';
import type { LoopSettings } from '../../src/control-loop/parts.ts';
import { FleetKeeper, loopSettings } from '../../src/control-loop.ts';
import { type Dispatch, startDispatch } from '../../src/dispatch/dispatch.ts';
import { placeExact } from '../../src/placement/place-exact.ts';
import type { Store } from '../../src/store/database.ts';
import { applyJobRecord } from '../../src/store/job-reports.ts';
import { insertImportJob } from '../../src/store/jobs.ts';
import { markHeard } from '../../src/store/nodes.ts';
import { readPrices } from '../../src/store/prices.ts';
import { dataset, device, globalPolicy, node, target } from '../../src/store/schema.ts';

export const rootOf = (text: string): string => createHash('sha256').update(text).digest('hex');
/** What every version is made of. */
export const fileSample = { level: 0, completeFromBytes: 0, files: writeFiles([{ hash: 7, sizeBytes: 1_000 }]) };
export const sizeBytes = 1_000_000;
export const objects = 3;

export type DiskCopy = { root: string; datasetId: string; targetId: string; place: 'live' | 'trash' };

/** An agent in memory: a disk, a journal that survives a crash, and an outbox whose reports arrive when the test says so. */
export class FakeAgent {
  readonly disk = new Map<ReplicaId, DiskCopy>();
  /** What a job's source looked like when it was scanned. */
  readonly scanned = new Map<JobId, string>();
  readonly outbox: JobRecord[] = [];
  /** Steps done, by job, epoch and kind: told again when asked again, not done again. */
  readonly #done = new Map<string, JobRecord[]>();
  readonly usedPermits = new Set<string>();
  readonly certificates: { role: 'activate' | 'witness'; certificate: string }[] = [];
  document: DesiredDocument | null = null;
  incarnation = 1;
  isAway = false;

  readonly nodeId: NodeId;
  readonly #fleet: FakeFleet;
  constructor(nodeId: NodeId, fleet: FakeFleet) {
    this.nodeId = nodeId;
    this.#fleet = fleet;
  }

  /** Work at one order, whole; the reports wait in the outbox. False when there is nothing to do. */
  work(order: Order | undefined = this.document?.orders[0]): boolean {
    if (order === undefined) return false;
    const key = `${order.jobId} ${order.epoch} ${order.kind}`;
    const before = this.#done.get(key);
    const records = before ?? this.#do(order);
    if (records === null) return false;
    this.#done.set(key, records);
    this.outbox.push(...records);
    return before === undefined;
  }

  #do(order: Order): JobRecord[] | null {
    const base = { type: 'job' as const, jobId: order.jobId, epoch: order.epoch, atMs: this.#fleet.clock.nowMs() };
    switch (order.kind) {
      case 'scan': {
        const root = rootOf(order.source.kind === 'directory' ? order.source.path : `sample ${order.source.seed}`);
        this.scanned.set(order.jobId, root);
        return [
          { ...base, event: 'started', step: 'scan' },
          { ...base, event: 'manifest', root, objects, bytes: sizeBytes, unreadable: 0, notes: [], fileSample },
        ];
      }
      case 'copy': {
        const found = this.#fleet.read(this, order);
        if (typeof found !== 'string')
          return [
            { ...base, event: 'started', step: 'copy' },
            { ...base, event: 'failed', ...found, hint: null, retryAfterMs: null },
          ];
        const { replicaId, datasetId, targetId } = order.destination;
        this.disk.set(replicaId, { root: found, datasetId, targetId, place: 'live' });
        return [
          { ...base, event: 'started', step: 'copy' },
          { ...base, event: 'copied', bytes: order.bytes, movedBytes: order.bytes },
          { ...base, event: 'started', step: 'verify' },
          { ...base, event: 'verified', replicaId, root: found, objects: order.objects, bytes: order.bytes, level: 'L2', readFrom: 'cache' },
        ];
      }
      case 'verify': {
        const { replicaId } = order.target;
        const copy = this.disk.get(replicaId);
        if (copy === undefined || copy.place !== 'live') return [{ ...base, event: 'mismatched', replicaId, found: 'missing', path: '.', detail: 'not there' }];
        if (copy.root !== order.root) return [{ ...base, event: 'mismatched', replicaId, found: 'corrupt', path: 'a', detail: 'leaf 0 differs' }];
        return [
          { ...base, event: 'started', step: 'verify' },
          { ...base, event: 'verified', replicaId, root: copy.root, objects: order.objects, bytes: order.bytes, level: 'L2', readFrom: 'cache' },
        ];
      }
      case 'activate':
        this.certificates.push({ role: 'activate', certificate: order.certificate });
        return [{ ...base, event: 'activated', replicaId: order.destination.replicaId, rev: order.rev }];
      case 'witness':
        this.certificates.push({ role: 'witness', certificate: order.certificate });
        return [{ ...base, event: 'witnessed', replicaId: order.replicaId, rev: order.rev }];
      case 'retire': {
        const { replicaId } = order.target;
        const copy = this.disk.get(replicaId);
        if (copy === undefined) return [{ ...base, event: 'kept', replicaId, because: 'not there' }];
        if (copy.root !== order.root) return [{ ...base, event: 'conflict', replicaId, path: 'a', detail: 'it was written to' }];
        if (this.usedPermits.has(order.permitId)) return null;
        this.usedPermits.add(order.permitId);
        this.#fleet.onLeave(copy, 'trash');
        copy.place = 'trash';
        return [{ ...base, event: 'trashed', replicaId }];
      }
      case 'purge': {
        const { replicaId } = order.target;
        const copy = this.disk.get(replicaId);
        if (copy !== undefined && copy.root !== order.root) return [{ ...base, event: 'conflict', replicaId, path: 'a', detail: 'a late write' }];
        if (copy !== undefined) this.#fleet.onLeave(copy, 'gone');
        this.disk.delete(replicaId);
        return [{ ...base, event: 'purged', replicaId, freedBytes: sizeBytes }];
      }
    }
  }
}

export interface FleetOptions {
  readonly nodes?: number;
  readonly targetsPerNode?: number;
  readonly policy?: PolicyOverride;
  readonly settings?: Partial<LoopSettings>;
  /** Another control plane of the same agents, with the same key and clock. */
  readonly like?: FakeFleet;
}

/** A disk at home, one drive under it, as an agent would declare it. */
export function diskDescription(targetId: TargetId, failureDomain: string, deviceId: DeviceId): TargetDescription {
  return {
    targetId,
    store: 'posix',
    root: `/${targetId}`,
    tier: 'warm',
    locationKind: 'on-premises',
    provider: 'own',
    region: 'here',
    failureDomain,
    encryptedAtRest: true,
    priceClass: 'onprem-hdd',
    capacityBytes: null,
    reserveBytes: 0,
    deviceIds: [deviceId],
    addedLatencyMs: 0,
  };
}

/** A control plane's keeper and dispatch on a real store with a clock of its own, and agents in memory that obey. */
export class FakeFleet {
  readonly clock: ManualClock;
  readonly key: SigningKey;
  readonly agents: Map<NodeId, FakeAgent>;
  readonly failures: unknown[] = [];
  /** Called before a copy is renamed away or deleted: where a test says what must never happen. */
  onLeave: (copy: DiskCopy, to: 'trash' | 'gone') => void = () => {};
  readonly store: Store;
  readonly dispatch: Dispatch;
  readonly keeper: FleetKeeper;

  constructor(store: Store, options: FleetOptions = {}) {
    this.clock = options.like?.clock ?? new ManualClock();
    this.key = options.like?.key ?? signingKey(newPrivateKeyPem());
    this.agents = options.like?.agents ?? new Map();
    this.store = Object.assign(Object.create(store) as Store, { nowMs: async () => this.clock.nowMs() });
    const onFailure = (failure: unknown): void => void this.failures.push(failure);
    this.dispatch = startDispatch({
      store: this.store,
      bus: { publish: async (name, identity, payload) => this.#hear(name, identity as NodeId, payload) },
      signingKey: this.key,
      clock: this.clock,
      onFailure,
    });
    this.keeper = this.newKeeper('one', options);
  }

  /** One more control plane on the same store. */
  newKeeper(holder: string, options: FleetOptions = {}): FleetKeeper {
    const settings: LoopSettings = {
      ...loopSettings({
        loopEveryMs: 2_000,
        planEveryMs: 60_000,
        graceMs: 5_000,
        trashMs: 10_000,
        leaseMs: 30_000,
        scrubEveryMs: 86_400_000,
        lateAfterMs: 20_000,
        lostAfterMs: 60_000,
        coldAfterMs: 3_600_000,
        forecastShare: 0.3,
        dwellMs: 3_600_000,
        modelDataDirectory: null,
        modelTrainEveryMs: 1e9,
      }),
      ...options.settings,
    };
    return new FleetKeeper({
      store: this.store,
      dispatch: this.dispatch,
      signingKey: this.key,
      clock: this.clock,
      settings,
      holder,
      solve: (snapshot, needs, heats, only) => placeExact(snapshot, needs, heats, settings.decisions.placement, settings.decisions, only ?? undefined),
      onFailure: (failure) => void this.failures.push(failure),
    });
  }

  /** Write the rows that agents' starts would have made. */
  async build(options: FleetOptions = {}): Promise<void> {
    const { db } = this.store;
    const policy: Policy = { ...defaultPolicy, spread: 'node', ...options.policy };
    await db.insert(globalPolicy).values({ policy }).onConflictDoUpdate({ target: globalPolicy.id, set: { policy } });
    await readPrices(db);
    for (let n = 1; n <= (options.nodes ?? 3); n++) {
      const nodeId = `node-${n}` as NodeId;
      this.agents.set(nodeId, new FakeAgent(nodeId, this));
      await db.insert(node).values({
        nodeId,
        siteId: `site-${n}` as SiteId,
        agentState: 'online',
        incarnation: 1,
        lastHeardAtMs: this.clock.nowMs(),
        transferUrl: `http://${nodeId}.test:1`,
      });
      for (let t = 1; t <= (options.targetsPerNode ?? 1); t++) await this.#addTarget(nodeId, `t${n}${t}` as TargetId);
    }
  }

  async #addTarget(nodeId: NodeId, targetId: TargetId): Promise<void> {
    const deviceId = `drive-${targetId}` as DeviceId;
    const description = diskDescription(targetId, targetId, deviceId);
    await this.store.db
      .insert(target)
      .values({ targetId, nodeId, description, capacityBytes: 1e12, freeBytes: 1e12, latencyP95Ms: 5, measuredAtMs: this.clock.nowMs() });
    await this.store.db.insert(device).values({
      deviceId,
      nodeId,
      serial: targetId,
      model: 'Test',
      kind: 'hdd',
      transport: 'ata',
      capacityBytes: 1e12,
      path: '/dev/x',
      level: 'healthy',
      lastReadingAtMs: this.clock.nowMs(),
    });
  }

  async addDataset(name: string, nodeId: NodeId, path = `/src/${name}/1`): Promise<JobId> {
    await this.store.db.insert(dataset).values({ datasetId: name as DatasetId, owner: 'test', createdAtMs: this.clock.nowMs() });
    return this.import(name, nodeId, path);
  }

  async import(name: string, nodeId: NodeId, path: string): Promise<JobId> {
    return this.store.transaction((tx) =>
      insertImportJob(tx, { datasetId: name as DatasetId, source: { nodeId, source: { kind: 'directory', path } }, reason: 'test', nowMs: this.clock.nowMs() }),
    );
  }

  #hear(name: string, nodeId: NodeId, payload: unknown): void {
    if (name !== 'desired') return;
    const signed = payload as { body: string; signature: string; keyId: string };
    if (!isSignedBy(signed, this.key.publicKeyPem)) throw new Error('a document was not signed');
    const document = desiredDocument.parse(JSON.parse(signed.body));
    const agent = this.agents.get(nodeId);
    if (agent !== undefined && document.inc === agent.incarnation) agent.document = document;
  }

  /** What an agent that copies finds at the source: the root, or why not. */
  read(
    reader: FakeAgent,
    order: Extract<Order, { kind: 'copy' }>,
  ): string | { class: 'source-changed' | 'integrity' | 'transient'; code: string; message: string } {
    const gone = { class: 'source-changed' as const, code: 'source.gone', message: 'not there' };
    if (order.source.kind === 'import') return reader.scanned.get(order.jobId) ?? gone;
    if (order.source.kind === 'remote') {
      const other = this.agents.get(order.source.nodeId);
      if (other === undefined || other.isAway) return { class: 'transient', code: 'network.away', message: 'no answer' };
      if (order.source.token === '') throw new Error('a remote source without a token');
      const sourceId = order.source.url.slice(order.source.url.lastIndexOf('/') + 1);
      const root = sourceId === order.jobId ? other.scanned.get(order.jobId) : other.disk.get(sourceId as ReplicaId)?.root;
      return root === undefined ? gone : root === order.root ? root : { class: 'integrity', code: 'source.corrupt', message: 'a leaf differs' };
    }
    const root = reader.disk.get(order.source.replicaId)?.root;
    return root === undefined ? gone : root === order.root ? root : { class: 'integrity', code: 'source.corrupt', message: 'a leaf differs' };
  }

  async ask(agent: FakeAgent): Promise<void> {
    if (agent.isAway) return;
    await markHeard(this.store.db, this.clock.nowMs(), [agent.nodeId]);
    await this.dispatch.answerAsk(agent.nodeId, { v: 1, askUid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', have: agent.document?.rev ?? 0, inc: agent.incarnation });
  }

  /** Deliver reports of an agent: all in order, or (with randomness) some, in any order, and some twice. */
  async deliver(agent: FakeAgent, random?: Random): Promise<void> {
    if (agent.isAway) return;
    const taken = agent.outbox.splice(0);
    if (random !== undefined) {
      for (let i = taken.length - 1; i > 0; i--) {
        const j = Math.floor(random.next() * (i + 1));
        [taken[i], taken[j]] = [taken[j]!, taken[i]!];
      }
    }
    for (const record of taken) {
      if (random !== undefined && random.next() < 0.2) agent.outbox.push(record);
      await this.report(agent.nodeId, record);
    }
  }

  async report(nodeId: NodeId, record: JobRecord): Promise<void> {
    jobRecord.parse(record);
    await this.store.transaction(async (tx) => {
      await markHeard(tx, this.clock.nowMs(), [nodeId]);
      await applyJobRecord(tx, nodeId, record, this.clock.nowMs());
    });
  }

  /** A new process of the agent: its disk and journal are as before, its leases are not. */
  async restart(agent: FakeAgent): Promise<void> {
    agent.incarnation++;
    agent.document = null;
    await this.store.db.update(node).set({ incarnation: agent.incarnation, lastHeardAtMs: this.clock.nowMs() }).where(eq(node.nodeId, agent.nodeId));
  }

  /** Every agent that is there asks, does those of its orders that the test lets it do, and tells. */
  async workRound(does: (order: Order, agent: FakeAgent) => boolean = () => true): Promise<void> {
    for (const agent of this.agents.values()) {
      await this.ask(agent);
      if (agent.isAway) continue;
      for (const order of agent.document?.orders ?? []) if (does(order, agent)) agent.work(order);
      await this.deliver(agent);
    }
  }

  /** The control plane looks and everybody works. */
  async #round(does?: (order: Order, agent: FakeAgent) => boolean): Promise<void> {
    await this.keeper.pass();
    await this.keeper.settled();
    await this.workRound(does);
  }

  /** So many rounds, in which agents do those of their orders that the test lets them do. */
  async passAndWork(times: number, does?: (order: Order, agent: FakeAgent) => boolean, stepMs = 2_000): Promise<void> {
    for (let round = 0; round < times; round++) {
      await this.#round(does);
      await this.clock.advance(stepMs);
    }
  }

  /** Everybody does all they can, round after round, until the test's condition holds. */
  async runUntil(isDone: () => Promise<boolean>, rounds = 60, stepMs = 2_000): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await this.#round();
      if (await isDone()) return;
      await this.clock.advance(stepMs);
    }
    throw new Error(`not done after ${rounds} rounds; failures: ${this.failures.map(String).join('; ')}`);
  }
}
