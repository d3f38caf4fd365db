import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import { artifactHash } from '@data-in-motion/shared/model-identity';
import type { DesiredDocument, FaultDocument, ModelDocument } from '@data-in-motion/shared/protocol/messages';
import { batchRecords } from '@data-in-motion/shared/protocol/messages';
import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import { type PayloadOf, parseTopic, topicFor, topics } from '@data-in-motion/shared/protocol/topics';
import { newPrivateKeyPem, type SigningKey, signBody, signingKey } from '@data-in-motion/shared/signature';
import { ReferenceControlPlane } from './reference-control-plane.ts';

/** Enough of a control plane for one agent: welcomes, acknowledges, answers asks with whatever document is set. */
export class ControlPlaneStub {
  readonly key: SigningKey = signingKey(newPrivateKeyPem());
  readonly records: AgentRecord[] = [];
  readonly boots: PayloadOf<'boot'>[] = [];
  readonly reference = new ReferenceControlPlane();
  /** While false nothing is answered. */
  answers = true;
  asks = 0;
  desired: Pick<DesiredDocument, 'rev' | 'orders' | 'liveJobs' | 'watched'> | undefined;
  readonly #nodeId: string;
  readonly #publish: (topic: string, text: string, retain?: boolean) => void;
  readonly #waiting = new Set<() => void>();
  readonly #uids = new Set<string>();

  constructor(nodeId: string, publish: (topic: string, text: string, retain?: boolean) => void) {
    this.#nodeId = nodeId;
    this.#publish = publish;
  }

  /** Everything on the bus goes through here. */
  hear(topic: string, text: string): void {
    const name = parseTopic(topic)?.name;
    if (name === 'boot') this.#onBoot(topics.boot.payload.parse(JSON.parse(text)));
    if (name === 'batch') this.#onBatch(topics.batch.payload.parse(JSON.parse(text)));
    if (name === 'ask') this.#onAsk(topics.ask.payload.parse(JSON.parse(text)));
    for (const look of this.#waiting) look();
  }

  /** Resolves when the condition holds; looked at after each message. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  untilTold(matches: (record: AgentRecord) => boolean): Promise<void> {
    return this.until(() => this.records.some(matches));
  }

  order(document: NonNullable<ControlPlaneStub['desired']>): void {
    this.desired = document;
    this.#say('nudge', { v: 1, rev: document.rev });
  }

  fault(document: Omit<FaultDocument, 'v' | 'nodeId' | 'issuedAtMs'>, key: SigningKey = this.key): void {
    const body = JSON.stringify({ v: 1, nodeId: this.#nodeId, issuedAtMs: Date.now(), ...document });
    this.#say('fault', { v: 1, ...signBody(body, key) });
  }

  /** Retained, as the control plane tells it. */
  model(artifact: FailureModel | null, { key = this.key, ...change }: { key?: SigningKey } & Partial<ModelDocument> = {}): void {
    const hash = artifact === null ? null : artifactHash(JSON.stringify(artifact));
    const document = { v: 1, kind: 'model', issuedAtMs: Date.now(), version: artifact?.version ?? null, artifactHash: hash, artifact, ...change };
    this.#publish(topicFor('model'), JSON.stringify({ v: 1, ...signBody(JSON.stringify(document), key) }), true);
  }

  #onBoot(boot: PayloadOf<'boot'>): void {
    this.boots.push(boot);
    if (this.answers) this.#say('welcome', { v: 1, ...this.reference.welcome(boot), publicKeyPem: this.key.publicKeyPem, atMs: Date.now() });
  }

  #onBatch(batch: PayloadOf<'batch'>): void {
    if (!this.answers) return;
    if (!this.#uids.has(batch.uid)) this.records.push(...batchRecords.parse(JSON.parse(batch.records)));
    this.#uids.add(batch.uid);
    const ack = this.reference.ingest(batch);
    this.reference.flush();
    this.#say('ack', ack);
  }

  #onAsk(ask: PayloadOf<'ask'>): void {
    this.asks++;
    if (this.desired === undefined || !this.answers) return;
    const body = JSON.stringify({ v: 1, nodeId: this.#nodeId, inc: ask.inc, issuedAtMs: Date.now(), ...this.desired });
    this.#say('desired', { v: 1, ...signBody(body, this.key) });
  }

  #say<Name extends 'welcome' | 'ack' | 'nudge' | 'desired' | 'fault'>(name: Name, payload: PayloadOf<Name>): void {
    this.#publish(topicFor(name, this.#nodeId), JSON.stringify(payload));
  }
}
