import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import { newPrivateKeyPem, signBody, signingKey } from '@data-in-motion/shared/signature';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTransferServer, type TransferServer } from '../../src/transfer/serve-replicas.ts';
import { id, importTo, OneAgent } from './one-agent.ts';
import { facts, plantTree } from './trees.ts';

const key = signingKey(newPrivateKeyPem());
let home: string;
let source: string;
let sender: OneAgent;
let receiver: OneAgent;
let server: TransferServer;

beforeEach(async () => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-transfer-'));
  source = path.join(home, 'source');
  fs.mkdirSync(source);
  sender = new OneAgent(path.join(home, 'node-a'), ['a1']);
  receiver = new OneAgent(path.join(home, 'node-b'), ['b1'], { nodeId: 'node-b', settings: { checkpointBytes: 4 * 1_024 * 1_024 } });
  server = await startTransferServer({
    host: '127.0.0.1',
    port: 0,
    nodeId: 'node-a',
    publicKeyPem: () => key.publicKeyPem,
    openSource: (asked, signal) => sender.migrator.openSource(asked, signal),
    clock: systemClock,
  });
});
afterEach(async () => {
  await Promise.all([sender.stop(), receiver.stop(), server.close()]);
  fs.rmSync(home, { recursive: true, force: true });
});

function token(grant: object, with_ = key): string {
  const body = { kind: 'transfer', jobId: id(), epoch: 1, toNodeId: 'node-b', fromNodeId: 'node-a', expiresAtMs: Date.now() + 60_000, ...grant };
  return Buffer.from(JSON.stringify(signBody(JSON.stringify(body), with_))).toString('base64url');
}

type Imported = Awaited<ReturnType<typeof importTo>>;
function remoteCopy({ replicaId, version }: Imported, url = server.url, bearer = token({ source: { kind: 'replica', targetId: 'a1', replicaId } })) {
  const destination = { targetId: 'b1', datasetId: 'letters', replicaId: id() };
  return {
    kind: 'copy',
    jobId: id(),
    epoch: 1,
    source: { kind: 'remote', nodeId: 'node-a', url: `${url}/v1/sources/${replicaId}`, token: bearer },
    destination,
    ...version,
  };
}

test('a replica is pulled by another node and equals the first', async () => {
  plantTree(source);
  const first = await importTo(sender, source, 'a1', 'letters');
  const order = remoteCopy(first);
  expect(await receiver.carryOut(order)).toMatchObject({ event: 'verified', root: first.version.root });
  expect(facts(receiver.path('b1', 'letters', order.destination.replicaId))).toEqual(facts(source));
});

test('a peer that can not be reached, whatever the system calls it, is tried again later', async () => {
  plantTree(source, 'small');
  const first = await importTo(sender, source, 'a1', 'letters');
  for (const url of ['http://peer.invalid:9', 'http://255.255.255.255:9', 'http://127.0.0.1:1'])
    expect(await receiver.carryOut(remoteCopy(first, url))).toMatchObject({ event: 'failed', class: 'transient' });
});

test('an import is pulled straight into another node', async () => {
  plantTree(source, 'small');
  const jobId = id();
  const scanned = await sender.carryOut({ kind: 'scan', jobId, epoch: 1, datasetId: 'letters', source: { kind: 'directory', path: source } });
  if (scanned.event !== 'manifest') throw new Error(JSON.stringify(scanned));
  const destination = { targetId: 'b1', datasetId: 'letters', replicaId: id() };
  const grant = token({ source: { kind: 'import', jobId } });
  const remote = { kind: 'remote', nodeId: 'node-a', url: `${server.url}/v1/sources/${jobId}`, token: grant };
  const ended = await receiver.carryOut({
    kind: 'copy',
    jobId,
    epoch: 1,
    source: remote,
    destination,
    versionId: id(),
    root: scanned.root,
    objects: scanned.objects,
    bytes: scanned.bytes,
  });
  expect(ended.event).toBe('verified');
  expect(facts(receiver.path('b1', 'letters', destination.replicaId))).toEqual(facts(source));
});

