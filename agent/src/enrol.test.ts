import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { enrol } from './enrol.ts';

let directory: string;
let server: Server;
let status: number;
let answer: object;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'dim-enrol-'));
  server = createServer((_, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

const enrolHere = (): Promise<string> =>
  enrol({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 't',
    nodeId: 'berlin',
    credentialsFile: path.join(directory, 'deep/credentials.json'),
  });

test('what the control plane gives is written so that only its owner reads it', async () => {
  status = 200;
  answer = { nodeId: 'berlin', password: 'p', mqttUrl: 'mqtt://127.0.0.1:1', keyId: 'k' };
  expect(await enrolHere()).toBe('k');
  const file = path.join(directory, 'deep/credentials.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(answer);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a refusal is told in the words of the control plane, with its fix', async () => {
  status = 409;
  answer = { type: 'about:blank', title: 'Taken', status, detail: 'The name berlin is taken.', code: 'enrol.taken', fix: 'Make a token for this node.' };
  await expect(enrolHere()).rejects.toMatchObject({ message: expect.stringContaining('The name berlin is taken.'), hint: 'Make a token for this node.' });
});
