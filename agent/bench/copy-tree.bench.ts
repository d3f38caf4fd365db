/**
 * How long a durable, verified copy takes beside what an administrator would type: `cp -r`, `sync -f`, `sha256sum` of both sides; and how much memory.
 * Each copy runs in a process of its own, started as the agents of the local fleet are, right after its peer.
 * `npm run bench --workspace agent [-- ROUNDS [LOAD…]]`. Prints the ratios and writes bench/results/copy-tree.json.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { engine } from '../src/engine/engine.ts';
import { id, OneAgent } from '../test/mover/one-agent.ts';
import { agentFlags } from './agent-flags.ts';

const loads = {
  small: { files: 5_000, bytes: 16 * 1_024 },
  many: { files: 100_000, bytes: 500 },
  large: { files: 1, bytes: 512 * 1_024 * 1_024 },
} as const;
type Load = keyof typeof loads;
interface Moved {
  readonly totalMs: number;
  readonly scanMs: number;
  /** Processor time of all its threads: what others do on the machine shows less in it than in the time that passes. */
  readonly cpuMs: number;
  readonly peakRssBytes: number;
  /** Of the process alone: what it shares with other Node processes is not in it. */
  readonly peakAnonBytes: number;
  readonly restAnonBytes: number;
}

/** `DIM_NODE_FLAGS` measures others. */
const nodeFlags = process.env.DIM_NODE_FLAGS?.split(' ') ?? agentFlags;
const [first = '3', ...rest] = process.argv.slice(2);
if (first === 'move') {
  engine.beSmall();
  process.stdout.write(JSON.stringify(await move(rest[0]!, rest[1]!)));
} else await main(Number(first), (rest.length === 0 ? ['small', 'large'] : rest) as Load[]);

async function main(rounds: number, chosen: readonly Load[]): Promise<void> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-bench-'));
  const results: Record<string, { peerMs: number[]; moved: Moved[] }> = {};
  try {
    for (const load of chosen) {
      plant(path.join(home, load), loads[load].files, loads[load].bytes);
      execFileSync('sync', ['-f', home]);
      const result = { peerMs: [] as number[], moved: [] as Moved[] };
      for (let round = 0; round < rounds; round++) {
        result.peerMs.push(peer(path.join(home, load), path.join(home, `peer-${load}-${round}`)));
        result.moved.push(moveInProcess(path.join(home, load), path.join(home, `agent-${load}-${round}`)));
      }
      results[load] = result;
      const ratio = median(result.moved.map(({ totalMs }, n) => totalMs / result.peerMs[n]!));
      const of = (figure: keyof Moved): string => median(result.moved.map((one) => one[figure])).toFixed(0);
      const mega = (figure: keyof Moved): string => (Number(of(figure)) / 1e6).toFixed(0);
      console.log(
        `${load}: mover ${of('totalMs')} ms (scan ${of('scanMs')} ms, processor ${of('cpuMs')} ms), cp+sync+sha256sum x2 ${median(result.peerMs).toFixed(0)} ms, ratio ${ratio.toFixed(2)}; ` +
          `memory: peak ${mega('peakRssBytes')} MB, of it its own ${mega('peakAnonBytes')} MB, after it ${mega('restAnonBytes')} MB`,
      );
    }
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
  const file = path.join(import.meta.dirname, 'results/copy-tree.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `${JSON.stringify({ atMs: Date.now(), cores: os.availableParallelism(), rounds, loads, results }, null, 2)}\n`);
}

function moveInProcess(source: string, place: string): Moved {
  const args = [...nodeFlags, import.meta.filename, 'move', source, place];
  return JSON.parse(execFileSync(process.execPath, args, { env: { ...process.env, MALLOC_ARENA_MAX: '2' } }).toString()) as Moved;
}

function plant(root: string, files: number, bytes: number): void {
  const block = Buffer.alloc(1_024 * 1_024);
  for (let i = 0; i < files; i++) {
    const folder = path.join(root, `d${i % 50}`);
    fs.mkdirSync(folder, { recursive: true });
    const fd = fs.openSync(path.join(folder, `f${i}`), 'w');
    for (let left = bytes; left > 0; left -= block.length) {
      for (let at = 0; at < block.length; at += 4_096) block.writeUInt32LE((i * 2_654_435_761 + at + left) >>> 0, at);
      fs.writeSync(fd, block, 0, Math.min(left, block.length));
    }
    fs.closeSync(fd);
  }
}

/** Scan, copy and verify: the source is hashed, every leaf checked before it is written, made durable, and read back. */
async function move(source: string, place: string): Promise<Moved> {
  let peakAnonBytes = 0;
  const looking = setInterval(() => {
    peakAnonBytes = Math.max(peakAnonBytes, memoryOf('RssAnon'));
  }, 25);
  const agent = new OneAgent(place, ['target']);
  const jobId = id();
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const scanned = await agent.carryOut({ kind: 'scan', jobId, epoch: 1, datasetId: 'bench', source: { kind: 'directory', path: source } });
  const scanMs = performance.now() - startedMs;
  if (scanned.event !== 'manifest') throw new Error(JSON.stringify(scanned));
  const destination = { targetId: 'target', datasetId: 'bench', replicaId: id() };
  const ended = await agent.carryOut({
    kind: 'copy',
    jobId,
    epoch: 1,
    source: { kind: 'import' },
    destination,
    versionId: id(),
    root: scanned.root,
    objects: scanned.objects,
    bytes: scanned.bytes,
  });
  if (ended.event !== 'verified') throw new Error(JSON.stringify(ended));
  const totalMs = performance.now() - startedMs;
  const used = process.cpuUsage(startedCpu);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  clearInterval(looking);
  const moved = { totalMs, scanMs, cpuMs: (used.user + used.system) / 1e3, peakRssBytes: memoryOf('VmHWM'), peakAnonBytes, restAnonBytes: memoryOf('RssAnon') };
  await agent.stop();
  return moved;
}

function memoryOf(what: 'VmHWM' | 'RssAnon'): number {
  const kilobytes = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}

function peer(source: string, place: string): number {
  const startedMs = performance.now();
  execFileSync('cp', ['-r', source, place]);
  execFileSync('sync', ['-f', place]);
  const sums = [source, place].map((root) =>
    execFileSync('sh', ['-c', 'find . -type f -print0 | sort -z | xargs -0 sha256sum'], { cwd: root, maxBuffer: 1e8 }).toString(),
  );
  if (sums[0] !== sums[1]) throw new Error('the peer made a wrong copy');
  const tookMs = performance.now() - startedMs;
  return tookMs;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
