import { randomFillSync } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '@data-in-motion/shared/clock';
import type { FaultHooks } from '@data-in-motion/shared/domain/fault-hooks';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { pageMemory, release } from '@data-in-motion/shared/page-memory';
import type { Random } from '@data-in-motion/shared/random';

const probeBytes = 4 * 1024 * 1024;
/** Of one call to the system: larger ones measure no faster, and their memory stays with the process. */
const pieceBytes = 1024 * 1024;
const smallReadBytes = 4_096;
const readsPerLook = 8;
/** Latencies are told over this many newest reads: four minutes at the default pace, so a disk that was slow is not held to it for long. */
const keptLatencies = 128;

export interface Speed {
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly readBytesPerSec: number | null;
  readonly writeBytesPerSec: number | null;
}

export interface SpeedMeterParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: FaultHooks;
}

/**
 * Latency and throughput of one target, measured on a file of 4 MiB of its own (`<root>/.dim/probe/probe.bin`).
 * Latency is the time of opening the file and reading 4 KiB at a random place, past the page cache where the file system allows it (O_DIRECT),
 * plus what the operator states for the way (`addedLatencyMs`). Throughput is one pass of the file, writes flushed with fdatasync;
 * it is measured only when asked, as it costs 4 MiB of writing. Figures of so small a file are a lower bound for a busy disk and an upper one for a cache.
 */
export class SpeedMeter {
  readonly #target: TargetDescription;
  readonly #parts: SpeedMeterParts;
  readonly #latenciesMs: number[] = [];
  readonly #page = pageMemory(smallReadBytes);
  #readBytesPerSec: number | null = null;
  #writeBytesPerSec: number | null = null;

  constructor(target: TargetDescription, parts: SpeedMeterParts) {
    this.#target = target;
    this.#parts = parts;
  }

  get speed(): Speed {
    const sorted = [...this.#latenciesMs].sort((a, b) => a - b);
    const at = (share: number): number | null => (sorted.length === 0 ? null : quantileOf(sorted, share));
    return {
      latencyP50Ms: at(0.5),
      latencyP95Ms: at(0.95),
      latencyP99Ms: at(0.99),
      readBytesPerSec: this.#readBytesPerSec,
      writeBytesPerSec: this.#writeBytesPerSec,
    };
  }

  /**
   * A few small reads. Makes the probe file when it is not there, never the root itself: a root that is gone is a disk that is not mounted.
   *
   * @throws the system's error when the target can not be read
   */
  async measureLatency(): Promise<void> {
    const file = await this.#probeFile();
    const errors: unknown[] = [];
    for (let i = 0; i < readsPerLook; i++) {
      const place = Math.floor(this.#parts.random.next() * (probeBytes / smallReadBytes)) * smallReadBytes;
      const startedMs = this.#parts.clock.monotonicMs();
      try {
        await this.#parts.faults.before('read', this.#target.targetId);
        await readDirect(file, this.#page, place, smallReadBytes);
      } catch (error) {
        errors.push(error);
        continue;
      }
      const tookMs = this.#parts.clock.monotonicMs() - startedMs + this.#target.addedLatencyMs;
      this.#latenciesMs.push(Math.round(tookMs * 1_000) / 1_000);
    }
    // A disk that fails some reads is still there; one that fails all of them is not.
    if (errors.length === readsPerLook) throw errors[0];
    if (this.#latenciesMs.length > keptLatencies) this.#latenciesMs.splice(0, this.#latenciesMs.length - keptLatencies);
  }

  /** @throws the system's error when the target can not be read or written */
  async measureThroughput(): Promise<void> {
    await withPiece((piece) => this.#timePass(piece));
  }

  async #timePass(piece: Buffer): Promise<void> {
    const clock = this.#parts.clock;
    const writeStartedMs = clock.monotonicMs();
    await this.#parts.faults.before('write', this.#target.targetId);
    const file = await this.#writeProbe(piece);
    this.#writeBytesPerSec = perSecond(probeBytes, clock.monotonicMs() - writeStartedMs);
    const readStartedMs = clock.monotonicMs();
    await this.#parts.faults.before('read', this.#target.targetId);
    await readDirect(file, piece, 0, probeBytes);
    this.#readBytesPerSec = perSecond(probeBytes, clock.monotonicMs() - readStartedMs);
  }

  async #probeFile(): Promise<string> {
    const file = path.join(this.#target.root, '.dim/probe/probe.bin');
    const handle = await open(file, 'r').catch(() => null);
    const size = handle === null ? 0 : (await handle.stat()).size;
    await handle?.close();
    return size === probeBytes ? file : withPiece((piece) => this.#writeProbe(piece));
  }

  async #writeProbe(piece: Buffer): Promise<string> {
    await refuseAbsent(this.#target.root);
    const directory = path.join(this.#target.root, '.dim/probe');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = path.join(directory, 'probe.bin');
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      // Bytes that no file system can compress away or share.
      for (let left = probeBytes; left > 0; left -= piece.length) await handle.writeFile(randomFillSync(piece));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
    return file;
  }
}

/** Memory for as long as it is used: it is needed every few minutes, and a node may have many targets. */
async function withPiece<Result>(work: (piece: Buffer) => Promise<Result>): Promise<Result> {
  const piece = pageMemory(pieceBytes);
  try {
    return await work(piece);
  } finally {
    release(piece);
  }
}

async function refuseAbsent(root: string): Promise<void> {
  const handle = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.close();
}

function perSecond(bytes: number, ms: number): number | null {
  return ms > 0 ? Math.round((bytes / ms) * 1_000) : null;
}

/** Read past the page cache where the file system allows it: O_DIRECT wants memory at a multiple of the block size, which whole pages are. */
async function readDirect(file: string, memory: Buffer, position: number, length: number): Promise<void> {
  try {
    return await readAll(await open(file, constants.O_RDONLY | constants.O_DIRECT), memory, position, length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  }
  await readAll(await open(file, constants.O_RDONLY), memory, position, length);
}

async function readAll(handle: FileHandle, memory: Buffer, position: number, length: number): Promise<void> {
  try {
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(memory, 0, Math.min(memory.length, length - done), position + done);
      if (bytesRead === 0) return;
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** Between two values in proportion, as numpy's own way and the type 7 of Hyndman and Fan (1996). */
function quantileOf(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below + (at % 1) * (above - below);
}
