import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { type BusRole, parseTopic, type TopicName, topicFor, topics } from '@data-in-motion/shared/protocol/topics';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { isFilterAllowed, isWillAllowed, publishRefusal, type Speaker } from './access-rules.ts';
import { type Bus, HandlerSlot, outgoing, TopicCounter } from './bus.ts';
import { limitPackets } from './packet-limit.ts';

export interface EmbeddedBusSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The role of an identity whose password is right; undefined refuses it. */
  readonly authenticate: (identity: string, password: string) => Promise<BusRole | undefined>;
  /** Certificate and key, when the bus is reachable beyond this host. */
  readonly tls?: TlsOptions;
}

export type EmbeddedBus = Bus & { readonly port: number };

/** Password checks are slow on purpose; beyond these under way, newcomers are asked to come back. */
const mostPendingLogins = 256;
const limits = {
  concurrency: 200,
  connectTimeout: 10_000,
  drainTimeout: 20_000,
  keepaliveLimit: 300,
  maxTopicLevels: 8,
  queueLimit: 100,
  maxClientsIdLength: 63,
};

function refusal(returnCode: 3 | 4, message: string): AuthenticateError {
  return Object.assign(new Error(message), { returnCode }) as unknown as AuthenticateError;
}

/** Let in who proves the identity that it takes as its client id: a second one under that name replaces the first, so nobody else may. */
function login(settings: EmbeddedBusSettings, speakers: Map<Client, Speaker & { sinceMs: number }>) {
  let pending = 0;
  return (
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: AuthenticateError | null, ok: boolean | null) => void,
  ): void => {
    const identity = client.id;
    if (username !== identity || password === undefined) {
      done(refusal(4, 'user name and client id must be the identity'), false);
      return;
    }
    if (pending >= mostPendingLogins) {
      done(refusal(3, 'too many at once'), false);
      return;
    }
    pending++;
    settings
      .authenticate(identity, password.toString())
      .then(
        (role) => {
          if (role === undefined) return done(refusal(4, 'unknown identity or wrong password'), false);
          speakers.set(client, { role, identity, sinceMs: Date.now() });
          done(null, true);
        },
        () => done(refusal(3, 'identities can not be looked up now'), false),
      )
      .finally(() => pending--);
  };
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/**
 * Our own broker, for a fleet of up to some thousand agents. What agents say is handed over before it is acknowledged to them, so a
 * full queue holds back exactly the connections that fill it.
 */
export async function startEmbeddedBus(settings: EmbeddedBusSettings): Promise<EmbeddedBus> {
  const speakers = new Map<Client, Speaker & { sinceMs: number }>();
  const counter = new TopicCounter();
  const slot = new HandlerSlot();
  const broker = await Aedes.createBroker({
    ...limits,
    preConnect(_client, packet, done) {
      // No session outlives its connection: what must not be lost is in the outboxes and in the store.
      packet.clean = true;
      const isAllowed = isWillAllowed(packet.clientId, packet.will as Parameters<typeof isWillAllowed>[1]);
      done(isAllowed ? null : new Error('a last will only on the own state topic'), isAllowed);
    },
    authenticate: login(settings, speakers),
    authorizePublish(client, packet, done) {
      const speaker = client === null ? undefined : speakers.get(client);
      const payload = Buffer.from(packet.payload as Buffer);
      const because =
        speaker === undefined ? 'nobody that is known' : publishRefusal(speaker, { topic: packet.topic, retain: packet.retain === true, payload });
      const row = parseTopic(packet.topic);
      if (because !== undefined || row === undefined) {
        slot.refused(packet.topic, speaker?.identity ?? '', payload, because ?? 'no such topic');
        return done(new Error(because));
      }
      counter.add(row.name, payload.length, Date.now());
      void slot.handle(row.name, row.identity, payload).then(() => done(null));
    },
    authorizeSubscribe(client, subscription, done) {
      const speaker = speakers.get(client);
      done(null, speaker !== undefined && isFilterAllowed(speaker, subscription.topic) ? subscription : null);
    },
    authorizeForward(client, packet) {
      const speaker = speakers.get(client);
      return speaker !== undefined && isFilterAllowed(speaker, packet.topic) ? packet : null;
    },
  });
  broker.on('clientDisconnect', (client) => speakers.delete(client));
  // Broken connections are every day's business; what they mean for a node is decided by its heartbeats.
  broker.on('clientError', () => {});
  broker.on('connectionError', (client) => speakers.delete(client));

  const accept = (socket: Socket): void => {
    socket.setNoDelay(true);
    limitPackets(broker.handle(socket));
  };
  const server = settings.tls === undefined ? createServer(accept) : createTlsServer(settings.tls, accept);
  server.maxConnections = 20_000;
  const port = await listen(server, settings.host, settings.port);

  return {
    kind: 'embedded',
    port,
    async publish(name: TopicName, identity: string, payload: unknown) {
      const text = Buffer.from(outgoing(name, payload));
      counter.add(name, text.length, Date.now());
      const { qos, retain } = topics[name];
      await new Promise<void>((resolve, reject) => {
        broker.publish({ cmd: 'publish', topic: topicFor(name, identity), payload: text, qos, retain, dup: false }, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    },
    onMessage: (handler) => slot.set(handler),
    onRefused(handler) {
      slot.refused = handler;
    },
    connected: () => true,
    clients: () => [...speakers].map(([client, { role, sinceMs }]) => ({ clientId: client.id, role, connected: client.connected, sinceMs })),
    topicCounts: () => counter.list(Date.now()),
    disconnect(identity) {
      for (const client of speakers.keys()) if (client.id === identity) client.close();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => broker.close(resolve));
      await closed;
    },
  };
}
