import { createWriteStream } from 'node:fs';
import type { Agent, IncomingMessage } from 'node:http';
import type { Agent as SecureAgent } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import { text } from '@data-in-motion/shared/protocol/fields';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import { backoffMs, retry } from '@data-in-motion/shared/retry';
import { z } from 'zod';
import { clientFor } from '../transfer/plain-http.ts';
import type { LeafSource, WantedLeaf } from './leaf-source.ts';
import type { ManifestFiles } from './manifest.ts';
import { printable } from './raw-path.ts';
import type { StepParts, StepRun } from './step-parts.ts';

const problem = z.object({ code: text, detail: text });
/** No manifest of a tree that we would take is longer: ten million paths. */
const longestManifestBytes = 4 * 1_024 ** 3;

/** A source on another node, read over HTTP: many leaves per request, and after a broken connection on from the first that is missing. */
export class PullSource implements LeafSource {
  readonly #source: OrderOf<'copy'>['source'] & { kind: 'remote' };
  readonly #parts: StepParts;
  readonly #run: StepRun;
  readonly #agent: Agent | SecureAgent;

  constructor(source: OrderOf<'copy'>['source'] & { kind: 'remote' }, parts: StepParts, run: StepRun) {
    this.#source = source;
    this.#parts = parts;
    this.#run = run;
    const { Agent } = clientFor(source.url);
    this.#agent = new Agent({ keepAlive: true });
  }

  async fetchManifest(into: ManifestFiles): Promise<void> {
    const { settings, clock, random } = this.#parts;
    for (const [what, file] of [
      ['manifest', into.manifest],
      ['hashes', into.leaves],
    ] as const) {
      await retry(() => this.#fetchFile(what, file), settings.retry, clock, random, this.#run.signal);
    }
  }

  async *leaves(wanted: readonly WantedLeaf[], signal: AbortSignal): AsyncGenerator<Buffer> {
    const { settings, clock, random } = this.#parts;
    let next = 0;
    for (let failures = 0; next < wanted.length; ) {
      const before = next;
      try {
        for await (const bytes of this.#pull(consecutive(wanted, next), signal)) {
          next++;
          yield bytes;
        }
        failures = 0;
      } catch (thrown) {
        signal.throwIfAborted();
        failures = next > before ? 1 : failures + 1;
        if (asFailure(thrown).kind !== 'unavailable' || failures >= settings.retry.attempts) throw thrown;
        await clock.sleep(backoffMs(failures, settings.retry, random), signal);
        signal.throwIfAborted();
      }
    }
  }

  async accuse(leaf: WantedLeaf): Promise<Failure> {
    const ids = { path: printable(leaf.path), leaf: leaf.leaf, nodeId: this.#source.nodeId };
    return new Failure('corrupt', { code: 'transfer.corrupt', message: `${ids.path} arrived twice with other bytes than its manifest says`, ids });
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  async #fetchFile(what: 'manifest' | 'hashes', file: string): Promise<void> {
    const response = await this.#get(what, this.#run.signal);
    let bytes = 0;
    const bounded = async function* (): AsyncGenerator<Buffer> {
      for await (const chunk of chunksOf(response)) {
        bytes += chunk.length;
        if (bytes > longestManifestBytes) throw new Failure('refused', { code: 'manifest.too-long', message: 'the manifest is longer than any that is taken' });
        yield chunk;
      }
    };
    await pipeline(bounded, createWriteStream(file), { signal: this.#run.signal });
  }

  /** One request: the leaves come out one by one as they arrive. */
  async *#pull(range: readonly WantedLeaf[], signal: AbortSignal): AsyncGenerator<Buffer> {
    const response = await this.#get(`leaves?from=${range[0]!.number}&to=${range.at(-1)!.number + 1}`, signal);
    let n = 0;
    let leaf = this.#parts.buffers.take(range[0]!.length);
    let filled = 0;
    try {
      for await (const chunk of chunksOf(response)) {
        for (let from = 0; from < chunk.length; ) {
          if (n >= range.length) throw new Failure('unavailable', { code: 'transfer.too-long', message: 'more bytes came than were asked for' });
          const part = chunk.copy(leaf, filled, from);
          from += part;
          filled += part;
          if (filled < leaf.length) continue;
          yield leaf;
          n++;
          filled = 0;
          leaf = n < range.length ? this.#parts.buffers.take(range[n]!.length) : Buffer.alloc(0);
        }
      }
    } finally {
      response.destroy();
    }
    if (n < range.length) throw new Failure('unavailable', { code: 'transfer.short', message: 'the transfer ended before its last leaf' });
  }

  #get(what: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, token, nodeId } = this.#source;
    const { get } = clientFor(url);
    return new Promise<IncomingMessage>((resolve, reject) => {
      const request = get(
        `${url}/${what}`,
        { agent: this.#agent, signal, headers: { authorization: `Bearer ${token}`, 'accept-encoding': 'identity' } },
        (response) => {
          if (response.statusCode === 200) resolve(response);
          else refusalOf(response, nodeId).then(reject, reject);
        },
      );
      // Also between chunks of the body: an idle connection is a dead one.
      request.setTimeout(this.#parts.settings.idleTimeoutMs, () =>
        request.destroy(new Failure('unavailable', { code: 'transfer.idle', message: `${nodeId} sent nothing for too long` })),
      );
      request.on('error', reject);
    }).catch(asUnavailable);
  }
}

/** The run of leaves that follow each other in the manifest, from `next` on: one request's worth. */
function consecutive(wanted: readonly WantedLeaf[], next: number): WantedLeaf[] {
  let end = next + 1;
  while (end < wanted.length && wanted[end]!.number === wanted[end - 1]!.number + 1) end++;
  return wanted.slice(next, end);
}

/** What a peer answered instead of bytes. Redirects are never followed: the grant is for one place. */
async function refusalOf(response: IncomingMessage, nodeId: string): Promise<Failure> {
  const status = response.statusCode ?? 0;
  let body = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    body += chunk.toString();
    if (body.length > 10_000) break;
  }
  response.destroy();
  const said = problem.safeParse(jsonOrNull(body));
  const says = said.success ? said.data : { code: `transfer.status-${status}`, detail: `status ${status}` };
  const detail = { code: says.code, message: `${nodeId}: ${says.detail}`, ids: { nodeId } };
  if (says.code === 'source.corrupt') return new Failure('corrupt', detail);
  if (says.code === 'source.unreadable') return new Failure('refused', detail);
  if (status === 429 || status >= 500) return new Failure('unavailable', detail);
  return new Failure('refused', detail);
}

async function* chunksOf(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) yield chunk;
  } catch (thrown) {
    asUnavailable(thrown);
  }
}

/** Whatever the system says of a request or its connection, it says nothing about the bytes: try again. */
function asUnavailable(thrown: unknown): never {
  const failure = asFailure(thrown);
  const isSaidBySystem = failure.kind === 'defect' && failure.code.startsWith('system.') && failure.code !== 'system.abort_err';
  throw isSaidBySystem ? new Failure('unavailable', { code: 'transfer.broken', message: failure.message, cause: thrown }) : thrown;
}

function jsonOrNull(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
