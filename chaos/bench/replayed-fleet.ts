import type { CertificateBody } from '@data-in-motion/shared/api/operations';
import type { DeviceId, NodeId, SiteId, TargetId } from '@data-in-motion/shared/domain/ids';
import { defaultPolicy } from '@data-in-motion/shared/domain/policy';
import type { Order } from '@data-in-motion/shared/protocol/messages';
import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import { and, eq, isNull, ne } from 'drizzle-orm';
import type { RecordedLife } from '../../agent/src/telemetry/recorded-life.ts';
import { defaultLoopSettings } from '../../control-plane/src/control-loop/parts.ts';
import { defaultDecisionSettings } from '../../control-plane/src/fleet/decision-settings.ts';
import { type Stake, stakeOf } from '../../control-plane/src/health/evacuation-price.ts';
import { applyRecords } from '../../control-plane/src/ingest/apply-records.ts';
import type { Store } from '../../control-plane/src/store/database.ts';
import { loadSnapshot } from '../../control-plane/src/store/load-snapshot.ts';
import { markHeard } from '../../control-plane/src/store/nodes.ts';
import { readPrices } from '../../control-plane/src/store/prices.ts';
import { certificate, device, globalPolicy, job, node } from '../../control-plane/src/store/schema.ts';
import { FakeAgent, FakeFleet } from '../../control-plane/test/jobs/fake-fleet.ts';
import type { Told } from './replayed-agents.ts';
import { ReplayedCopies } from './replayed-copies.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** As the product's default. */
const graceMs = dayMs;
const never = 3_650 * dayMs;
/** How often a day in which something is under way is looked at. */
const looksPerDay = 4;
/** A quiet fleet is looked at this often; a change of a drive's level, a death and a job under way are looked at the same day. */
const quietDays = 7;
/** Passes and work of one look: each pass makes room for the next step of a job. */
const roundsPerLook = 8;
/** Servers with replayed drives have so many each, in one rack. */
const drivesPerNode = 45;
const siteOfDrives = 'site-1' as SiteId;
const sites = [siteOfDrives, 'site-2' as SiteId, 'site-3' as SiteId];
/** Servers of each site that take what leaves the drives and keep the other copies; they do not fail. */
const storesPerSite = 8;

const { evacuation, observer } = defaultDecisionSettings;
/** A copy that left lies in the trash to the end, and nobody waits for it. */
const atWork = and(eq(job.active, true), ne(job.state, 'trashed'));

/** What became of one drive that died. Money is US dollars. */
export interface Death {
  readonly driveId: string;
  readonly day: number;
  /** Datasets of which a copy was on it, and those of them that no other verified copy is of. */
  readonly copies: number;
  readonly lost: number;
  /** Before it died its data stood verified elsewhere in as many copies as are wanted. */
  readonly wasSafe: boolean;
  /** What its loss costs by the sums that evacuations are weighed with; 0 when nothing was on it. */
  readonly dollars: number;
}

/** One evacuation, by its certificate; days since 1970-01-01, fractions allowed. */
export interface Evacuation {
  readonly driveId: string;
  readonly openedDay: number;
  readonly emptyDay: number | null;
  /** When the drive was filled again, taken away or died; null: it stood empty to the end. */
  readonly endedDay: number | null;
  readonly movingDollars: number;
  /** What its death would cost, full. */
  readonly fullDollars: number;
  readonly outcome: string | null;
}

export interface ReplayOptions {
  readonly copies: 1 | 2 | 3;
  /** Share of each drive that data takes. */
  readonly fill: number;
  /** Day on which the fleet begins; days since 1970-01-01. */
  readonly fromDay: number;
  /** So many drives each of these stands for, where those that never gave a sign are left out: what is a share of the fleet grows with it. */
  readonly standsFor: number;
}

type Drive = { readonly life: RecordedLife; readonly nodeId: NodeId; readonly targetId: TargetId; isIn: boolean };

