import { chainStart } from '@data-in-motion/shared/chain';
import type { Journal } from './journal.ts';

/** What the agent remembers of itself and of the control plane. */
export interface Memory {
  /** Of the last connection to the bus; grows by one with each, so a late last will is recognised. */
  readonly session: number;
  /** Given by the control plane at the last welcome; 0 before the first. */
  readonly incarnation: number;
  /** Of the newest batch sealed under `incarnation`; 0 when there is none. */
  readonly seq: number;
  /** After that batch. */
  readonly chain: string;
  /** Which life of the control plane's store the acknowledgements are about; null before the first welcome. */
  readonly storeEpoch: string | null;
  /** Batches of `incarnation` up to here can not be lost by the control plane any more. */
  readonly durableUpto: number;
  /** Batches were thinned: what was numbered is numbered anew under a new incarnation before anything more is sent. */
  readonly renumber: boolean;
  /** The control plane's key, pinned at first contact. */
  readonly publicKeyPem: string | null;
}

export interface Meta {
  read(): Memory;
  /** Writes the given fields, as a part of the caller's transaction. */
  write(change: Partial<Memory>): void;
  /** Session number for a connection that is about to be made, on stable storage. @throws Failure `exhausted` (`journal.disk-full`) */
  nextSession(): number;
}

const steps = [
  `create table agent_memory (
     id integer primary key check (id = 1),
     session integer not null,
     incarnation integer not null,
     seq integer not null,
     chain text not null,
     store_epoch text,
     durable_upto integer not null,
     renumber integer not null,
     public_key_pem text
   ) strict`,
  `insert into agent_memory values (1, 0, 0, 0, '${chainStart}', null, 0, 0, null)`,
];

interface Row {
  session: number;
  incarnation: number;
  seq: number;
  chain: string;
  store_epoch: string | null;
  durable_upto: number;
  renumber: number;
  public_key_pem: string | null;
}

/** The agent's memory in its journal. Read from SQLite each time, so a transaction that is undone leaves no trace here. */
export function openMeta(journal: Journal): Meta {
  journal.define('memory', steps);
  const select = journal.db.prepare('select * from agent_memory');
  const update = journal.db.prepare(
    'update agent_memory set session = ?, incarnation = ?, seq = ?, chain = ?, store_epoch = ?, durable_upto = ?, renumber = ?, public_key_pem = ?',
  );
  const read = (): Memory => memoryOf(select.get() as Row);
  const write = (change: Partial<Memory>): void => {
    const next = { ...read(), ...change };
    update.run(next.session, next.incarnation, next.seq, next.chain, next.storeEpoch, next.durableUpto, next.renumber ? 1 : 0, next.publicKeyPem);
  };
  return {
    read,
    write,
    nextSession: () =>
      journal.transaction(() => {
        const session = read().session + 1;
        write({ session });
        return session;
      }),
  };
}

function memoryOf(row: Row): Memory {
  return {
    session: row.session,
    incarnation: row.incarnation,
    seq: row.seq,
    chain: row.chain,
    storeEpoch: row.store_epoch,
    durableUpto: row.durable_upto,
    renumber: row.renumber === 1,
    publicKeyPem: row.public_key_pem,
  };
}
