import { hostname } from 'node:os';
import path from 'node:path';
import type { Clock } from '@data-in-motion/shared/clock';
import { asFailure, type Failure, wordsOf } from '@data-in-motion/shared/failure';
import type { Random } from '@data-in-motion/shared/random';
import { EwmaCounter } from './access/ewma.ts';
import { startFileTimesWatcher } from './access/file-times.ts';
import type { AgentConfig } from './config.ts';
import { armedFaults } from './faults/armed.ts';
import { skewedClock } from './faults/clock-skew.ts';
import { openHostProbes } from './host-probes.ts';
import { openBallast } from './journal/ballast.ts';
import { openJournal } from './journal/journal.ts';
import { openMeta } from './journal/meta.ts';
import { openModelsJournal } from './journal/models-journal.ts';
import { openOutbox, outboxDefaults } from './journal/outbox.ts';
import { openOutboxRows } from './journal/outbox-rows.ts';
import { type Salvaged, salvageUndelivered } from './journal/salvage.ts';
import { openUndoLog } from './journal/undo.ts';
import { Delivery, deliveryDefaults } from './link/delivery.ts';
import { FleetModel } from './link/fleet-model.ts';
import type { Link } from './link/link.ts';
import { publishOutbox } from './link/publish-outbox.ts';
import { receiveCommands } from './link/receive-commands.ts';
import { WeatheredLink } from './link/weathered-link.ts';
import { Migrator } from './migrate/migrator.ts';
import type { Note } from './telemetry/device-probe.ts';
import { startSampler } from './telemetry/sampler.ts';
import { startTransferServer } from './transfer/serve-replicas.ts';

/** What is said about the agent itself, for whoever runs it. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface AgentParts {
  readonly config: AgentConfig;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The way to the bus; sessions are numbered by the agent's journal. */
  makeLink(parts: { nextSession: () => number; clock: Clock }): Link;
  /** Ends the process as `kill -9` does; only for armed faults and failpoints. */
  kill(): void;
  /** Our own invariant is broken: the process is to end, and the journal resumes it. */
  onDefect(failure: Failure): void;
}

export interface RunningAgent {
  readonly link: Link;
  /** Where other agents pull replicas from. */
  readonly transferUrl: string;
  /** Ends what runs at a safe place, says goodbye, and closes the journal. */
  stop(): Promise<void>;
}

/** The same trouble is told to the control plane this often at most; the log has it each time. */
const troubleEveryMs = 60_000;
/** Switch certificates that are told to a store that began a new life. */
const mostCertificates = 2_000;

/**
 * One agent: what a crash left is put right first (journal, then faults), then everything is started, the link last.
 *
 * @throws Failure `refused` when another process owns the state directory, or a recording or address in the settings can not be used
 */