/**
 * A fleet whose drives live recorded lives: what their agents tell goes into a real store by the product's ingest, its control loop decides, agents in
 * memory carry its orders out in the time that the bytes take, its certificates say what left. Each drive has one target with one dataset,
 * its other copies are at other sites; what leaves goes to servers of its own site that do not fail.
 */
export class ReplayedFleet {
  readonly deaths: Death[] = [];
  readonly evacuations: Evacuation[] = [];
  /** A copy left while fewer stood than are wanted: must stay empty. */
  readonly broken: string[] = [];
  passes = 0;
  readonly #fleet: FakeFleet;
  readonly #copies: ReplayedCopies;
  readonly #drives: ReadonlyMap<DeviceId, Drive>;
  readonly #fromDay: number;
  readonly #wanted: number;
  /** When an agent is done with the step of a job that it is at. */
  readonly #dueAtMs = new Map<string, { readonly step: string; readonly atMs: number }>();
  readonly #openCertificates = new Map<string, Evacuation>();
  #day: number;
  #look: 'due' | 'not-due' = 'due';

  static async open(store: Store, lives: readonly RecordedLife[], options: ReplayOptions): Promise<ReplayedFleet> {
    const decisions = {
      ...defaultDecisionSettings,
      agents: { lateAfterMs: never, lostAfterMs: never },
      evacuation: { ...evacuation, shareOfDevices: evacuation.shareOfDevices * options.standsFor, shareOfBytes: evacuation.shareOfBytes * options.standsFor },
      observer: {
        ...observer,
        share: observer.share * options.standsFor,
        domainShare: observer.domainShare * options.standsFor,
        modelShare: observer.modelShare * options.standsFor,
      },
    };
    const fleet = new FakeFleet(store, {
      // Agents are always heard and copies are not read back by themselves; what leaves lies in the trash to the end. Nobody is taken for dead between two weekly readings.
      settings: {
        graceMs,
        leaseMs: never,
        scrubEveryMs: never,
        trashMs: never,
        planEveryMs: never,
        pruning: { ...defaultLoopSettings.pruning, tourEveryMs: never, slicesPerPass: 0 },
        decisions,
        outcomes: { graceMs: 8 * dayMs, riskyWithinMs: 30 * dayMs, lookEveryMs: hourMs },
      },
    });
    const made = new ReplayedFleet(fleet, lives, options);
    await made.#build();
    return made;
  }

