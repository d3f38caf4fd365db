import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBallast } from '../../src/journal/ballast.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { openMeta } from '../../src/journal/meta.ts';
import { openMigrationsJournal } from '../../src/journal/migrations-journal.ts';
import { openUndoLog } from '../../src/journal/undo.ts';
import { canMount, fillUp, onSmallDisk } from '../small-disk.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-full-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const copy = { epoch: 1, targetId: 'one', datasetId: 'letters', replicaId: 'r', root: 'x'.repeat(2_000), leavesDone: 1, movedBytes: 1 };
const diskFull = expect.objectContaining({ kind: 'exhausted', code: 'journal.disk-full' });

test.skipIf(!canMount)('on a full disk each noun of the journal writes on by what the ballast gives back, and says so when that is used up', () =>
  onSmallDisk(directory, 4, async () => {
    const ballast = openBallast(path.join(directory, 'ballast'), 1_000_000);
    const journal = openJournal(path.join(directory, 'agent.db'), ballast);
    const meta = openMeta(journal);
    const mover = openMigrationsJournal(journal, () => 0);
    const undo = openUndoLog(journal);
    expect(ballast.restore()).toBe(true);
    for (let n = 0; ; n++) {
      const filler = fillUp(directory);
      const write = [() => mover.saveCopy({ ...copy, jobId: `job ${n}` }), () => void meta.nextSession(), () => undo.refuse(`${n}`, 'kind', 0)][n % 3]!;
      for (let i = 0; i < 200; i++) write();
      if (n === 2) break;
      rmSync(filler);
      expect(ballast.restore()).toBe(true);
    }
    fillUp(directory);
    let written = 0;
    expect(() => {
      for (;;) mover.saveCopy({ ...copy, jobId: `last ${written++}` });
    }).toThrow(diskFull);
    expect(() => {
      for (;;) meta.nextSession();
    }).toThrow(diskFull);
    expect(mover.copy(`last ${written - 1}`)).toBe(undefined);
    expect(mover.copies()).toHaveLength(written);
    journal.close();
  }),
);
