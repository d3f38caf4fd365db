import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import type { Clock } from '@data-in-motion/shared/clock';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import { someoneWaits } from '@data-in-motion/shared/in-slices';
import type { Loop } from '@data-in-motion/shared/loop';
import type { Random } from '@data-in-motion/shared/random';
import { type ServerType, serve } from '@hono/node-server';
import type { Logger } from 'pino';
import { createApp } from './api/app.ts';
import { FleetReader } from './api/fleet-reader.ts';
import type { Bus } from './broker/bus.ts';
import { startEmbeddedBus } from './broker/embedded-bus.ts';
import { connectOutsideBus } from './broker/outside-bus.ts';
import type { Config } from './config.ts';
import { loopSettings, startControlLoop } from './control-loop.ts';
import { startDispatch } from './dispatch/dispatch.ts';
import { startFleetMetrics } from './dispatch/fleet-metrics.ts';
import { startIngest } from './ingest/ingest.ts';
import { readSigningKey, writeSecret } from './keys.ts';
import { startMetrics } from './metrics/metrics.ts';
import { shippedModelFile, takeShippedModel } from './shipped-model.ts';
import { busAuthenticator } from './store/bus-identities.ts';
import { openStore, type Store } from './store/database.ts';
import { readGlobalPolicy } from './store/policies.ts';
import { readPrices } from './store/prices.ts';
import { apiKey } from './store/schema.ts';
import { addFirstKey } from './store/tokens.ts';
import { watchExports } from './store/watch-exports.ts';
import { startSyntheticLoad } from './synthetic-load.ts';

export const version = '0.1.0';

export interface RunningControlPlane {
  readonly url: string;
  readonly mqttUrl: string;
  stop(): Promise<void>;
}

export interface ControlPlaneParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Start everything in the order in which it is needed: store, bus, dispatch, loop, ingest, interface.
 *
 * @throws refused with the setting to change: a port that is taken, a state directory that another process has
 */
export async function startControlPlane(parts: ControlPlaneParts): Promise<RunningControlPlane> {
  const { config, clock, random, log } = parts;
  mkdirSync(config.home, { recursive: true, mode: 0o700 });
  const signingKey = readSigningKey(config.home);
  const ending: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ending.splice(0).reverse()) await end().catch((error: unknown) => log.error({ err: error }, 'something did not end well'));
  };
  const onFailure = (where: string) => (failure: Failure) => log.error({ err: failure, code: failure.code, ids: failure.ids }, `${where} failed; it goes on`);
  try {
    const store = await openStore({ databaseUrl: config.databaseUrl, directory: path.join(config.home, 'database') });
    ending.push(() => store.close());
    watchExports(store, onFailure('an export of the database'));
    await prepare(store, config.home);
    await takeShippedModel(store, shippedModelFile).catch((thrown: unknown) => onFailure('taking the shipped model')(asFailure(thrown)));
    const { bus, url: mqttUrl } = await startBus(config, store);
    ending.push(() => bus.close());

    const dispatch = startDispatch({ store, bus, signingKey, clock, onFailure: onFailure('dispatch') });
    ending.push(() => dispatch.stop());
    const figures = startFleetMetrics(store, bus, clock, onFailure('the figures on the bus'));
    ending.push(() => figures.stop());
    const loop = startControlLoop({ store, dispatch, signingKey, clock, random, settings: config, onFailure: onFailure('the control loop') });
    ending.push(() => loop.stop());
    const ingest = startIngest({
      store,
      bus,
      clock,
      publicKeyPem: signingKey.publicKeyPem,
      // Nothing to do in the same transaction: the loop sees a lease of an older incarnation and ends it.
      onBoot: async () => {},
      onAsk: (nodeId, ask) => void dispatch.answerAsk(nodeId, ask).catch((thrown: unknown) => onFailure('an answer to an agent')(asFailure(thrown))),
      onJobsChanged: () => loop.wake(),
      onFailure: onFailure('ingest'),
    });
    ending.push(() => ingest.stop());
    if (config.syntheticLoad) {
      const load: Loop = startSyntheticLoad(store, clock, random, onFailure('the synthetic load'));
      ending.push(() => load.stop());
    }

    const startedAtMs = clock.nowMs();
    const address = { url: '' };
    const app = createApp(
      {
        store,
        bus,
        loop,
        dispatch,
        fleet: new FleetReader(store),
        metrics: startMetrics(store, startedAtMs, () => clock.nowMs()),
        signingKey,
        clock,
        random,
        settings: {
          version,
          publicUrl: () => config.publicUrl ?? address.url,
          mqttUrl: () => mqttUrl,
          startedAtMs,
          chaosAllowed: config.chaosAllowed,
          scrubEveryMs: config.scrubEveryMs,
          decisions: loopSettings(config).decisions,
          consoleDirectory: config.consoleDirectory,
        },
      },
      log,
    );
    const server = await listen(app.fetch, config.httpHost, config.httpPort);
    ending.push(() => closeServer(server.server));
    address.url = `http://${config.httpHost}:${server.port}`;
    writeFileSync(path.join(config.home, 'address'), `${address.url}\n`);
    return { url: address.url, mqttUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** First start: a policy, a price book, and one key with which everything else can be made. */
async function prepare(store: Store, home: string): Promise<void> {
  await readGlobalPolicy(store.db);
  await readPrices(store.db);
  const file = path.join(home, 'admin.key');
  const [known] = await store.db.select({ keyId: apiKey.keyId }).from(apiKey).limit(1);
  if (known !== undefined && existsSync(file)) return;
  const { secret } = await store.transaction(async (tx) => addFirstKey(tx, await store.nowMs(tx)));
  writeSecret(file, `${secret}\n`);
}

async function startBus(config: Config, store: Store): Promise<{ bus: Bus; url: string }> {
  if (config.outsideMqtt !== null) return { bus: await connectOutsideBus(config.outsideMqtt), url: config.outsideMqtt.url };
  try {
    const bus = await startEmbeddedBus({ host: config.mqttHost, port: config.mqttPort, authenticate: busAuthenticator(store.db) });
    return { bus, url: `mqtt://${config.mqttHost}:${bus.port}` };
  } catch (error) {
    throw portTaken(error, config.mqttPort, 'DIM_MQTT_PORT');
  }
}

function listen(fetch: Parameters<typeof serve>[0]['fetch'], hostname: string, port: number): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname, port }, (info) => resolve({ server, port: info.port }));
    server.once('error', (error: unknown) => reject(portTaken(error, port, 'DIM_HTTP_PORT')));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // Who follows the events waits for nothing.
      if (request.headers.accept?.includes('text/event-stream') !== true) response.once('close', someoneWaits());
    });
  });
}

function portTaken(error: unknown, port: number, variable: string): unknown {
  if ((error as { code?: string }).code !== 'EADDRINUSE') return error;
  return new Failure('refused', {
    code: 'port.taken',
    message: `Port ${port} is taken by another program.`,
    hint: `Set ${variable} to a free port.`,
    cause: error,
  });
}

/** Event streams never end by themselves: they are cut. */
function closeServer(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
}
