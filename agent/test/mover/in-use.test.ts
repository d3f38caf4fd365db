import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { noFaults } from '@data-in-motion/shared/domain/fault-hooks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { id, importTo, OneAgent } from './one-agent.ts';
import { facts, plantTree } from './trees.ts';

let home: string;
let agent: OneAgent;
let first: Awaited<ReturnType<typeof importTo>>;
let program: ChildProcess | undefined;
let at: (point: string) => void;
beforeEach(async () => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-in-use-'));
  const source = path.join(home, 'source');
  fs.mkdirSync(source);
  plantTree(source, 'small');
  fs.copyFileSync('/bin/sleep', path.join(source, 'program'));
  at = () => undefined;
  agent = new OneAgent(path.join(home, 'node-a'), ['one'], { faults: { ...noFaults, failpoint: (name) => at(name) } });
  first = await importTo(agent, source, 'one', 'letters');
});
afterEach(async () => {
  await end();
  await agent.stop();
  fs.rmSync(home, { recursive: true, force: true });
});
async function end(): Promise<void> {
  if (program === undefined || program.exitCode !== null || program.signalCode !== null) return;
  const ended = new Promise((resolve) => program!.once('close', resolve));
  program.kill('SIGKILL');
  await ended;
}
const permit = (kind: 'retire' | 'purge') => {
  const target = { targetId: 'one', datasetId: 'letters', replicaId: first.replicaId };
  return { kind, jobId: id(), epoch: 1, permitId: id(), target, root: first.version.root, validForMs: 60_000 };
};
const live = (name: string): string => agent.path('one', 'letters', first.replicaId, name);
const trash = (...rest: string[]): string => agent.path('one', '.dim/trash', first.replicaId, ...rest);

test.each([
  ['a file of the copy open', () => spawn('tail', ['-f', live('a0')], { stdio: ['ignore', 'pipe', 'ignore'] })],
  ['its working directory in the copy', () => spawn('sh', ['-c', 'echo ready; read never'], { cwd: live('a'), stdio: ['pipe', 'pipe', 'ignore'] })],
  [
    'a file of the copy in its memory and no descriptor of it',
    () => spawn('sh', ['-c', `echo ready; exec '${live('program')}' 600`], { stdio: ['ignore', 'pipe', 'ignore'] }),
  ],
])('a purge waits while another program has %s, says why, once, and goes on when it has ended', async (_, start) => {
  program = start();
  await new Promise((resolve) => program!.stdout!.once('data', resolve));
  await agent.carryOut(permit('retire'));
  const before = facts(trash());
  const purge = permit('purge');
  agent.order([purge]);
  expect(await agent.untilNoted('purge.in-use')).toMatchObject({
    severity: 'info',
    message: expect.stringContaining(`process ${program.pid}`),
    ids: { jobId: purge.jobId, targetId: 'one', replicaId: first.replicaId, pid: program.pid },
  });
  expect(facts(trash())).toEqual(before);
  await end();
  expect(await agent.carryOut(purge)).toMatchObject({ event: 'purged' });
  expect(agent.told.filter((record) => record.type === 'note' && record.code === 'purge.in-use')).toHaveLength(1);
});

test('what a program that held a file since before the copy left writes into it is never deleted, whenever it writes', async () => {
  const [go, done] = [path.join(home, 'go'), path.join(home, 'done')];
  execFileSync('mkfifo', [go, done]);
  program = spawn('sh', ['-c', `exec 3<>'${live('a0')}'; echo ready; read x <'${go}'; echo LATE >&3; exec 3>&-; echo >'${done}'`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => program!.stdout!.once('data', resolve));
  let hasWritten = false;
  const letItWrite = (): void => {
    if (hasWritten) return;
    hasWritten = true;
    fs.writeFileSync(go, 'go\n');
    fs.readFileSync(done);
  };
  await agent.carryOut(permit('retire'));
  // If the copy were read while the program still has its file, it would write just after that was done, and close.
  let compared = 0;
  at = (point) => {
    if (point === 'C19' && ++compared > 10) letItWrite();
  };
  const purge = permit('purge');
  agent.order([purge]);
  await Promise.race([agent.untilNoted('purge.in-use'), agent.until(purge.jobId, ['purged', 'conflict'])]);
  letItWrite();
  expect(await agent.carryOut(purge)).toMatchObject({ event: 'conflict', path: 'a0' });
  expect(fs.readFileSync(trash('a0'), 'utf8')).toMatch(/^LATE/);
});
