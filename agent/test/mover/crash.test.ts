import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { seededRandom } from '@data-in-motion/shared/random';
import { newPrivateKeyPem } from '@data-in-motion/shared/signature';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isRoot, nobody } from '../ordinary-user.ts';
import type { Script } from './driver.ts';
import { id } from './one-agent.ts';
import { facts, plantTree } from './trees.ts';

const copying = ['C5', 'C2', 'C6', 'C7', 'C11', 'C8', 'C9', 'C12', 'C13', 'C14', 'C19', 'C20'];
const leaving = ['C22', 'C23', 'C24', 'C25', 'C26', 'C27'];
/** Passed once for every leaf, file or entry. */
const repeated = ['C3', 'C6', 'C7', 'C11', 'C19', 'C26'];

/** Seventy processes are started here: each is ready in a third of the time when it need not compile. */
const compiled = path.join(import.meta.dirname, '../../../node_modules/.cache/compiled');

/** Spread over as many lives as it takes. */
const randomKills = 15;

let home: string;
let script: Script;
let before: Map<string, string>;
let child: ChildProcess | undefined;
if (!isRoot) console.log('not root: each life is that of an ordinary user anyway');
let user: { uid?: number; gid?: number } = {};

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-crash-'));
  user = {};
});
afterEach(() => {
  child?.kill('SIGKILL');
  fs.rmSync(home, { recursive: true, force: true });
});

function begin(way: Script['way'], size: 'two leaves'): void {
  const source = path.join(home, 'source');
  fs.mkdirSync(source);
  plantTree(source, size);
  before = facts(source);
  if (user.uid !== undefined) execFileSync('chown', ['-hR', `${user.uid}:${user.gid}`, home]);
  script = {
    source,
    way,
    importJob: id(),
    copyJob: id(),
    firstReplica: id(),
    secondReplica: id(),
    versionId: id(),
    permits: [id(), id()],
    privateKeyPem: newPrivateKeyPem(),
  };
  fs.writeFileSync(path.join(home, 'script.json'), JSON.stringify(script));
}

/** Run until the end, or until it is killed: by itself at a crash point, or from here, some time after it was ready. */
async function run(failpoint: readonly string[], killAfterMs?: number): Promise<'ended' | 'killed'> {
  const started = spawn(process.execPath, [path.join(import.meta.dirname, 'driver.ts'), home, path.join(home, 'script.json'), ...failpoint], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    ...user,
  });
  child = started;
  let says = '';
  started.stderr.on('data', (chunk: Buffer) => {
    says += chunk.toString();
  });
  let timer: NodeJS.Timeout | undefined;
  started.stdout.once('data', () => {
    if (killAfterMs !== undefined) timer = setTimeout(() => started.kill('SIGKILL'), killAfterMs);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => started.on('close', (...ended) => resolve(ended)));
  clearTimeout(timer);
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the agent ended with ${code ?? signal}: ${says}`);
  return signal === 'SIGKILL' ? 'killed' : 'ended';
}

/** Looks at the disks alone, with none of the mover's code. */
function expectMoved(): void {
  const [node, target] = script.way === 'local' ? ['node-a', 'a2'] : ['node-b', 'b1'];
  const place = path.join(home, node, target);
  expect(facts(script.source)).toEqual(before);
  expect(facts(path.join(place, 'letters', script.secondReplica))).toEqual(before);
  expect(fs.readlinkSync(path.join(place, 'letters/current'))).toBe(script.secondReplica);
  expect(fs.readdirSync(path.join(place, 'letters')).sort()).toEqual([script.secondReplica, 'current'].sort());
  expect(fs.readdirSync(path.join(place, '.dim/manifests')).sort()).toEqual([`${script.secondReplica}.jsonl`, `${script.secondReplica}.leaves`]);
  expect(fs.readdirSync(path.join(home, 'node-a/a1/letters'))).toEqual([]);
  for (const target of ['node-a/a1', 'node-a/a2', 'node-b/b1'].filter((name) => fs.existsSync(path.join(home, name, '.dim')))) {
    expect(fs.readdirSync(path.join(home, target, '.dim/staging'))).toEqual([]);
    expect(fs.readdirSync(path.join(home, target, '.dim/trash'))).toEqual([]);
  }
}

describe('an agent that is killed goes on where it was and ends with the same bytes', () => {
  test.each([
    // The first copy is killed at its beginnings, the second, after the first was made current, in the middle.
    ['of an import, the first time it comes by each crash point', 1, 'local', ['C3', 'C4', ...copying, 'C37', ...leaving]],
    ['of a copy between nodes, in the middle of each kind of work', 16, 'remote', ['C3', 'C37', ...copying, ...leaving]],
  ] as const)('%s', { timeout: 120_000 }, async (_, occurrence, way, points) => {
    begin(way, 'two leaves');
    const killedAt: string[] = [];
    for (const point of points) {
      if ((await run([point, String(repeated.includes(point) ? occurrence : 1)])) === 'ended') break;
      killedAt.push(point);
    }
    while ((await run([])) === 'killed');
    expectMoved();
    expect(killedAt).toEqual(points);
  });

  test.skipIf(!isRoot)('of a copy that an ordinary user makes, at its end', { timeout: 120_000 }, async () => {
    user = { uid: nobody, gid: nobody };
    begin('local', 'two leaves');
    const points = ['C12', 'C13', 'C14', 'C19', 'C23', 'C26'];
    for (const point of points) expect(await run([point, '1'])).toBe('killed');
    while ((await run([])) === 'killed');
    expectMoved();
  });

  test('at random moments', { timeout: 120_000 }, async () => {
    const seed = Number(
      id()
        .slice(20)
        .split('')
        .map((digit) => digit.charCodeAt(0) % 10)
        .join(''),
    );
    console.log(`kill moments from seed ${seed}`);
    const random = seededRandom(seed);
    for (let kills = 0; kills < randomKills; ) {
      fs.rmSync(home, { recursive: true, force: true });
      fs.mkdirSync(home);
      begin(random.next() < 0.5 ? 'local' : 'remote', 'two leaves');
      // Reading back begins anew after a kill, so a life that is killed too fast for it would never end.
      for (let left = 5; left > 0 && (await run([], random.next() * 500)) === 'killed'; left--) kills++;
      while ((await run([])) === 'killed');
      expectMoved();
    }
  });
});
