import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ReplayedFleet } from './replayed-fleet.ts';

/** What became of a fleet that has lived. */
export type LivedFleet = Pick<ReplayedFleet, 'deaths' | 'evacuations' | 'broken' | 'passes'>;

interface Kept {
  readonly livedAt: string;
  readonly fleet: LivedFleet;
}

/** Fleets that lived in earlier runs: each takes a core for a quarter of an hour, and all of them longer than anybody wants to wait at once. */
export class KeptFleets {
  readonly #directory: string;
  readonly #about: unknown;

  /** @param about all that a fleet's life depends on but the code; one that lived with other code is told with its date and not found out */
  constructor(directory: string, about: unknown) {
    this.#directory = directory;
    this.#about = about;
  }

  /** @returns undefined where it has not lived yet */
  read(fleet: unknown): Kept | undefined {
    const file = this.#file(fleet);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept) : undefined;
  }

  keep(fleet: unknown, { deaths, evacuations, broken, passes }: LivedFleet): void {
    mkdirSync(this.#directory, { recursive: true });
    const kept: Kept = { livedAt: new Date().toISOString(), fleet: { deaths, evacuations, broken, passes } };
    const file = this.#file(fleet);
    writeFileSync(`${file}.part`, JSON.stringify(kept));
    renameSync(`${file}.part`, file);
  }

  #file(fleet: unknown): string {
    const name = createHash('sha256')
      .update(JSON.stringify([this.#about, fleet]))
      .digest('hex');
    return path.join(this.#directory, `${name.slice(0, 16)}.json`);
  }
}
