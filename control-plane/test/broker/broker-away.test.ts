import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { connectOutsideBus } from '../../src/broker/outside-bus.ts';
import { layEmptyDatabase } from '../empty-database.ts';
import { hasMosquitto, type MosquittoServer, startMosquitto } from '../servers.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const compiled = fileURLToPath(new URL('../../../node_modules/.cache/compiled', import.meta.url));

describe.skipIf(!hasMosquitto)('an outside broker that goes away', () => {
  let server: MosquittoServer;
  const ending: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
    await server.stop();
  });

  it.each(['freeze', 'kill'] as const)('after a %s, leaves no sender waiting, nor who closes the bus', async (how) => {
    server = await startMosquitto();
    const bus = await connectOutsideBus({ url: server.url, username: null, password: null });
    await bus.publish('nudge', 'n1', { v: 1, rev: 1 });
    server.freeze();
    const refusal = expect(bus.publish('nudge', 'n1', { v: 1, rev: 2 })).rejects.toMatchObject({ kind: 'unavailable', code: 'bus.disconnected' });
    if (how === 'kill') await server.kill();
    await refusal;
    await bus.close();
  });

  /** A whole control plane, ready to be told to end. */
  const controlPlane = async (): Promise<ChildProcess> => {
    const home = mkdtempSync(join(tmpdir(), 'dim-home-'));
    await layEmptyDatabase(join(home, 'database'));
    const env = {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: compiled,
      DIM_HOME: home,
      DIM_HTTP_PORT: '0',
      MQTT_URL: server.url,
      DIM_LOOP_EVERY_MS: '100',
    };
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    ending.push(async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(home, { recursive: true, force: true });
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout!.on('data', (chunk) => String(chunk).includes('the control plane is up') && resolve());
      child.once('exit', (code) => reject(new Error(`it ended at once with ${code}`)));
    });
    return child;
  };

  it.each(['freeze', 'kill'] as const)(
    'after a %s, does not keep the control plane from ending when it is told to',
    async (how) => {
      server = await startMosquitto();
      const child = await controlPlane();
      await server[how]();
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    },
    60_000,
  );

  it('does not keep the control plane from ending at once when it is told twice', async () => {
    server = await startMosquitto();
    const child = await controlPlane();
    server.freeze();
    child.kill('SIGINT');
    child.kill('SIGTERM');
    await new Promise<void>((resolve) => child.stdout!.on('data', (chunk) => String(chunk).includes('stopping') && resolve()));
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([1, null]);
  }, 60_000);
});
