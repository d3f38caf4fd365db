import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import { systemClock } from '@data-in-motion/shared/clock';
import { pick, seededRandom } from '@data-in-motion/shared/random';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasMosquitto, hasPostgres } from '../../../control-plane/test/servers.ts';
import { readSettings } from '../../src/config.ts';
import { hurriedLife } from '../../src/fleet/life-settings.ts';
import { freePort } from '../../src/fleet/ports.ts';
import { add, expectEveryPromise, setPolicy, until, untilMet, untilQuiet } from './asking.ts';
import { closeStages, openStage, type Stage, startMs } from './stage.ts';

/** Servers that other people run, one PostgreSQL and one Mosquitto, and two control planes on both. */

const repository = path.resolve(import.meta.dirname, '../../..');
const pins = [
  ['berlin-archive', 'frankfurt-disk'],
  ['virginia-standard', 'frankfurt-ssd'],
  ['berlin-nvme', 'virginia-block'],
  ['frankfurt-disk', 'virginia-archive'],
] as const;

describe.skipIf(!hasPostgres || !hasMosquitto)('with PostgreSQL and Mosquitto', () => {
  let stage: Stage;
  let second: ChildProcess | undefined;
  let secondApi: RouteCaller;

  beforeAll(async () => {
    stage = await openStage('two-control-planes', { servers: 'outside', controlPlane: { DIM_LOST_AFTER_MS: '30000' } });
  }, startMs);
  afterAll(async () => {
    await end(second);
    await closeStages();
  });

  test('two control planes on one database and one broker leave one effect of everything, whichever of them dies', { timeout: 300_000 }, async () => {
    const random = seededRandom(stage.seed + 1);
    ({ child: second, api: secondApi } = await startSecond());
    await until('the second control plane', 90, async () => ((await secondApi.isReady()) ? true : undefined));
    for (let i = 0; i < 3; i++)
      await add(stage, `shared-${i}`, { nodeId: pick(random, ['berlin', 'frankfurt', 'virginia']), sampleBytes: 1_000_000, seed: stage.seed + i });
    for (let i = 0; i < 3; i++) await untilMet(stage, `shared-${i}`, 90);
    const deaths = [async () => {}, () => stage.fleet.killControlPlane(), () => end(second)];
    for (const dies of deaths) {
      for (let i = 0; i < 3; i++) await setPolicy(stage, `shared-${i}`, { pinnedTargets: [...pick(random, pins)] });
      await systemClock.sleep(random.next() * 1_500);
      expect([second?.exitCode, second?.signalCode]).toEqual([null, null]);
      await dies();
      await stage.fleet.untilReady();
    }
    for (let i = 0; i < 3; i++) await untilMet(stage, `shared-${i}`, 120);
    await untilQuiet(stage, 120);

    await expectEveryPromise(stage);
    expect(await ask('select count(*) from switch_log')).not.toBe('0');
    expect(await ask('select dataset_id, to_rev, count(*) from switch_log group by 1, 2 having count(*) > 1')).toBe('');
    expect(
      await ask(
        'select s.dataset_id, s.to_rev from switch_log s where from_rev <> to_rev - 1 or (from_rev > 0 and not exists (select 1 from switch_log b where b.dataset_id = s.dataset_id and b.to_rev = s.from_rev))',
      ),
    ).toBe('');
    expect(await ask('select replica_id, kind, count(*) from permit where used_at_ms is not null group by 1, 2 having count(*) > 1')).toBe('');
    expect(
      await ask(
        "select job_id, to_state, count(*) from job_transition where to_state in ('switched', 'trashed', 'purged', 'done') and from_state <> to_state group by 1, 2 having count(*) > 1",
      ),
    ).toBe('');
    expect(await ask('select uid, node_id, count(*) from batch group by 1, 2 having count(*) > 1')).toBe('');
    expect(
      await ask("select dataset_id from pointer p where not exists (select 1 from replica r where r.replica_id = p.replica_id and r.state = 'verified')"),
    ).toBe('');
  });

  /** One more on the same database and broker, with the same signing key and a home of its own. */
  async function startSecond(): Promise<{ child: ChildProcess; api: RouteCaller }> {
    const home = path.join(stage.scratch, '..', 'second');
    mkdirSync(home, { mode: 0o700 });
    for (const name of ['control-plane.key', 'control-plane.pub', 'admin.key'])
      copyFileSync(path.join(stage.fleet.home.directory, name), path.join(home, name));
    const port = await freePort();
    const { environment } = readSettings({ ...process.env, DIM_HOME: home });
    const child = spawn(process.execPath, [path.join(repository, 'control-plane/src/main.ts')], {
      cwd: repository,
      env: {
        ...environment,
        ...hurriedLife,
        NODE_COMPILE_CACHE: path.join(repository, 'node_modules/.cache/compiled'),
        DIM_LOST_AFTER_MS: '30000',
        DIM_HOME: home,
        DIM_HTTP_PORT: String(port),
        DATABASE_URL: stage.outside!.postgres.url,
        MQTT_URL: stage.outside!.mosquitto.url,
        DIM_LOG_LEVEL: 'warn',
      },
      stdio: 'ignore',
    });
    return { child, api: new RouteCaller(`http://127.0.0.1:${port}`, stage.fleet.apiKey) };
  }

  /** The answer of psql, one row a line. */
  async function ask(sql: string): Promise<string> {
    const { stdout } = await promisify(execFile)('psql', ['-X', '-A', '-t', '-d', stage.outside!.postgres.url, '-c', sql]);
    return stdout.trim();
  }
});

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
