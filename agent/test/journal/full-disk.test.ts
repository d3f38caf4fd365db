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

test.skipIf(!canMount)('on a full disk copies, sessions and faults are noted by what the ballast gives back, and it is said when that is used up', () =>
  onSmallDisk(directory, 4, async () => {
    const ballast = openBallast(path.join(directory, 'ballast'), 1_000_000);
    const journal = openJournal(path.join(directory, 'agent.db'), ballast);
    const meta = openMeta(journal);
    const mover = openMigrationsJournal(journal, () => 0);
    const undo = openUndoLog(journal);
    undo.begin({ experimentId: 'armed', kind: 'kind', detail: '{}' }, 0);
    const writes = [
      () => mover.saveCopy({ ...copy, jobId: 'job' }),
      () => meta.nextSession(),
      () => undo.refuse('refused', 'kind', 0),
      () => undo.finish('armed'),
    ];
    for (const write of writes) {
      expect(ballast.restore()).toBe(true);
      const filler = fillUp(directory);
      for (let i = 0; i < 200; i++) write();
      rmSync(filler);
    }
    expect(undo.pending()).toEqual([]);
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
