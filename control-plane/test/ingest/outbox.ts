import { chainAfter, chainStart } from '@data-in-motion/shared/chain';
import type { BatchMessage, BootMessage } from '@data-in-motion/shared/protocol/messages';
import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import type { TopicName } from '@data-in-motion/shared/protocol/topics';
import { seededRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import type { Bus, MessageHandler, RefusalHandler } from '../../src/broker/bus.ts';

export const startMs = Date.UTC(2026, 0, 1);
const random = seededRandom(11);
export const nextUlid = (): string => ulid(startMs, random);

/** An agent's outbox without a disk: seals batches into a chain, for one life after the other. */
export class Outbox {
  readonly nodeId: string;
  inc = 1;
  #seq = 0;
  #chain = chainStart;

  constructor(nodeId: string) {
    this.nodeId = nodeId;
  }

  get seq(): number {
    return this.#seq;
  }

  get chain(): string {
    return this.#chain;
  }

  seal(content: readonly AgentRecord[] | string, uid = nextUlid()): BatchMessage {
    const records = typeof content === 'string' ? content : JSON.stringify(content);
    const prevChain = this.#chain;
    this.#chain = chainAfter(prevChain, records);
    return { v: 1, uid, inc: this.inc, seq: ++this.#seq, prevChain, chain: this.#chain, sealedAtMs: startMs, records };
  }

  /** The next life: these batches are placed anew, under the names they have. */
  restart(inc: number, unacknowledged: readonly BatchMessage[] = []): BatchMessage[] {
    this.inc = inc;
    this.#seq = 0;
    this.#chain = chainStart;
    return unacknowledged.map((batch) => this.seal(batch.records, batch.uid));
  }
}

export function bootOf(outbox: Outbox, over: Partial<BootMessage> = {}): BootMessage {
  return {
    v: 1,
    bootUid: nextUlid(),
    nodeId: outbox.nodeId as BootMessage['nodeId'],
    siteId: 'here' as BootMessage['siteId'],
    host: 'host',
    agentVersion: '0.1.0',
    lastIncarnation: 0,
    lastSeq: 0,
    chain: chainStart,
    transferUrl: null,
    importRoots: [],
    targets: [],
    faultsAllowed: false,
    modelVersion: null,
    ...over,
  };
}

const id = <T>(name: string): T => name as T;

export function seen(deviceId: string): AgentRecord {
  return {
    type: 'device-seen',
    deviceId: id(deviceId),
    serial: 'S1',
    model: 'M',
    kind: 'hdd',
    transport: 'ata',
    capacityBytes: 4e12,
    firmware: null,
    path: '/dev/sda',
  };
}

export function reading(deviceId: string, atMs: number): AgentRecord {
  return {
    type: 'reading',
    deviceId: id(deviceId),
    atMs,
    recordedDay: null,
    source: 'simulated',
    status: 'read',
    unreadableBecause: null,
    selfAssessmentPassed: true,
    temperatureCelsius: 31,
    powerOnHours: 100,
    smart: { '5': 0, '9': 100, '187': 0, '188': 0, '194': 31, '197': 0, '198': 0 },
    nvme: null,
  };
}

export function assessment(deviceId: string, atMs: number, level: 'healthy' | 'watch' | 'at-risk' | 'failing' | 'unknown'): AgentRecord {
  return {
    type: 'assessment',
    deviceId: id(deviceId),
    atMs,
    recordedDay: null,
    level,
    probability: level === 'failing' ? 0.9 : 0.01,
    probability7: null,
    horizonDays: 30,
    judge: { kind: 'rule', name: 'five', version: '1' },
    reasons: level === 'healthy' ? [] : [{ text: '197 is 8', attribute: 'smart.197', value: 8 }],
  };
}

export function access(datasetId: string, accessId: string, atMs: number, count = 1, kind: 'read' | 'write' = 'read'): AgentRecord {
  return { type: 'access', accessId, datasetId: id(datasetId), kind, count, bytes: count * 100, atMs, latencyMs: null, source: 'file-times' };
}

interface Published {
  readonly name: TopicName;
  readonly identity: string;
  readonly payload: Record<string, unknown>;
}

/** A bus without a network. `deliver` resolves when the message was taken, `published` is what the control plane said. */
export class TestBus implements Bus {
  readonly kind = 'embedded';
  readonly published: Published[] = [];
  #handler: MessageHandler | undefined;
  #refused: RefusalHandler | undefined;
  #waiting: (() => void)[] = [];

  async publish(name: TopicName, identity: string, payload: unknown): Promise<void> {
    this.published.push({ name, identity, payload: payload as Record<string, unknown> });
    for (const check of this.#waiting.splice(0)) check();
  }
  onMessage(handler: MessageHandler): void {
    this.#handler = handler;
  }
  onRefused(handler: RefusalHandler): void {
    this.#refused = handler;
  }
  async deliver(name: TopicName, identity: string, payload: unknown): Promise<void> {
    await this.#handler?.(name, identity, Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload)));
  }
  refuse(topic: string, identity: string, because: string): void {
    this.#refused?.(topic, identity, Buffer.from('x'), because);
  }
  /** The first published message that fits, now or later. */
  async said(fits: (published: Published) => boolean): Promise<Published> {
    for (;;) {
      const found = this.published.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
  connected(): boolean {
    return true;
  }
  clients() {
    return [];
  }
  topicCounts() {
    return [];
  }
  disconnect(): void {}
  async close(): Promise<void> {}
}
