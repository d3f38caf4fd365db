import type { Clock } from '@data-in-motion/shared/clock';
import { FailureJudge, type FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { ModelVersion } from '@data-in-motion/shared/domain/ids';
import { modelFault } from '@data-in-motion/shared/domain/model-fault';
import { artifactHash, contentVersion } from '@data-in-motion/shared/model-identity';
import { modelDocument } from '@data-in-motion/shared/protocol/messages';
import { isSignedBy, keyThumbprint, type Signed } from '@data-in-motion/shared/signature';
import type { Meta } from '../journal/meta.ts';
import type { ModelsJournal } from '../journal/models-journal.ts';
import type { Tell } from '../journal/outbox.ts';

export interface FleetModelParts {
  readonly meta: Pick<Meta, 'read'>;
  readonly models: ModelsJournal;
  readonly tell: Tell;
  readonly clock: Clock;
  readonly onTrouble: (code: string, what: string) => void;
}

/**
 * The failure model of the fleet as this agent has it: the last that the pinned key signed, that is whole and can be run here. What is not, is told
 * (`model.refused`) and changes nothing.
 */
export class FleetModel {
  readonly #parts: FleetModelParts;
  #judge: FailureJudge | null = null;
  /** Came before its signer's key was known. */
  #waiting: Signed | null = null;
  /** Of the newest document that was taken: what the bus held back does not replace what came after it. */
  #issuedAtMs = 0;

  constructor(parts: FleetModelParts) {
    this.#parts = parts;
    this.#judge = this.#resumed();
  }

  /** What judges drives now; null: the rules. */
  current(): FailureJudge | null {
    return this.#judge;
  }

  get version(): ModelVersion | null {
    return (this.#judge?.model.version ?? null) as ModelVersion | null;
  }

  /** @throws Failure `exhausted` (`journal.disk-full`); the model before stays */
  receive(signed: Signed): void {
    const { publicKeyPem } = this.#parts.meta.read();
    this.#waiting = publicKeyPem === null || keyThumbprint(publicKeyPem) !== signed.keyId ? signed : null;
    if (publicKeyPem === null) return;
    const opened = openedModel(signed, publicKeyPem);
    if ('refused' in opened) this.#refuse(opened.refused);
    else if (opened.issuedAtMs >= this.#issuedAtMs) this.#take(opened);
  }

  /** The control plane's key is known now: what came too early is looked at. */
  keyKnown(): void {
    if (this.#waiting !== null) this.receive(this.#waiting);
  }

  #take({ issuedAtMs, model }: OpenedModel): void {
    const { models, tell, clock } = this.#parts;
    this.#issuedAtMs = issuedAtMs;
    if ((model?.version ?? null) === this.version) return;
    if (model === null) models.forget();
    else models.keep(JSON.stringify(model));
    this.#judge = model === null ? null : new FailureJudge(model);
    tell([{ type: 'model-running', atMs: Math.max(0, Math.floor(clock.nowMs())), version: this.version }], 'now');
  }

  #refuse(because: string): void {
    this.#parts.onTrouble(
      'model.refused',
      `a failure model was refused: ${because}; ${this.#judge === null ? 'the rules judge' : `${this.version} judges on`}`,
    );
  }

  /** An agent of another release may not be able to run what the one before kept. */
  #resumed(): FailureJudge | null {
    const kept = this.#parts.models.kept();
    if (kept === null) return null;
    const model = parseJson(kept);
    const fault = modelFault(model);
    if (fault === null) return new FailureJudge(model as FailureModel);
    this.#refuse(fault);
    return null;
  }
}

interface OpenedModel {
  readonly issuedAtMs: number;
  /** Null: there is none, the rules are to judge. */
  readonly model: FailureModel | null;
}

/** What a signed message brings, or why it is not believed. */
function openedModel(signed: Signed, publicKeyPem: string): OpenedModel | { readonly refused: string } {
  if (!isSignedBy(signed, publicKeyPem)) return { refused: `it is signed by ${signed.keyId}, not by the pinned key` };
  const parsed = modelDocument.safeParse(parseJson(signed.body));
  if (!parsed.success) return { refused: `it does not parse: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}` };
  const { version, artifactHash: told, artifact = null, issuedAtMs } = parsed.data;
  if (version === null && told === null && artifact === null) return { issuedAtMs, model: null };
  if (artifactHash(JSON.stringify(artifact)) !== told) return { refused: 'its hash is not the one that was told' };
  const fault = modelFault(artifact);
  if (fault !== null) return { refused: fault };
  const model = artifact as FailureModel;
  if (model.version !== version || contentVersion(model) !== version) return { refused: 'its content is not what its name says' };
  return { issuedAtMs, model };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
