import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BusRole, mayPublish, maySubscribe, type TopicName, topicFor, topics } from '@data-in-motion/shared/protocol/topics';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasMosquitto, type MosquittoServer, startMosquitto } from '../servers.ts';

/** What the rights that are shipped for Mosquitto let through is what the embedded broker computes from the topic table. */
const rights = fileURLToPath(new URL('../../compose/topic-rights', import.meta.url));
const identities: readonly { readonly name: string; readonly role: BusRole }[] = [
  { name: 'control-plane', role: 'control-plane' },
  { name: 'integration', role: 'client' },
  { name: 'berlin', role: 'agent' },
  { name: 'frankfurt', role: 'agent' },
];
/** Every topic of the table, and those under a name under each. */
const places = (Object.keys(topics) as TopicName[]).flatMap((name) =>
  topics[name].pattern.includes('{') ? identities.slice(1).map((identity) => topicFor(name, identity.name)) : [topicFor(name)],
);

describe.skipIf(!hasMosquitto)('Mosquitto with the rights that are shipped', () => {
  let server: MosquittoServer;
  let folder: string;
  const clients = new Map<string, MqttClient>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dim-rights-'));
    execFileSync('chmod', ['755', folder]);
    const [passwords, rules] = [join(folder, 'passwords'), join(folder, 'topic-rights')];
    writeFileSync(passwords, '');
    copyFileSync(rights, rules);
    for (const { name } of identities) execFileSync('mosquitto_passwd', ['-b', passwords, name, `secret of ${name}`]);
    execFileSync('chmod', ['644', passwords, rules]);
    server = await startMosquitto(['allow_anonymous false', `password_file ${passwords}`, `acl_file ${rules}`]);
    for (const { name } of identities) clients.set(name, await come(name, `secret of ${name}`));
  });
  afterAll(async () => {
    for (const client of clients.values()) await client.endAsync(true);
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const come = (name: string, password?: string): Promise<MqttClient> =>
    connectAsync(server.url, { clientId: name, username: name, ...(password === undefined ? {} : { password }), reconnectPeriod: 0 });

  test('lets nobody in without a password or with a wrong one', async () => {
    await expect(come('berlin', 'guess')).rejects.toThrow();
    await expect(come('berlin')).rejects.toThrow();
  });

  test('lets each identity say and hear what the topic table allows it, and no more', async () => {
    const heard = new Map(identities.map(({ name }) => [name, new Set<string>()]));
    for (const [name, client] of clients) {
      client.on('message', (topic, payload) => void heard.get(name)!.add(`${topic} from ${payload}`));
      for (const place of places) await client.subscribeAsync(place, { qos: 1 }).catch(() => undefined);
    }
    for (const [name, client] of clients) for (const place of places) await client.publishAsync(place, name, { qos: 1 });
    const expected = new Map(
      identities.map((hearer) => [
        hearer.name,
        new Set(
          places
            // Mosquitto has no rule for agents alone: what all of them may read, the control plane may as well.
            .filter((place) =>
              hearer.role === 'control-plane' ? place.includes('/up/') || place === topicFor('model') : maySubscribe(hearer.role, hearer.name, place),
            )
            .flatMap((place) => identities.filter(({ role, name }) => mayPublish(role, name, place)).map(({ name }) => `${place} from ${name}`)),
        ),
      ]),
    );
    await expect.poll(() => sorted(heard)).toEqual(sorted(expected));
  });
});

function sorted(sets: ReadonlyMap<string, ReadonlySet<string>>): Record<string, string[]> {
  return Object.fromEntries([...sets].map(([name, set]) => [name, [...set].sort()]));
}
