/**
 * A process to be killed: it carries out one replica's whole life (scan, copy, activate, copy to a second node, activate, witness, retire, purge) and ends
 * well, or dies at the named crash point. Started again with the same arguments it must come to the same end.
 *
 * node driver.ts HOME SCRIPT [FAILPOINT OCCURRENCE]
 */
import fs from 'node:fs';
import path from 'node:path';
import { systemClock } from '@data-in-motion/shared/clock';
import { type FaultHooks, noFaults } from '@data-in-motion/shared/domain/fault-hooks';
import { signBody, signingKey } from '@data-in-motion/shared/signature';
import { startTransferServer } from '../../src/transfer/serve-replicas.ts';
import { OneAgent } from './one-agent.ts';

export interface Script {
  readonly source: string;
  readonly way: 'local' | 'remote';
  readonly importJob: string;
  readonly copyJob: string;
  readonly firstReplica: string;
  readonly secondReplica: string;
  readonly versionId: string;
  readonly permits: readonly [string, string];
  readonly privateKeyPem: string;
}

const [home = '', scriptFile = '', failpoint = '', occurrence = '0'] = process.argv.slice(2);
const script = JSON.parse(fs.readFileSync(scriptFile, 'utf8')) as Script;

function dieAt(point: string, nth: number): FaultHooks {
  let seen = 0;
  return {
    ...noFaults,
    isStepwise: point !== '',
    failpoint: (name) => {
      if (name === point && ++seen === nth) process.kill(process.pid, 'SIGKILL');
    },
  };
}

async function main(): Promise<void> {
  const faults = failpoint === '' ? noFaults : dieAt(failpoint, Number(occurrence));
  const settings = { checkpointBytes: 96 * 1_024, quietMs: 0 };
  const first = new OneAgent(path.join(home, 'node-a'), ['a1', 'a2'], { faults, settings, importRoots: [home] });
  const second = new OneAgent(path.join(home, 'node-b'), ['b1'], { nodeId: 'node-b', faults, settings });
  const key = signingKey(script.privateKeyPem);
  const openSource: Parameters<typeof startTransferServer>[0]['openSource'] = (source, signal) => first.migrator.openSource(source, signal);
  const server = await startTransferServer({
    host: '127.0.0.1',
    port: 0,
    nodeId: 'node-a',
    publicKeyPem: () => key.publicKeyPem,
    openSource,
    clock: systemClock,
  });
  try {
    await life(first, second, server.url, key);
  } finally {
    await Promise.all([first.stop(), second.stop(), server.close()]);
  }
}

async function life(first: OneAgent, second: OneAgent, url: string, key: ReturnType<typeof signingKey>): Promise<void> {
  const { importJob, copyJob, firstReplica, secondReplica, versionId } = script;
  const datasetId = 'letters';
  const told: unknown[] = [];
  const must = async (agent: OneAgent, order: object, event: string): Promise<{ root: string; objects: number; bytes: number }> => {
    const ended = await agent.carryOut(order);
    told.push(ended);
    if (ended.event !== event) throw new Error(`${event} expected: ${JSON.stringify(ended)}`);
    return ended as unknown as { root: string; objects: number; bytes: number };
  };
  const { root, objects, bytes } = await must(
    first,
    { kind: 'scan', jobId: importJob, epoch: 1, datasetId, source: { kind: 'directory', path: script.source } },
    'manifest',
  );
  const version = { root, objects, bytes, versionId };
  const one = { targetId: 'a1', datasetId, replicaId: firstReplica };
  await must(first, { kind: 'copy', jobId: importJob, epoch: 1, source: { kind: 'import' }, destination: one, ...version }, 'verified');
  await must(first, { kind: 'activate', jobId: importJob, epoch: 1, destination: one, rev: 1, certificate: 'first' }, 'activated');

  const body = {
    kind: 'transfer',
    jobId: copyJob,
    epoch: 1,
    source: { kind: 'replica', targetId: 'a1', replicaId: firstReplica },
    toNodeId: 'node-b',
    fromNodeId: 'node-a',
    expiresAtMs: Date.now() + 600_000,
  };
  const token = Buffer.from(JSON.stringify(signBody(JSON.stringify(body), key))).toString('base64url');
  const isLocal = script.way === 'local';
  const receiver = isLocal ? first : second;
  const two = { targetId: isLocal ? 'a2' : 'b1', datasetId, replicaId: secondReplica };
  const source = isLocal
    ? { kind: 'local-replica', targetId: 'a1', replicaId: firstReplica }
    : { kind: 'remote', nodeId: 'node-a', url: `${url}/v1/sources/${firstReplica}`, token };
  await must(receiver, { kind: 'copy', jobId: copyJob, epoch: 1, source, destination: two, ...version }, 'verified');
  await must(receiver, { kind: 'activate', jobId: copyJob, epoch: 1, destination: two, rev: 2, certificate: 'second' }, 'activated');
  await must(first, { kind: 'witness', jobId: copyJob, epoch: 1, replicaId: secondReplica, rev: 2, certificate: 'second' }, 'witnessed');
  await must(first, { kind: 'retire', jobId: copyJob, epoch: 2, permitId: script.permits[0], target: one, root, validForMs: 60_000 }, 'trashed');
  await must(first, { kind: 'purge', jobId: copyJob, epoch: 2, permitId: script.permits[1], target: one, root, validForMs: 60_000 }, 'purged');
  // What was not asked for must not have been told: a failure that was overcome by itself would hide here.
  const odd = [...first.told, ...second.told].filter((record) => record.type === 'job' && ['failed', 'mismatched', 'conflict', 'kept'].includes(record.event));
  if (odd.length > 0) throw new Error(`told besides: ${JSON.stringify(odd)}`);
  fs.writeFileSync(path.join(home, 'ended.json'), JSON.stringify(told));
}

process.stdout.write('ready\n');
await main();
