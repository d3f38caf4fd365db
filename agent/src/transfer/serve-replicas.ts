import { createReadStream } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@data-in-motion/shared/clock';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import { engine } from '../engine/engine.ts';
import { http } from './plain-http.ts';
import { checkGrant, type TransferGrant } from './transfer-token.ts';

/** A version that others may read from here. */
export interface ServedSource {
  /** Files that are sent as they are; the reader checks them. */
  readonly manifest: string;
  readonly leafHashes: string;
  readonly leaves: number;
  /**
   * Bytes of the leaves `from` to before `to`, numbered over the whole manifest. A leaf comes out only if its hash matched in the same read.
   * @throws Failure `corrupt` (`source.corrupt`) or `refused` (`source.changed`, `source.gone`) instead of giving a wrong one
   */
  read(from: number, to: number, signal: AbortSignal): AsyncGenerator<Buffer>;
  /** The bytes of a leaf have left: its memory may be used again. */
  give(leaf: Buffer): void;
  close(): Promise<void>;
}

export interface TransferServerParts {
  readonly host: string;
  readonly port: number;
  readonly nodeId: string;
  readonly publicKeyPem: () => string | null;
  readonly openSource: (source: TransferGrant['source'], signal: AbortSignal) => Promise<ServedSource>;
  readonly clock: Clock;
}

export interface TransferServer {
  /** Without a slash at its end; sources are below `/v1/sources/`. */
  readonly url: string;
  close(): Promise<void>;
}

/** A peer that takes no byte for this long is gone. */
const idleTimeoutMs = 60_000;
const mostConnections = 256;
const route = /^\/v1\/sources\/([0-9A-Z]{26})\/(manifest|hashes|leaves)$/;
const statusOf: Readonly<Record<string, number>> = {
  'transfer.unauthorised': 401,
  'transfer.expired': 401,
  'transfer.bad-request': 400,
  'source.gone': 404,
  'source.changed': 409,
  'source.corrupt': 422,
  'target.not-mounted': 503,
};

/**
 * Serve replicas and scans to other agents: `GET /v1/sources/<id>/manifest`, `/hashes` and `/leaves?from=&to=`, each with a grant of the control plane.
 * When a leaf turns out wrong after bytes have left, the connection is cut: an answer that ends well is right to its last byte.
 */
export async function startTransferServer(parts: TransferServerParts): Promise<TransferServer> {
  const server = http.createServer({ keepAliveTimeout: 30_000, headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16_384 }, (request, response) => {
    void answer(request, response, parts);
  });
  server.maxConnections = mostConnections;
  server.timeout = idleTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(parts.port, parts.host, () => resolve());
  });
  const { address, port, family } = server.address() as AddressInfo;
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`, close: () => closeServer(server) };
}

async function answer(request: IncomingMessage, response: ServerResponse, parts: TransferServerParts): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const address = new URL(request.url ?? '/', 'http://here');
    const [, sourceId = '', what = ''] = route.exec(address.pathname) ?? [];
    if (request.method !== 'GET' || sourceId === '') throw new Failure('refused', { code: 'source.gone', message: 'no such source' });
    const grant = checkGrant(request.headers.authorization, { sourceId, nodeId: parts.nodeId }, parts.publicKeyPem(), parts.clock);
    const source = await parts.openSource(grant.source, gone.signal);
    try {
      if (what === 'leaves') await engine.atWork(() => sendLeaves(response, source, address.searchParams, gone.signal));
      else await sendFile(response, what === 'manifest' ? source.manifest : source.leafHashes);
    } finally {
      await source.close();
    }
  } catch (thrown) {
    refuse(response, asFailure(thrown));
  }
}

async function sendFile(response: ServerResponse, file: string): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  await pipeline(createReadStream(file), response);
}

async function sendLeaves(response: ServerResponse, source: ServedSource, query: URLSearchParams, signal: AbortSignal): Promise<void> {
  const [from, to] = [wholeNumber(query.get('from')), wholeNumber(query.get('to'))];
  if (from === null || to === null || from >= to || to > source.leaves)
    throw new Failure('refused', { code: 'transfer.bad-request', message: `leaves run from 0 to ${source.leaves}` });
  for await (const bytes of source.read(from, to, signal)) {
    // The reader may have left while the leaf was read: then nothing will ever drain.
    signal.throwIfAborted();
    // The head waits for the first good leaf, so that a bad one can still be answered with its reason.
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/octet-stream' });
    // Memory of an answer that broke is not used again: the system may still look at it.
    const isTaken = response.write(bytes, (error) => {
      if (error == null) source.give(bytes);
    });
    if (!isTaken) await drained(response, signal);
    signal.throwIfAborted();
  }
  response.end();
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go);
      signal.removeEventListener('abort', go);
      resolve();
    };
    response.on('drain', go);
    signal.addEventListener('abort', go);
  });
}

function refuse(response: ServerResponse, failure: Failure): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const status = statusOf[failure.code] ?? 500;
  // Only our own words go out; what the system says of this host's files stays here.
  const known = failure.code in statusOf;
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(
    JSON.stringify({ status, code: known ? failure.code : 'source.unreadable', detail: known ? failure.message : 'the source can not be read now' }),
  );
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
