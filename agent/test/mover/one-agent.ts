import fs from 'node:fs';
import path from 'node:path';
import { type Clock, systemClock } from '@data-in-motion/shared/clock';
import { type FaultHooks, noFaults } from '@data-in-motion/shared/domain/fault-hooks';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { type DesiredDocument, desiredDocument, type Order } from '@data-in-motion/shared/protocol/messages';
import { type AgentRecord, agentRecord, type JobRecord, type RecordOf } from '@data-in-motion/shared/protocol/records';
import { seededRandom, systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { type Journal, openJournal } from '../../src/journal/journal.ts';
import { Migrator } from '../../src/migrate/migrator.ts';
import type { MoverSettings } from '../../src/migrate/mover-settings.ts';
import { noBallast } from '../no-ballast.ts';

export const id = (): string => ulid(Date.now(), systemRandom);

export function targetAt(root: string, targetId = path.basename(root)): TargetDescription {
  fs.mkdirSync(root, { recursive: true });
  return {
    targetId: targetId as TargetDescription['targetId'],
    store: 'posix',
    root,
    tier: 'warm',
    locationKind: 'on-premises',
    provider: 'own',
    region: 'here',
    failureDomain: 'rack-1',
    encryptedAtRest: false,
    priceClass: 'own',
    capacityBytes: null,
    reserveBytes: 0,
    deviceIds: [],
    addedLatencyMs: 0,
  };
}

export interface AgentOptions {
  readonly nodeId?: string;
  readonly faults?: FaultHooks;
  readonly settings?: Partial<MoverSettings>;
  readonly clock?: Clock;
  readonly importRoots?: readonly string[];
  /** May throw, as the outbox does when its disk is full. */
  readonly beforeTell?: (records: readonly AgentRecord[]) => void;
}

/** A migrator with a real journal below a directory, told orders by hand; every record it tells is checked against its schema. */
export class OneAgent {
  readonly nodeId: string;
  readonly home: string;
  readonly targets: TargetDescription[];
  readonly told: AgentRecord[] = [];
  readonly migrator: Migrator;
  readonly #journal: Journal;
  #rev = 0;
  readonly #watchers: (() => void)[] = [];

  constructor(home: string, targetNames: readonly string[], options: AgentOptions = {}) {
    this.home = home;
    this.nodeId = options.nodeId ?? 'node-a';
    this.targets = targetNames.map((name) => targetAt(path.join(home, name)));
    this.#journal = openJournal(path.join(home, 'state', 'journal.db'), noBallast);
    this.migrator = new Migrator({
      nodeId: this.nodeId,
      targets: this.targets,
      importRoots: options.importRoots ?? [path.dirname(home)],
      stateDirectory: path.join(home, 'state'),
      journal: this.#journal,
      tell: (records) => {
        options.beforeTell?.(records);
        for (const record of records) this.told.push(agentRecord.parse(record));
        for (const watcher of this.#watchers.splice(0)) watcher();
      },
      clock: options.clock ?? systemClock,
      random: seededRandom(1),
      faults: options.faults ?? noFaults,
      settings: { quietMs: 0, retellEveryMs: 0, retry: { attempts: 4, firstDelayMs: 5, longestDelayMs: 20 }, ...options.settings },
    });
  }

  order(orders: readonly object[], liveJobs?: readonly string[]): DesiredDocument {
    const document = {
      v: 1,
      nodeId: this.nodeId,
      rev: ++this.#rev,
      inc: 1,
      issuedAtMs: Date.now(),
      orders,
      liveJobs: liveJobs ?? orders.map((order) => (order as Order).jobId),
      watched: [],
    };
    const parsed = desiredDocument.parse(document);
    this.migrator.reconcile(parsed);
    return parsed;
  }

  /** The next record of a job that is one of these events, among those told after `since`. */
  async until(jobId: string, events: readonly JobRecord['event'][], since = 0): Promise<JobRecord> {
    for (;;) {
      const found = this.told
        .slice(since)
        .find((record): record is JobRecord => record.type === 'job' && record.jobId === jobId && events.includes(record.event));
      if (found !== undefined) return found;
      await this.#nextTold();
    }
  }

  /** The next note with this code, among what is told after `since`. */
  async untilNoted(code: string, since = 0): Promise<RecordOf<'note'>> {
    for (;;) {
      const found = this.told.slice(since).find((record): record is RecordOf<'note'> => record.type === 'note' && record.code === code);
      if (found !== undefined) return found;
      await this.#nextTold();
    }
  }

  #nextTold(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#watchers.push(resolve);
    });
  }

  /** Give one order and wait for how it ends. */
  async carryOut(order: object): Promise<JobRecord> {
    const since = this.told.length;
    const { jobId, kind } = order as Order;
    this.order([order]);
    // As the agent asks again now and then: an order that came while its first answer was being given is answered by the next.
    const asking = setInterval(() => this.order([order]), 200);
    try {
      return await this.until(jobId, [...endOf[kind], 'failed'], since);
    } finally {
      clearInterval(asking);
    }
  }

  events(jobId: string): string[] {
    return this.told.flatMap((record) => (record.type === 'job' && record.jobId === jobId ? [record.event] : []));
  }

  path(targetId: string, ...rest: string[]): string {
    return path.join(this.home, targetId, ...rest);
  }

  async stop(): Promise<void> {
    await this.migrator.stop();
    this.#journal.close();
  }
}

const endOf: Record<Order['kind'], JobRecord['event'][]> = {
  scan: ['manifest'],
  copy: ['verified'],
  activate: ['activated'],
  witness: ['witnessed'],
  verify: ['verified', 'mismatched'],
  retire: ['trashed', 'conflict', 'kept'],
  purge: ['purged', 'conflict'],
};

export type Manifested = JobRecord & { event: 'manifest' };

/** Import a directory and place one copy of it: the orders of an import job, one after the other. */
export async function importTo(
  agent: OneAgent,
  source: string,
  targetId: string,
  datasetId: string,
): Promise<{ jobId: string; replicaId: string; version: { root: string; objects: number; bytes: number; versionId: string } }> {
  const jobId = id();
  const replicaId = id();
  const scanned = await agent.carryOut({ kind: 'scan', jobId, epoch: 1, datasetId, source: { kind: 'directory', path: source } });
  if (scanned.event !== 'manifest') throw new Error(JSON.stringify(scanned));
  const version = { versionId: id(), root: scanned.root, objects: scanned.objects, bytes: scanned.bytes };
  const ended = await agent.carryOut({
    kind: 'copy',
    jobId,
    epoch: 1,
    source: { kind: 'import' },
    destination: { targetId, datasetId, replicaId },
    ...version,
  });
  if (ended.event !== 'verified') throw new Error(JSON.stringify(ended));
  return { jobId, replicaId, version };
}