/** A way in between that cuts every connection after some bytes. */
async function cuttingProxy(afterBytes: () => number): Promise<{ url: string; cuts: () => number; close: () => Promise<void> }> {
  let cuts = 0;
  const proxy = net.createServer((client) => {
    const upstream = net.connect(Number(new URL(server.url).port), '127.0.0.1');
    let left = afterBytes();
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      if (left < chunk.length) {
        cuts++;
        client.write(chunk.subarray(0, left), () => client.destroy());
        upstream.destroy();
        return;
      }
      left -= chunk.length;
      if (!client.write(chunk)) {
        upstream.pause();
        client.once('drain', () => upstream.resume());
      }
    });
    upstream.on('end', () => client.end());
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', () => [client, upstream].forEach((one) => void one.destroy()));
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as net.AddressInfo;
  return { url: `http://127.0.0.1:${port}`, cuts: () => cuts, close: () => new Promise((resolve) => proxy.close(() => resolve())) };
}

test.each(['nothing', 'an empty directory'])(
  'a copy whose disk is away, with %s in its place, is not called gone: its reader tries again',
  async (inItsPlace) => {
    plantTree(source, 'small');
    const first = await importTo(sender, source, 'a1', 'letters');
    const away = sender.path('away');
    fs.renameSync(sender.path('a1'), away);
    if (inItsPlace !== 'nothing') fs.mkdirSync(sender.path('a1'));
    const order = remoteCopy(first);
    const ended = await receiver.carryOut(order);
    expect(ended).toMatchObject({ event: 'failed', class: 'transient', code: 'target.not-mounted' });
    expect(JSON.stringify(ended)).not.toContain(home);
    fs.rmSync(sender.path('a1'), { recursive: true, force: true });
    fs.renameSync(away, sender.path('a1'));
    expect(await receiver.carryOut({ ...order, epoch: 2 })).toMatchObject({ event: 'verified' });
    fs.rmSync(sender.path('a1', 'letters', first.replicaId), { recursive: true });
    expect(await receiver.carryOut(remoteCopy(first))).toMatchObject({ event: 'failed', code: 'source.gone' });
  },
);

test('a connection that breaks again and again delays a copy and does not spoil it, and little is sent twice', async () => {
  plantTree(source);
  const first = await importTo(sender, source, 'a1', 'letters');
  const proxy = await cuttingProxy(() => 9_500_000);
  const order = remoteCopy(first, proxy.url);
  const ended = await receiver.carryOut(order);
  expect(ended).toMatchObject({ event: 'verified' });
  expect(proxy.cuts()).toBeGreaterThan(2);
  expect(facts(receiver.path('b1', 'letters', order.destination.replicaId))).toEqual(facts(source));
  const copied = receiver.told.find((record) => record.type === 'job' && record.event === 'copied');
  expect(copied).toMatchObject({ bytes: first.version.bytes });
  expect((copied as { movedBytes: number }).movedBytes).toBeLessThanOrEqual(first.version.bytes);
  await proxy.close();
});

test('a leaf that rotted at the sender never arrives: the copy fails with source_corrupt and nothing is placed', async () => {
  plantTree(source);
  const first = await importTo(sender, source, 'a1', 'letters');
  const rotten = fs.openSync(sender.path('a1', 'letters', first.replicaId, 'large/three leaves'), 'r+');
  fs.writeSync(rotten, Buffer.from([0x55]), 0, 1, 17 * 1_024 * 1_024);
  fs.closeSync(rotten);
  const order = remoteCopy(first);
  expect(await receiver.carryOut(order)).toMatchObject({ event: 'failed', class: 'integrity', code: 'source.corrupt' });
  expect(fs.existsSync(receiver.path('b1', 'letters'))).toBe(false);
});

