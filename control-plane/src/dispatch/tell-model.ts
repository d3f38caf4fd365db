import type { Clock } from '@data-in-motion/shared/clock';
import { asFailure, type Failure } from '@data-in-motion/shared/failure';
import type { ModelDocument } from '@data-in-motion/shared/protocol/messages';
import { type SigningKey, signBody } from '@data-in-motion/shared/signature';
import { and, eq, sql } from 'drizzle-orm';
import type { Bus } from '../broker/bus.ts';
import type { Db, Store } from '../store/database.ts';
import { activeVersion, readModel } from '../store/failure-models.ts';
import { node } from '../store/schema.ts';

export interface ModelTellerParts {
  readonly store: Store;
  readonly bus: Pick<Bus, 'publish'>;
  readonly signingKey: SigningKey;
  readonly clock: Clock;
  readonly onFailure: (failure: Failure) => void;
}

/** While a connected agent runs another model: an outside broker may have lost what it was to retain. Rare, since some agents can not run it at all. */
const tellAgainMs = 600_000;

/** Has the fleet's topic for models carry the active one, retained, so that an agent has it as soon as it comes. */
export class ModelTeller {
  readonly #parts: ModelTellerParts;
  /** What the broker has taken from us; undefined until it took something. */
  #told: string | null | undefined;
  #toldAtMs = 0;
  #isTelling = false;

  constructor(parts: ModelTellerParts) {
    this.#parts = parts;
  }

  /** Tell the active model, or that there is none, unless that is known. Does not wait for the broker: what it did not take is told again the next time. */
  async tellChanged(): Promise<void> {
    const { store, bus, signingKey, onFailure, clock } = this.#parts;
    const active = (await activeVersion(store.db)) ?? null;
    if (this.#isTelling || !(await this.#isDue(active))) return;
    const document = await this.#document(active);
    this.#isTelling = true;
    bus
      .publish('model', '', { v: 1, ...signBody(JSON.stringify(document), signingKey) })
      .then(
        () => {
          this.#told = active;
          this.#toldAtMs = clock.monotonicMs();
        },
        (thrown: unknown) => onFailure(asFailure(thrown)),
      )
      .finally(() => {
        this.#isTelling = false;
      });
  }

  async #isDue(active: string | null): Promise<boolean> {
    if (active !== this.#told) return true;
    const { store, clock } = this.#parts;
    return clock.monotonicMs() - this.#toldAtMs >= tellAgainMs && (await isAnyOther(store.db, active));
  }

  async #document(active: string | null): Promise<ModelDocument> {
    const { store } = this.#parts;
    const issuedAtMs = await store.nowMs();
    const row = active === null ? undefined : await readModel(store.db, active);
    if (row === undefined) return { v: 1, kind: 'model', issuedAtMs, version: null, artifactHash: null, artifact: null };
    const { version, artifactHash, artifact } = row;
    return { v: 1, kind: 'model', issuedAtMs, version, artifactHash, artifact: JSON.parse(artifact) };
  }
}

async function isAnyOther(db: Db, active: string | null): Promise<boolean> {
  const others = await db
    .select({ nodeId: node.nodeId })
    .from(node)
    .where(and(eq(node.connected, true), sql`${node.modelVersion} is distinct from ${active}`))
    .limit(1);
  return others.length > 0;
}
