import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { modelFault } from '../domain/model-fault.ts';
import { artifactHash, contentVersion } from '../model-identity.ts';
import { batchRecords, desiredDocument, faultDocument, modelDocument } from './messages.ts';
import { type BusRole, mayPublish, maySubscribe, parseTopic, type TopicName, topicFor, topics } from './topics.ts';

const directory = path.join(import.meta.dirname, 'testdata');
const golden = (name: string): unknown => JSON.parse(readFileSync(path.join(directory, `${name}.v1.json`), 'utf8'));
const names = Object.keys(topics) as TopicName[];

test('every row has a golden message that its schema reads, and every golden message has a row', () => {
  expect(readdirSync(directory).sort()).toEqual(names.map((name) => `${name}.v1.json`).sort());
  for (const name of names) expect(topics[name].payload.safeParse(golden(name)).error, name).toBeUndefined();
});

test('what is inside a batch, a desired document, a fault and a model is read as well', () => {
  expect(batchRecords.safeParse(JSON.parse((golden('batch') as { records: string }).records)).error).toBeUndefined();
  expect(desiredDocument.safeParse(JSON.parse((golden('desired') as { body: string }).body)).error).toBeUndefined();
  expect(faultDocument.safeParse(JSON.parse((golden('fault') as { body: string }).body)).error).toBeUndefined();
  const { version, artifact, ...model } = modelDocument.parse(JSON.parse((golden('model') as { body: string }).body));
  expect([version, model.artifactHash]).toEqual([contentVersion(artifact as object), artifactHash(JSON.stringify(artifact))]);
  expect(modelFault(artifact)).toBeNull();
});

test('what older programs do not tell is read as nothing', () => {
  const { probability7: _, ...assessment } = JSON.parse((golden('batch') as { records: string }).records)[1];
  expect(batchRecords.parse([assessment])).toMatchObject([{ type: 'assessment', probability7: null }]);
  const { acknowledged: __, ...desired } = JSON.parse((golden('desired') as { body: string }).body);
  expect(desiredDocument.parse(desired).acknowledged).toEqual([]);
});

test('a message of another version is not read', () => {
  for (const name of names.filter((one) => 'v' in (golden(one) as object)))
    expect(topics[name].payload.safeParse({ ...(golden(name) as object), v: 2 }).success, name).toBe(false);
});

test('a topic names its row and its owner', () => {
  for (const name of names) expect(parseTopic(topicFor(name, 'berlin-1'))).toEqual({ name, identity: topics[name].pattern.includes('{') ? 'berlin-1' : '' });
  expect(parseTopic('dim/v1/berlin-1/up/batch/extra')).toBeUndefined();
  expect(parseTopic('$SYS/broker')).toBeUndefined();
});

test('everybody may say and hear their own rows only', () => {
  const identities: [BusRole, string][] = [
    ['agent', 'berlin-1'],
    ['client', 'gateway'],
  ];
  for (const [role, identity] of identities) {
    for (const name of names) {
      const owned = topics[name].pattern.includes('{');
      const sends = topics[name].from === role || (role === 'agent' && topics[name].from === 'client');
      expect(mayPublish(role, identity, topicFor(name, identity)), `${role} says ${name}`).toBe(owned && sends);
      expect(mayPublish(role, identity, topicFor(name, 'somebody-else')), `${role} says another's ${name}`).toBe(false);
      const hears = topics[name].from === 'control-plane' && (owned || role === 'client' || name === 'model');
      expect(maySubscribe(role, identity, topicFor(name, identity)), `${role} hears ${name}`).toBe(hears);
      if (owned) expect(maySubscribe(role, identity, topicFor(name, 'somebody-else')), `${role} hears another's ${name}`).toBe(false);
    }
    for (const filter of ['#', '+/#', 'dim/#', 'dim/v1/+/down/#', '$SYS/#', '$share/g/dim/v1/berlin-1/down/#', 'dim/v1/somebody-else/down/#'])
      expect(maySubscribe(role, identity, filter), filter).toBe(false);
  }
});
