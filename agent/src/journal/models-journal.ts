import type { Journal } from './journal.ts';

/** The last failure model that was good, so that a restart does not wait for the bus to judge drives. */
export interface ModelsJournal {
  /** JSON text of the artifact; null when rules judge. */
  kept(): string | null;
  /** In place of the one before; committed when this returns. @throws Failure `exhausted` (`journal.disk-full`) */
  keep(artifact: string): void;
  /** Rules judge from now on. @throws as `keep` */
  forget(): void;
}

const steps = ['create table failure_model (id integer primary key check (id = 1), artifact text not null) strict'];

export function openModelsJournal(journal: Journal): ModelsJournal {
  journal.define('models', steps);
  const { db } = journal;
  const select = db.prepare('select artifact from failure_model');
  const upsert = db.prepare('insert into failure_model values (1, ?) on conflict (id) do update set artifact = excluded.artifact');
  const remove = db.prepare('delete from failure_model');
  return {
    kept: () => (select.get() as { artifact: string } | undefined)?.artifact ?? null,
    keep: (artifact) => void journal.transaction(() => upsert.run(artifact)),
    forget: () => void journal.transaction(() => remove.run()),
  };
}
