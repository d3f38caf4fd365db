import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { noBallast } from '../../test/no-ballast.ts';
import { openJournal } from './journal.ts';
import { openMigrationsJournal } from './migrations-journal.ts';

const day = 86_400_000;

test('what was used and witnessed is forgotten after a year, but never which copy of a dataset was made current last', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'dim-migrations-'));
  const journal = openJournal(path.join(directory, 'agent.db'), noBallast);
  onTestFinished(() => {
    journal.close();
    rmSync(directory, { recursive: true });
  });
  let nowMs = 0;
  const migrations = openMigrationsJournal(journal, () => nowMs);
  const permit = { permitId: 'p', kind: 'purge', targetId: 'one', replicaId: 'r' } as const;
  migrations.usePermit(permit);
  migrations.usePermit({ ...permit, replicaId: 'other' });
  expect(migrations.permit('p')).toEqual(permit);
  const place = { targetId: 'one', datasetId: 'letters', certificate: 'c' };
  for (const rev of [1, 2, 3]) migrations.saveCertificate({ ...place, jobId: `job ${rev}`, role: 'activate', replicaId: `r${rev}`, rev });
  migrations.saveCertificate({ jobId: 'job 9', role: 'witness', targetId: null, datasetId: null, replicaId: 'r9', rev: 9, certificate: 'c' });
  nowMs = 364 * day;
  migrations.forgetJobsExcept([], nowMs);
  expect(migrations.certificates()).toHaveLength(4);
  nowMs = 366 * day;
  migrations.forgetJobsExcept([], nowMs);
  expect(migrations.permit('p')).toBeUndefined();
  expect(migrations.certificates().map(({ replicaId }) => replicaId)).toEqual(['r3']);
  expect(migrations.currentRev('one', 'letters')).toBe(3);
});