  private constructor(fleet: FakeFleet, lives: readonly RecordedLife[], { copies, fill, fromDay }: ReplayOptions) {
    this.#fleet = fleet;
    this.#fromDay = fromDay;
    this.#day = fromDay;
    this.#wanted = copies;
    this.#drives = new Map(
      lives.map((life, i) => [
        life.device.deviceId,
        { life, nodeId: `drives-${Math.floor(i / drivesPerNode)}` as NodeId, targetId: `drive-${life.device.serial}` as TargetId, isIn: false },
      ]),
    );
    const stores = sites.map((site) => Array.from({ length: storesPerSite }, (_, i) => ({ site, nodeId: `${site}-store-${i}` as NodeId })));
    this.#copies = new ReplayedCopies(fleet, { copies, fill, stores });
    fleet.onLeave = (copy) => {
      const others = this.#copies.standing(copy);
      if (others < copies) this.broken.push(`${copy.datasetId} would have ${others} of ${copies} copies without the one on ${copy.targetId}`);
    };
  }

  /** The instant that the clock of the fleet shows at the beginning of its first day. */
  get dayZeroMs(): number {
    return this.#fleet.clock.nowMs() - (this.#day - this.#fromDay) * dayMs;
  }

  async #build(): Promise<void> {
    const { db } = this.#fleet.store;
    const policy = { ...defaultPolicy, copies: this.#wanted, spread: 'site' as const };
    await db.insert(globalPolicy).values({ policy }).onConflictDoUpdate({ target: globalPolicy.id, set: { policy } });
    await readPrices(db);
    const nodes = [...new Set([...this.#drives.values()].map((drive) => drive.nodeId))].map((nodeId) => ({ nodeId, siteId: siteOfDrives }));
    for (const { nodeId, siteId } of [...nodes, ...this.#copies.storeNodes]) {
      this.#fleet.agents.set(nodeId, new FakeAgent(nodeId, this.#fleet));
      await db
        .insert(node)
        .values({ nodeId, siteId, agentState: 'online', incarnation: 1, lastHeardAtMs: this.#fleet.clock.nowMs(), transferUrl: `http://${nodeId}.test:1` });
    }
    await this.#copies.buildStores();
  }

  /** One day: drives come and go, their agents tell, and what follows is done until the next day begins. */
  async day(told: readonly Told[]): Promise<void> {
    const day = this.#day;
    await this.#comeAndGo(day);
    const dying = this.#dyingOn(day);
    if (dying.length > 0) await this.#die(dying, day);
    await this.#tell(told);
    if ((day - this.#fromDay) % quietDays === 0) this.#look = 'due';
    for (let look = 0; look < looksPerDay; look++) {
      if (this.#look === 'due' || (await this.#isWorkDue())) await this.#lookAndWork();
      this.#look = 'not-due';
      await this.#fleet.clock.advance(dayMs / looksPerDay);
    }
    this.#day++;
  }

  async stop(): Promise<void> {
    await this.#readCertificates();
    for (const one of this.#openCertificates.values()) this.evacuations.push(one);
    this.#openCertificates.clear();
    await this.#fleet.dispatch.stop();
    if (this.#fleet.failures.length > 0)
      throw new Error(`the control loop failed ${this.#fleet.failures.length} times, first: ${String(this.#fleet.failures[0])}`);
  }

  async #comeAndGo(day: number): Promise<void> {
    const coming = [...this.#drives.values()].filter((drive) => !drive.isIn && drive.life.firstDay <= day && drive.life.lastDay >= day);
    for (const drive of coming) drive.isIn = true;
    await this.#copies.fill(coming);
    const going = [...this.#drives.values()].filter((drive) => drive.isIn && !drive.life.failed && drive.life.lastDay < day);
    if (going.length > 0) await this.#takeAway(going, day);
  }

  /** A drive that was only not watched any longer leaves with its data, once nothing of it is on its way. */
  async #takeAway(drives: readonly Drive[], day: number): Promise<void> {
    for (const drive of drives) {
      if (await this.#copies.isMoving(drive.targetId)) continue;
      drive.isIn = false;
      this.#end(drive, day);
      await this.#copies.forget(drive, 'with-target');
      await this.#fleet.store.db.delete(device).where(eq(device.deviceId, drive.life.device.deviceId));
    }
  }

  #dyingOn(day: number): Drive[] {
    return [...this.#drives.values()].filter((drive) => drive.isIn && drive.life.failed && drive.life.lastDay + 1 === day);
  }

  async #die(drives: readonly Drive[], day: number): Promise<void> {
    await this.#readCertificates();
    const snapshot = await loadSnapshot(this.#fleet.store);
    for (const drive of drives) {
      const facts = snapshot.devices.find((one) => one.deviceId === drive.life.device.deviceId)!;
      const stake = stakeOf(snapshot, facts, evacuation);
      this.deaths.push({
        driveId: drive.life.device.serial,
        day,
        copies: stake.datasets.length,
        lost: stake.datasets.filter((one) => one.others === 0).length,
        wasSafe: stake.datasets.every((one) => one.others >= this.#wanted),
        dollars: whenItDies(stake),
      });
      this.#end(drive, day);
      drive.isIn = false;
      await this.#copies.burn(drive);
    }
    this.#look = 'due';
    const atMs = this.#fleet.clock.nowMs();
    await this.#apply(
      drives.map(({ nodeId, targetId }) => {
        const nothing = { capacityBytes: 0, usedBytes: 0, freeBytes: 0, latencyP50Ms: null, latencyP95Ms: null, latencyP99Ms: null };
        const unreachable = { reachable: false, unreachableBecause: 'Input/output error', ...nothing, readBytesPerSec: null, writeBytesPerSec: null };
        return [nodeId, [{ type: 'target-stats', targetId, atMs, ...unreachable }]] as const;
      }),
    );
    for (const drive of drives) await this.#copies.forgetLost(drive);
  }

  async #tell(told: readonly Told[]): Promise<void> {
    const perNode = new Map<NodeId, AgentRecord[]>();
    for (const { life, records } of told) {
      if (records.length === 0) continue;
      const { nodeId } = this.#drives.get(life.device.deviceId)!;
      perNode.set(nodeId, [...(perNode.get(nodeId) ?? []), ...records]);
      if (records.some((record) => record.type === 'assessment' && record.level !== 'healthy')) this.#look = 'due';
    }
    if ((await this.#apply([...perNode])) > 0) this.#look = 'due';
  }

  /** As the ingest stores a batch of each node. Answers the nodes about which something changed that decisions read. */
  async #apply(perNode: readonly (readonly [NodeId, readonly AgentRecord[]])[]): Promise<number> {
    if (perNode.length === 0) return 0;
    const nowMs = this.#fleet.clock.nowMs();
    const batches = perNode.map(([nodeId, content]) => {
      const batch = {
        nodeId,
        incarnation: 1,
        uid: `${nodeId}-${nowMs}`,
        seq: 1,
        prevChain: '',
        chain: '',
        sealedAtMs: nowMs,
        records: content.length,
        poison: false,
      };
      return { isLate: false, batch: { ...batch, content, unreadableBecause: null } };
    });
    return (await this.#fleet.store.transaction((tx) => applyRecords(tx, nowMs, batches, this.#fleet.key.publicKeyPem))).size;
  }

  /** Whether an agent is done with something, or a job waits for the control plane: only then a look changes anything. */
  async #isWorkDue(): Promise<boolean> {
    const nowMs = this.#fleet.clock.nowMs();
    const rows = await this.#fleet.store.db
      .select({ jobId: job.jobId, state: job.state, notBeforeMs: job.notBeforeMs, switchedAtMs: job.switchedAtMs })
      .from(job)
      .where(atWork);
    return rows.some(({ jobId, state, notBeforeMs, switchedAtMs }) => {
      if (state === 'grace' && nowMs < switchedAtMs! + graceMs) return false;
      const due = this.#dueAtMs.get(jobId);
      return due === undefined ? nowMs >= (notBeforeMs ?? 0) : nowMs >= due.atMs;
    });
  }

  async #lookAndWork(): Promise<void> {
    const { clock, store, keeper, agents } = this.#fleet;
    await markHeard(store.db, clock.nowMs(), [...agents.keys()]);
    for (let round = 0; round < roundsPerLook; round++) {
      this.passes++;
      await keeper.pass();
      await keeper.settled();
      if (!(await this.#work())) break;
    }
    await this.#readCertificates();
    await this.#fillAgain();
  }

  /** Agents with work ask for it, do what has had its time, and tell. */
  async #work(): Promise<boolean> {
    const rows = await this.#fleet.store.db.selectDistinct({ mover: job.moverNodeId, source: job.sourceNodeId }).from(job).where(atWork);
    let isDone = false;
    for (const nodeId of new Set(rows.flatMap((row) => [row.mover, row.source]))) {
      const agent = nodeId === null ? undefined : this.#fleet.agents.get(nodeId);
      if (agent === undefined) continue;
      await this.#fleet.ask(agent);
      for (const order of agent.document?.orders ?? []) if (this.#isDue(order) && agent.work(order)) isDone = true;
      await this.#fleet.deliver(agent);
    }
    return isDone;
  }

  /** All bytes of a copy are read once by each of these; the rest takes no time. */
  #isDue(order: Order): boolean {
    if (order.kind !== 'copy' && order.kind !== 'verify' && order.kind !== 'retire') return true;
    const nowMs = this.#fleet.clock.nowMs();
    const step = `${order.epoch} ${order.kind}`;
    const due = this.#dueAtMs.get(order.jobId);
    if (due?.step === step) return nowMs >= due.atMs;
    const { datasetId } = order.kind === 'copy' ? order.destination : order.target;
    this.#dueAtMs.set(order.jobId, { step, atMs: nowMs + (this.#copies.bytesOf(datasetId) / evacuation.copyBytesPerSec) * 1_000 });
    return false;
  }

  /** Certificates that were opened or changed since the last look. */
  async #readCertificates(): Promise<void> {
    const { db } = this.#fleet.store;
    const rows = await db
      .select({ certificateId: certificate.certificateId, deviceId: certificate.deviceId, body: certificate.body, openedAtMs: certificate.openedAtMs })
      .from(certificate);
    const fresh = rows.filter((row) => !this.#openCertificates.has(row.certificateId));
    const snapshot = fresh.some((row) => !this.#closed.has(row.certificateId)) ? await loadSnapshot(this.#fleet.store) : null;
    for (const row of rows) {
      if (this.#closed.has(row.certificateId)) continue;
      const body = JSON.parse(row.body) as CertificateBody;
      const before = this.#openCertificates.get(row.certificateId) ?? this.#evacuationOf(row.deviceId, row.openedAtMs, snapshot!);
      const emptyDay = body.emptyAtMs === null ? null : this.#dayAt(body.emptyAtMs);
      this.#openCertificates.set(row.certificateId, { ...before, emptyDay, outcome: body.outcome?.state ?? null });
    }
  }
  readonly #closed = new Set<string>();

  #evacuationOf(deviceId: DeviceId, openedAtMs: number, snapshot: Awaited<ReturnType<typeof loadSnapshot>>): Evacuation {
    const stake = stakeOf(snapshot, snapshot.devices.find((one) => one.deviceId === deviceId)!, evacuation);
    const moving = stake.datasets.reduce((sum, one) => sum + one.moveDollars, 0) + evacuation.dollarsPerEvacuation;
    const driveId = this.#drives.get(deviceId)!.life.device.serial;
    return {
      driveId,
      openedDay: this.#dayAt(openedAtMs),
      emptyDay: null,
      endedDay: null,
      movingDollars: moving,
      fullDollars: whenItDies(stake),
      outcome: null,
    };
  }

  /** A drive that was emptied and is judged healthy again gets data again, and what left it is done without: what a place is used for is not at stake here. */
  async #fillAgain(): Promise<void> {
    const emptied = [...this.#openCertificates].filter(([, one]) => one.emptyDay !== null);
    if (emptied.length === 0) return;
    const well = await this.#fleet.store.db
      .select({ deviceId: device.deviceId })
      .from(device)
      .where(and(eq(device.level, 'healthy'), isNull(device.evacuatingSinceMs)));
    const wellIds = new Set(well.map((row) => row.deviceId));
    for (const [, one] of emptied) {
      const drive = [...this.#drives.values()].find((each) => each.life.device.serial === one.driveId)!;
      if (!drive.isIn || !wellIds.has(drive.life.device.deviceId) || (await this.#copies.isMoving(drive.targetId))) continue;
      this.#end(drive, this.#dayAt(this.#fleet.clock.nowMs()));
      await this.#copies.forget(drive, 'keep-target');
      await this.#copies.fill([drive]);
    }
  }

  /** What was evacuated from the drive until now is over. */
  #end(drive: Drive, day: number): void {
    for (const [certificateId, one] of this.#openCertificates) {
      if (one.driveId !== drive.life.device.serial) continue;
      this.evacuations.push({ ...one, endedDay: day });
      this.#openCertificates.delete(certificateId);
      this.#closed.add(certificateId);
    }
  }

  #dayAt(atMs: number): number {
    return this.#fromDay + (atMs - this.dayZeroMs) / dayMs;
  }
}

function whenItDies(stake: Stake): number {
  if (stake.datasets.length === 0) return 0;
  return stake.datasets.reduce((sum, one) => sum + one.lossDollars + one.repairDollars, 0) + evacuation.dollarsPerUnplannedRepair;
}