test('bytes that change on the way are asked for once more and then refused', async () => {
  plantTree(source, 'small');
  const first = await importTo(sender, source, 'a1', 'letters');
  let answers = 0;
  const liar = http.createServer((request, response) => {
    http.get(`${server.url}${request.url}`, { headers: { authorization: request.headers.authorization ?? '' } }, (upstream) => {
      const chunks: Buffer[] = [];
      upstream.on('data', (chunk: Buffer) => chunks.push(chunk));
      upstream.on('end', () => {
        const body = Buffer.concat(chunks);
        if (request.url?.includes('leaves?')) {
          answers++;
          body[Math.floor(body.length / 2)]! ^= 1;
        }
        response.writeHead(upstream.statusCode ?? 500).end(body);
      });
    });
  });
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
  const ended = await receiver.carryOut(remoteCopy(first, `http://127.0.0.1:${(liar.address() as net.AddressInfo).port}`));
  expect(ended).toMatchObject({ event: 'failed', class: 'integrity', code: 'transfer.corrupt' });
  expect(answers).toBeGreaterThan(1);
  liar.close();
  liar.closeAllConnections();
});

test('a source is closed when its reader leaves while a leaf is being read', async () => {
  let reading = (): void => undefined;
  let closed = (): void => undefined;
  const isRead = new Promise<void>((resolve) => {
    reading = resolve;
  });
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const read = async function* (_from: number, _to: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    reading();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    yield Buffer.alloc(8 * 1_024 * 1_024);
  };
  const file = path.join(home, 'unused');
  const slow = await startTransferServer({
    host: '127.0.0.1',
    port: 0,
    nodeId: 'node-a',
    publicKeyPem: () => key.publicKeyPem,
    openSource: async () => ({ manifest: file, leafHashes: file, leaves: 1, read, give: () => undefined, close: async () => closed() }),
    clock: systemClock,
  });
  const replicaId = id();
  const headers = { authorization: `Bearer ${token({ source: { kind: 'replica', targetId: 'a1', replicaId } })}` };
  const request = http.get(`${slow.url}/v1/sources/${replicaId}/leaves?from=0&to=1`, { headers });
  request.on('error', () => undefined);
  await isRead;
  request.destroy();
  await isClosed;
  await slow.close();
});

test('a redirect is not followed', async () => {
  plantTree(source, 'small');
  const first = await importTo(sender, source, 'a1', 'letters');
  const elsewhere = http.createServer((request, response) => response.writeHead(302, { location: `${server.url}${request.url}` }).end());
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const ended = await receiver.carryOut(remoteCopy(first, `http://127.0.0.1:${(elsewhere.address() as net.AddressInfo).port}`));
  expect(ended).toMatchObject({ event: 'failed', class: 'permanent', code: 'transfer.status-302' });
  elsewhere.close();
  elsewhere.closeAllConnections();
});

test('only a grant for this source, from this node, in time and signed by the control plane opens it', async () => {
  plantTree(source, 'small');
  const { replicaId } = await importTo(sender, source, 'a1', 'letters');
  const right = { source: { kind: 'replica', targetId: 'a1', replicaId } };
  const url = `${server.url}/v1/sources/${replicaId}/manifest`;
  const status = async (bearer: string | null, address = url): Promise<number> =>
    (await fetch(address, bearer === null ? {} : { headers: { authorization: `Bearer ${bearer}` } })).status;
  expect(await status(token(right))).toBe(200);
  expect(await status(null)).toBe(401);
  expect(await status('nonsense')).toBe(401);
  expect(await status(token(right, signingKey(newPrivateKeyPem())))).toBe(401);
  expect(await status(token({ ...right, fromNodeId: 'node-c' }))).toBe(401);
  expect(await status(token({ ...right, expiresAtMs: Date.now() - 3_600_000 }))).toBe(401);
  expect(await status(token({ ...right, kind: 'other' }))).toBe(401);
  expect(await status(token({ source: { kind: 'replica', targetId: 'a1', replicaId: id() } }))).toBe(401);
  expect(await status(token({ source: { kind: 'import', jobId: replicaId } }))).toBe(404);
  expect(await status(token(right), `${server.url}/v1/sources/${replicaId}/leaves?from=5&to=2`)).toBe(400);
  expect(await status(token(right), `${server.url}/v1/sources/${replicaId}/leaves?from=0&to=99999`)).toBe(400);
  expect(await status(token(right), `${server.url}/v1/sources/..%2f..%2fetc/manifest`)).toBe(404);
});
