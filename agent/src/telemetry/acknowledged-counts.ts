import type { Acknowledgement } from '@data-in-motion/shared/domain/acknowledgement';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { desiredDocument } from '@data-in-motion/shared/protocol/messages';
import type { z } from 'zod';
import type { Journal } from '../journal/journal.ts';

const listed = desiredDocument.shape.acknowledged;
type Listed = z.infer<typeof listed>;

/** What a person acknowledged of this host's drives, as the control plane told it last. With a journal it is known at the next start, before the bus is there. */
export class AcknowledgedCounts {
  readonly #journal: Journal | null;
  #kept = '[]';
  #byDevice: ReadonlyMap<DeviceId, Acknowledgement> = new Map();

  constructor(journal: Journal | null) {
    this.#journal = journal;
    if (journal === null) return;
    journal.define('acknowledged_counts', ['CREATE TABLE acknowledged_counts (id INTEGER PRIMARY KEY CHECK (id = 1), list TEXT NOT NULL) STRICT']);
    const row = journal.db.prepare('SELECT list FROM acknowledged_counts').get() as { list: string } | undefined;
    if (row !== undefined) this.#hold(row.list);
  }

  of(deviceId: DeviceId): Acknowledgement | null {
    return this.#byDevice.get(deviceId) ?? null;
  }

  /** The whole list is the truth: a drive that is not in it has nothing acknowledged any more. */
  take(list: Listed): void {
    const text = JSON.stringify(list);
    if (text === this.#kept) return;
    this.#journal?.transaction(() => {
      this.#journal?.db.prepare('INSERT OR REPLACE INTO acknowledged_counts (id, list) VALUES (1, ?)').run(text);
    });
    this.#hold(text);
  }

  /** A damaged list is none: the next document brings it whole. */
  #hold(text: string): void {
    try {
      const list = listed.parse(JSON.parse(text));
      this.#kept = text;
      this.#byDevice = new Map(list.map(({ deviceId, ...acknowledged }) => [deviceId as DeviceId, acknowledged]));
    } catch {
      this.#byDevice = new Map();
    }
  }
}
