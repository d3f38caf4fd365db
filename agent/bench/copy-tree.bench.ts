/**
 * How long a durable, verified copy takes beside what an administrator would type: `cp -r`, `sync -f`, `sha256sum` of both sides.
 * `npm run bench --workspace agent [-- ROUNDS]`. Prints the ratios and writes bench/results/copy-tree.json.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { id, OneAgent } from '../test/mover/one-agent.ts';

const smallFiles = 5_000;
const smallBytes = 16 * 1_024;
const largeBytes = 512 * 1_024 * 1_024;
const rounds = Number(process.argv[2] ?? 3);

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-bench-'));
try {
  await main();
} finally {
  fs.rmSync(home, { recursive: true, force: true });
}

async function main(): Promise<void> {
  plant(path.join(home, 'small'), smallFiles, smallBytes);
  plant(path.join(home, 'large'), 1, largeBytes);
  const results: Record<string, { moverMs: number[]; scanMs: number[]; peerMs: number[]; peakMemoryBytes: number }> = {};
  for (const load of ['small', 'large']) {
    const result = { moverMs: [] as number[], scanMs: [] as number[], peerMs: [] as number[], peakMemoryBytes: 0 };
    for (let round = 0; round < rounds; round++) {
      result.peerMs.push(peer(path.join(home, load)));
      const mover = await move(path.join(home, load), path.join(home, `agent-${load}-${round}`));
      result.moverMs.push(mover.totalMs);
      result.scanMs.push(mover.scanMs);
      result.peakMemoryBytes = process.resourceUsage().maxRSS * 1_024;
    }
    results[load] = result;
    const [ours, theirs] = [median(result.moverMs), median(result.peerMs)];
    const [scan, memory] = [median(result.scanMs).toFixed(0), (result.peakMemoryBytes / 1e6).toFixed(0)];
    console.log(
      `${load}: mover ${ours.toFixed(0)} ms (scan ${scan} ms), cp+sync+sha256sum x2 ${theirs.toFixed(0)} ms, ratio ${(ours / theirs).toFixed(2)}, peak memory ${memory} MB`,
    );
  }
  const file = path.join(import.meta.dirname, 'results/copy-tree.json');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(
    file,
    `${JSON.stringify({ atMs: Date.now(), cores: os.availableParallelism(), rounds, smallFiles, smallBytes, largeBytes, results }, null, 2)}\n`,
  );
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
  execFileSync('sync', ['-f', home]);
}

/** Scan, copy and verify: the source is hashed, every leaf checked before it is written, made durable, and read back. */
async function move(source: string, place: string): Promise<{ totalMs: number; scanMs: number }> {
  const agent = new OneAgent(place, ['target']);
  const jobId = id();
  const startedMs = performance.now();
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
  await agent.stop();
  fs.rmSync(place, { recursive: true });
  return { totalMs, scanMs };
}

function peer(source: string): number {
  const place = path.join(home, 'peer');
  const startedMs = performance.now();
  execFileSync('cp', ['-r', source, place]);
  execFileSync('sync', ['-f', place]);
  const sums = [source, place].map((root) =>
    execFileSync('sh', ['-c', 'find . -type f -print0 | sort -z | xargs -0 sha256sum'], { cwd: root, maxBuffer: 1e8 }).toString(),
  );
  if (sums[0] !== sums[1]) throw new Error('the peer made a wrong copy');
  const tookMs = performance.now() - startedMs;
  fs.rmSync(place, { recursive: true });
  return tookMs;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