export async function startAgent(parts: AgentParts): Promise<RunningAgent> {
  const { config, random, log } = parts;
  const trueClock = parts.clock;
  let clockOffsetMs = (): number => 0;
  let crashPoint = (_: string): void => {};
  const clock = skewedClock(trueClock, () => clockOffsetMs());
  const wallMs = (): number => Math.max(0, Math.floor(clock.nowMs()));

  const ballast = openBallast(path.join(config.stateDirectory, 'ballast'), config.ballastBytes);
  const journal = openJournal(path.join(config.stateDirectory, 'agent.db'), ballast);
  const meta = openMeta(journal);
  const rows = openOutboxRows(journal, meta);
  ballast.restore();
  const outbox = openOutbox({
    journal,
    meta,
    rows,
    ballast,
    clock,
    random,
    failpoint: (name) => crashPoint(name),
    onFull: (failure) => log.error({ code: failure.code }, wordsOf(failure)),
    settings: outboxDefaults,
  });
  const { tell } = outbox;

  const note: Note = (severity, code, message, ids = {}) =>
    tell([{ type: 'note', atMs: wallMs(), severity, code, message: message.slice(0, 2_000), ids: { ...ids } }]);
  const toldAtMs = new Map<string, number>();
  const trouble = (code: string, message: string): void => {
    log.warn({ code }, message);
    const lastMs = toldAtMs.get(code);
    if (lastMs !== undefined && trueClock.monotonicMs() - lastMs < troubleEveryMs) return;
    toldAtMs.set(code, trueClock.monotonicMs());
    note('warning', code, message);
  };
  const failed = (failure: Failure): void => {
    if (failure.kind === 'defect') parts.onDefect(failure);
    else trouble(failure.code, failure.message);
  };
  /** Doors through which messages come: nothing that is thrown behind them goes further. */
  let isStopping = false;
  const atDoor = (work: () => void | Promise<void>): void => {
    if (isStopping) return;
    void (async () => work())().catch((thrown) => failed(asFailure(thrown)));
  };

  const { probes, drives } = await openHostProbes(config, clock, note);
  const faults = armedFaults({
    nodeId: config.nodeId,
    targets: config.targets,
    drives,
    log: openUndoLog(journal),
    tell: (record) => tell([record], 'now'),
    clock: trueClock,
    allowed: config.faultsAllowed,
    failpoint: config.failpoint,
    kill: parts.kill,
  });
  await faults.undoLeftovers();
  clockOffsetMs = faults.clockOffsetMs;
  crashPoint = faults.failpoint;
  sayHowItStopped(journal, journal.movedAsideTo === null ? null : salvageUndelivered(journal.movedAsideTo, journal, rows), note);

  const model = new FleetModel({ meta, models: openModelsJournal(journal), tell, clock, onTrouble: trouble });
  const publicKeyPem = (): string | null => meta.read().publicKeyPem;
  const migrator = new Migrator({
    nodeId: config.nodeId,
    targets: config.targets,
    importRoots: config.importRoots,
    stateDirectory: config.stateDirectory,
    journal,
    tell,
    clock,
    random,
    faults,
    settings: { quietMs: config.quietMs, bytesPerSecPerTarget: config.bytesPerSecPerTarget },
  });
  const transfer = await startTransferServer({
    host: config.transfer.host,
    port: config.transfer.port,
    nodeId: config.nodeId,
    publicKeyPem,
    openSource: (source, signal) => migrator.openSource(source, signal),
    clock,
  });
  const transferUrl = config.transfer.advertisedUrl ?? transfer.url;

  const watcher = startFileTimesWatcher({
    targets: config.targets,
    tell,
    ewma: new EwmaCounter(journal),
    clock,
    // The mover stamps with the agent's clock, files are stamped by the kernel's: they differ while a fault skews ours.
    lastOwnReadAtMs: (replicaId) => {
      const readAtMs = migrator.lastOwnReadAtMs(replicaId);
      return readAtMs === null ? null : readAtMs - clockOffsetMs();
    },
    kernelNowMs: () => trueClock.nowMs(),
    settings: { everyMs: config.telemetry.fileTimesEveryMs },
  });

  const link = new WeatheredLink(parts.makeLink({ nextSession: () => meta.nextSession(), clock }), faults.link, trueClock, 1);
  faults.onChange(() => link.weatherChanged());

  /** Listings one after the other; the last one's end. */
  let listed: Promise<void> = Promise.resolve();
  const tellInventory = (): Promise<void> => {
    listed = listed
      .catch(() => {})
      .then(async () => {
        if (!isStopping) tell(await migrator.inventory(), 'now');
      });
    return listed;
  };

  /** A store that began a new life may have lost switches: it hears again what this agent keeps of them. */
  let knownEpoch = meta.read().storeEpoch;
  const tellCertificates = (): void => {
    const { storeEpoch } = meta.read();
    const isNew = knownEpoch !== null && knownEpoch !== storeEpoch;
    knownEpoch = storeEpoch;
    if (!isNew) return;
    // Names of jobs grow with time: the newest are told, far more than a store can lose.
    const newest = [...migrator.certificates()].sort((a, b) => (a.jobId < b.jobId ? 1 : -1)).slice(0, mostCertificates);
    tell(
      newest.reverse().map(({ role, certificate }) => ({ type: 'switch-certificate' as const, atMs: wallMs(), role, certificate })),
      'now',
    );
  };

  let loggedRev = -1;
  const commands = receiveCommands({
    link,
    meta,
    nodeId: config.nodeId,
    clock,
    random,
    onDesired: (document) =>
      atDoor(() => {
        if (document.rev !== loggedRev) log.info({ rev: document.rev, orders: document.orders.length }, 'orders');
        loggedRev = document.rev;
        migrator.reconcile(document);
        watcher.watch(document.watched);
        sampler.acknowledge(document.acknowledged);
      }),
    onFault: (document) => atDoor(() => faults.receive(document)),
    onTrouble: trouble,
  });
  link.on('model', (signed) => atDoor(() => model.receive(signed)));
  const publisher = publishOutbox({
    link,
    delivery: new Delivery({ journal, meta, rows, random, settings: deliveryDefaults }, trueClock.nowMs()),
    outbox,
    meta,
    clock,
    random,
    failpoint: faults.failpoint,
    identity: () => ({
      nodeId: config.nodeId,
      siteId: config.siteId,
      host: hostname(),
      agentVersion: parts.version,
      transferUrl,
      importRoots: [...config.importRoots],
      targets: config.targets.map((target) => ({ ...target, deviceIds: [...target.deviceIds] })),
      faultsAllowed: config.faultsAllowed,
      modelVersion: model.version,
    }),
    controlPlaneKeyId: config.controlPlaneKeyId,
    onWelcomed: () => {
      log.info({ incarnation: meta.read().incarnation }, 'welcomed by the control plane');
      atDoor(tellCertificates);
      atDoor(() => model.keyKnown());
      commands.ask();
      // A node that comes back is believed only after the control plane has seen what it holds.
      atDoor(tellInventory);
    },
    onTrouble: trouble,
    onFailure: failed,
  });

  const sampler = startSampler({
    probes,
    targets: config.targets,
    tell,
    absentBecause: (target) => migrator.absentBecause(target),
    clock,
    random,
    faults,
    journal,
    model: () => model.current(),
    settings: {
      deviceEveryMs: config.telemetry.deviceEveryMs,
      targetEveryMs: config.telemetry.targetEveryMs,
      targetToldEveryMs: config.telemetry.targetToldEveryMs,
    },
  });
  link.start();
  log.info({ targets: config.targets.length, transferUrl }, 'agent started');

  return {
    link,
    transferUrl,
    async stop() {
      isStopping = true;
      await commands.stop();
      await Promise.all([sampler.stop(), watcher.stop(), migrator.stop()]);
      await transfer.close();
      await faults.stop();
      await listed.catch(() => {});
      outbox.close();
      await publisher.stop();
      await link.stop();
      journal.close();
      log.info({}, 'agent stopped');
    },
  };
}

function sayHowItStopped({ uncleanStop, movedAsideTo }: { uncleanStop: boolean; movedAsideTo: string | null }, salvaged: Salvaged | null, note: Note): void {
  if (salvaged !== null) {
    const { saved, found } = salvaged;
    note('error', 'journal.damaged', `the journal was damaged and is kept as ${movedAsideTo}; ${saved} of ${found} undelivered batches found in it were saved`);
  } else if (uncleanStop) note('info', 'agent.unclean-stop', 'the last process ended without closing its journal; everything was resumed from it');
}
