import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from './config.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-config-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const smallest = { nodeId: 'node-a', siteId: 'berlin', mqttUrl: 'mqtt://broker.example:1883', password: 'secret', stateDirectory: 'state' };

function config(settings: object, environment: Record<string, string> = {}): ReturnType<typeof readConfig> {
  const file = path.join(directory, 'agent.json');
  writeFileSync(file, JSON.stringify(settings));
  return readConfig(file, environment);
}

test('a few fields are enough, and relative paths begin at the file', () => {
  const read = config({ ...smallest, targets: [{ targetId: 'disk-1', root: 'data', tier: 'hot' }] });
  expect(read.stateDirectory).toBe(path.join(directory, 'state'));
  expect(read.targets[0]).toMatchObject({ root: path.join(directory, 'data'), failureDomain: 'node-a', store: 'posix' });
  expect(read.faultsAllowed).toBe(false);
  expect(read.reconnect).toEqual({ firstDelayMs: 1_000, longestDelayMs: 60_000 });
});

test("the program that asks the drives, and the place of the kernel's counters, may be others", () => {
  expect(config(smallest).telemetry).toMatchObject({ smartctl: 'auto', sysfsDirectory: '/sys' });
  const telemetry = { smartctl: '/opt/smartmontools/sbin/smartctl', sysfsDirectory: 'host/sys' };
  expect(config({ ...smallest, telemetry }).telemetry).toMatchObject({ ...telemetry, sysfsDirectory: path.join(directory, 'host/sys') });
  expect(() => config({ ...smallest, telemetry: { smartctl: 'smartctl' } })).toThrow(/telemetry\.smartctl/);
});

test('the environment stands over the file', () => {
  const read = config(smallest, { MQTT_URL: 'mqtt://127.0.0.1:1', DIM_NODE: 'node-b', DIM_FAILPOINT: 'C13:kill:3' });
  expect(read).toMatchObject({ mqttUrl: 'mqtt://127.0.0.1:1', nodeId: 'node-b', failpoint: { name: 'C13', nth: 3 }, reconnect: { longestDelayMs: 2_000 } });
});

test('the settings of the containers are usable with a password from the environment', () => {
  const compose = path.join(import.meta.dirname, '../compose');
  for (const name of ['berlin', 'frankfurt', 'virginia']) {
    const read = readConfig(path.join(compose, `${name}.json`), { MQTT_PASSWORD: 'secret' });
    expect(read).toMatchObject({ nodeId: name, siteId: name, mqttUrl: 'mqtt://mqtt:1883', password: 'secret' });
    expect(read.targets.map(({ targetId }) => targetId.split('-')[0])).toEqual([name, name]);
    for (const target of read.targets) expect(path.dirname(target.root)).toBe('/data');
  }
});

test('the credentials file brings password, bus and key', () => {
  const keyId = '0123456789abcdef0123456789abcdef';
  writeFileSync(
    path.join(directory, 'credentials.json'),
    JSON.stringify({ nodeId: 'node-a', password: 'p', mqttUrl: 'mqtt://bus:1883', keyId, publicKeyPem: 'x' }),
  );
  const { nodeId, siteId, stateDirectory } = smallest;
  expect(config({ nodeId, siteId, stateDirectory, credentialsFile: 'credentials.json' })).toMatchObject({
    password: 'p',
    mqttUrl: 'mqtt://bus:1883',
    controlPlaneKeyId: keyId,
  });
});

test('all problems are told together, each with its field and what the field is for', () => {
  const wrong = {
    ...smallest,
    nodeId: 'Node A',
    mqttUrl: 'http://x',
    quietMs: -1,
    colour: 'red',
    targets: [{ targetId: 'disk-1', root: 'data', tier: 'lukewarm' }],
  };
  expect(() => config(wrong)).toThrow(
    /nodeId: .*unique in the fleet[\s\S]*mqttUrl: .*mqtt:\/\/host[\s\S]*targets\.0\.tier: .*hot, warm or cold[\s\S]*quietMs: .*still being written[\s\S]*colour/,
  );
});

test('targets that share a name or lie in one another are refused', () => {
  const target = { tier: 'hot', root: 'data', targetId: 'disk-1' };
  expect(() => config({ ...smallest, targets: [target, { ...target, root: 'other' }] })).toThrow(/used twice/);
  expect(() => config({ ...smallest, targets: [target, { ...target, targetId: 'disk-2', root: 'data/below' }] })).toThrow(/inside one another/);
  expect(config({ ...smallest, targets: [target, { ...target, targetId: 'disk-2', root: 'data-2' }] }).targets).toHaveLength(2);
});

test('an agent that was not enrolled hears how to', () => {
  expect(() => config({ ...smallest, password: null, credentialsFile: 'none.json' })).toThrow(/Run "enroll"/);
  expect(() => config({ ...smallest, password: null })).toThrow(/password: is missing/);
});

test('a file that is not JSON is named', () => {
  const file = path.join(directory, 'broken.json');
  writeFileSync(file, '{ nodeId: ');
  expect(() => readConfig(file, {})).toThrow(/broken\.json/);
});
