import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PlanSummary, PlanView } from '@data-in-motion/shared/api/decisions';
import { newPrivateKeyPem, signBody, signingKey } from '@data-in-motion/shared/signature';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { aCertificate } from './testdata/certificate.ts';
import { aDataset, aJob, aNode, anEvent, anExplanation, aPlan, FixtureServer, problem } from './testdata/fixture-server.ts';

const program = path.join(import.meta.dirname, 'dim.mjs');
let home: string;
let server: FixtureServer | undefined;

beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'dim-cli-'));
  writeFileSync(path.join(home, 'admin.key'), 'dim_test\n');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));
afterEach(() => server?.close());

async function serve(routes: ConstructorParameters<typeof FixtureServer>[0]): Promise<FixtureServer> {
  server = await new FixtureServer(routes).listen();
  writeFileSync(path.join(home, 'address'), `${server.url}\n`);
  return server;
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Run `dim` as a person does; `until` ends it (as Ctrl-C does) when its output holds that text. */
function dim(args: readonly string[], until?: string): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env.PATH, DIM_HOME: home, TZ: 'UTC' }, cwd: home });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (until !== undefined && out.includes(until)) child.kill('SIGINT');
    });
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

test('a list is a table for people and one JSON document for programs, with key and address found by themselves', async () => {
  const { asked } = await serve({ 'GET /v1/nodes': () => ({ items: [aNode], next: null, asOfMs: 1_004_000 }) });
  const shown = await dim(['nodes']);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out).toMatch(/^node {2,}site.*\nberlin +berlin +online +4\.0 s ago/);
  const json = await dim(['nodes', '--json']);
  expect(JSON.parse(json.out).items[0]).toEqual(aNode);
  expect(asked.every((request) => request.headers['x-api-key'] === 'dim_test')).toBe(true);
});

test('what would be left after a loss is told for the fleet and for one dataset', async () => {
  const worst = {
    kind: 'site',
    id: 'berlin',
    copiesLeft: 1,
    readersGoOn: false,
    versionId: 'v1',
    pointAtMs: 1_000_000,
    behindMs: 0,
    bestTargetId: 'paris-a',
    restoreMs: 90_000,
  };
  const gone = { ...worst, kind: 'device', id: 'sda', copiesLeft: 0, versionId: null, pointAtMs: null, behindMs: null, bestTargetId: null, restoreMs: null };
  const disaster = { kind: 'site', id: 'berlin', datasets: 3, lost: 1, setBack: 0, short: 2, lostBytes: 2e9, restoreMs: 90_000 };
  const { asked } = await serve({
    'GET /v1/recovery': () => ({
      asOfMs: 1_060_000,
      disasters: [disaster],
      datasets: [{ datasetId: 'maps', sizeBytes: 2e9, copiesWanted: 2, worst: [gone, worst] }],
    }),
  });
  const fleet = await dim(['recovery']);
  expect(fleet).toMatchObject({ code: 0, err: '' });
  expect(fleet.out).toMatch(/site berlin +3 +1 /);
  const one = await dim(['recovery', 'maps']);
  expect(one.out).toMatch(/maps.*device sda +0 of 2 +nothing is left/);
  expect(one.out).toMatch(/maps.*site berlin +1 of 2 +the present version made .* ago.*paris-a/);
  expect(one.out).not.toContain('short of copies');
  expect(asked.map((request) => request.query.get('dataset'))).toEqual([null, 'maps']);
});

test('a refused request ends with 1 and tells what, which field, and what to do', async () => {
  await serve({
    'POST /v1/datasets': (_, response) =>
      problem(response, 422, 'Something in the request is not right', 'policy.copies: at most 10', 'request.invalid', 'Ask for fewer.'),
  });
  const ended = await dim(['datasets', 'add', 'photos', '--owner', 'anna', '--sample', '1MB', '--copies', '99']);
  expect(ended.code).toBe(1);
  expect(ended.err.split('at most 10')).toHaveLength(2);
  expect(ended.err).toContain('Something in the request is not right: policy.copies: at most 10');
  expect(ended.err).toContain('Ask for fewer.');
  const json = await dim(['datasets', 'add', 'photos', '--owner', 'anna', '--sample', '1MB', '--json']);
  expect(JSON.parse(json.err).error).toMatchObject({ code: 'request.invalid', fix: 'Ask for fewer.' });
});

test('wrong usage ends with 2 and asks the server nothing', async () => {
  const { asked } = await serve({});
  for (const args of [
    ['datasets', 'add', 'x', '--owner', 'me', '--sample', '200'],
    ['datasets', 'add', 'x', '--owner', 'me', '--sample', '1MB', '--latency-slo', '50 parsecs'],
    ['datasets', 'add', 'x', '--owner', 'me'],
    ['nonsense'],
    ['chaos', 'arm', 'rain', 'berlin'],
  ]) {
    const ended = await dim(args);
    expect([args.join(' '), ended.code, ended.err !== '']).toEqual([args.join(' '), 2, true]);
  }
  expect(asked).toEqual([]);
});

test('help tells the usual values in words', async () => {
  const { out } = await dim(['chaos', 'arm', '--help']);
  expect(out).toMatch(/--ttl <duration> +undone after this at the latest \(default: 1 min\)/);
  expect(out).toMatch(/--set <name=value> +a parameter of the fault; again for more\n/);
});

test('nobody at the address is an error that says how to start one', async () => {
  const ended = await dim(['status', '--url', 'http://127.0.0.1:1']);
  expect(ended.code).toBe(1);
  expect(ended.err).toContain('npm start');
});

test('an added dataset is followed until its copies are verified, with one line per change', async () => {
  const states = ['scanning', 'copying', 'verifying', 'done'] as const;
  let looks = 0;
  const now = () => states[Math.min(states.length - 1, looks)]!;
  const { asked } = await serve({
    'POST /v1/datasets': () => ({ datasetId: 'photos', jobId: aJob.jobId }),
    'GET /v1/datasets/photos': () => ({
      ...aDataset,
      dataset: { ...aDataset.dataset, policyState: now() === 'done' ? 'met' : 'working', copiesVerified: now() === 'done' ? 2 : 0 },
    }),
    'GET /v1/jobs': () => ({ items: [{ ...aJob, state: states[Math.min(states.length - 1, looks++)]! }], next: null, asOfMs: 0 }),
  });
  const ended = await dim([
    'datasets',
    'add',
    'photos',
    '--owner',
    'anna',
    '--node',
    'berlin',
    '--path',
    'pictures',
    '--copies',
    '2',
    '--latency-slo',
    '50ms',
    '--region',
    'eu-central',
    '--region',
    'us-east',
    '--max-cost',
    '$0.02',
    '--encrypted',
  ]);
  expect(ended.code).toBe(0);
  expect(
    ended.err
      .split('\n')
      .filter((line) => line.includes('import'))
      .map((line) => line.split(': ')[1]),
  ).toEqual(['scanning', 'copying', 'verifying', 'done']);
  expect(ended.out).toMatch(/^photos: 100 MB in 10 objects, 2 verified copies on berlin-disk \(primary\), \$0\.0023 per month/);
  expect(asked[0]!.body).toEqual({
    name: 'photos',
    owner: 'anna',
    source: { nodeId: 'berlin', path: path.join(home, 'pictures') },
    policy: { copies: 2, latencySloMs: 50, regions: ['eu-central', 'us-east'], maxCostPerGbMonth: 0.02, encryptionRequired: true },
  });
});

test('an import that is given up ends the following with its reason and hint', async () => {
  await serve({
    'POST /v1/datasets': () => ({ datasetId: 'photos', jobId: aJob.jobId }),
    'GET /v1/datasets/photos': () => ({ ...aDataset, dataset: { ...aDataset.dataset, versionId: null, policyState: 'empty', copiesVerified: 0 } }),
    'GET /v1/jobs': () => ({
      items: [
        {
          ...aJob,
          state: 'dead-letter',
          error: { class: 'permanent', code: 'source.outside-roots', message: 'The directory is outside the import roots.', hint: 'Add it to importRoots.' },
        },
      ],
      next: null,
      asOfMs: 0,
    }),
  });
  const ended = await dim(['datasets', 'add', 'photos', '--owner', 'anna', '--node', 'berlin', '--path', '/x']);
  expect(ended.code).toBe(1);
  expect(ended.err).toMatch(/ended as dead-letter: The directory is outside the import roots\.\n {2}Add it to importRoots\./);
});

test('the path alone is for other programs: one line, and nothing else', async () => {
  const location = {
    datasetId: 'photos',
    versionId: aDataset.dataset.versionId,
    replicaId: 'r',
    targetId: 'berlin-disk',
    nodeId: 'berlin',
    path: '/d/photos/current',
    root: 'ab'.repeat(32),
    verifiedAtMs: 1,
    copies: [],
  };
  await serve({ 'GET /v1/datasets/photos/location': () => location });
  expect(await dim(['datasets', 'locate', 'photos', '--path'])).toEqual({ code: 0, out: '/d/photos/current\n', err: '' });
  expect((await dim(['datasets', 'locate', 'photos'])).out).toMatch(/^berlin:\/d\/photos\/current\n/);
});

test('an import that no place is allowed for is not followed for ever', async () => {
  await serve({
    'POST /v1/datasets': () => ({ datasetId: 'photos', jobId: aJob.jobId }),
    'GET /v1/datasets/photos': () => ({ ...aDataset, dataset: { ...aDataset.dataset, versionId: null, policyState: 'working', copiesVerified: 0 } }),
    'GET /v1/jobs': () => ({
      items: [{ ...aJob, state: 'copying', toTargetId: null, waitingBecause: 'no place is allowed for it (max-cost). allow $0.004' }],
      next: null,
      asOfMs: 0,
    }),
  });
  const ended = await dim(['datasets', 'add', 'photos', '--owner', 'anna', '--sample', '1MB']);
  expect(ended.code).toBe(1);
  expect(ended.err).toContain('The import of photos waits: No place is allowed for it (max-cost). allow $0.004');
  expect(ended.err).toContain(`dim jobs cancel ${aJob.jobId}`);
});

test('a model is added from its files, promoted, and taken back, with its figures for people', async () => {
  const model = {
    version: '0123456789ab',
    name: 'drive-failure',
    state: 'candidate',
    rev: 1,
    artifactHash: 'ab'.repeat(32),
    dataHash: 'cd'.repeat(32),
    trained: { from: '2014-04-01', to: '2015-06-01', drives: 1_000, failures: 40, seed: 1, parameters: { depth: 6 } },
    metrics: null,
    addedAtMs: 1_000_000,
    addedBy: 'admin',
    promotedAtMs: null,
    promotedBy: null,
    retiredAtMs: null,
    retiredBecause: null,
    nodes: 2,
  };
  const metrics = {
    dataHash: 'test part',
    from: '2016-01-01',
    to: '2016-12-01',
    auc: 0.871,
    averagePrecision: null,
    truePositiveRate: { '0.001': null, '0.005': 0.35, '0.01': 0.42 },
    decisions: 1_000,
    failures: 30,
  };
  const { asked } = await serve({
    'GET /v1/models': () => ({ items: [model, { ...model, version: 'ba9876543210', state: 'active', metrics }], next: null, asOfMs: 1_004_000 }),
    'GET /v1/models/0123456789ab': () => ({
      ...model,
      features: 76,
      trees: 206,
      levels: { watch: 0.008, 'at-risk': 0.03, failing: 0.2 },
      calibration: [],
      artifact: null,
    }),
    'POST /v1/models': () => model,
    'POST /v1/models/0123456789ab/promote': () => ({ ...model, state: 'shadow' }),
    'POST /v1/models/rollback': () => ({ ...model, state: 'active' }),
  });
  const [file, report] = [path.join(home, 'model.json'), path.join(home, 'report.json')];
  writeFileSync(file, '{"format":1}');
  writeFileSync(report, JSON.stringify(metrics));
  expect((await dim(['models', 'add', file, '--metrics', report])).out).toContain('dim models promote 0123456789ab');
  expect((await dim(['models', 'promote', '0123456789ab', '--to', 'shadow'])).out).toBe('Model 0123456789ab is shadow.\n');
  expect((await dim(['models', 'rollback', '--because', 'it cried wolf'])).out).toBe('Model 0123456789ab is active again.\n');
  expect((await dim(['models'])).out).toMatch(
    /\nba9876543210 +active +0\.871 +42\.0 % .*\n0123456789ab +candidate +– +– +2014-04-01 to 2015-06-01 +2 +4\.0 s ago by admin/,
  );
  expect((await dim(['models', 'show', '0123456789ab'])).out).toMatch(/measured on +nothing yet/);
  expect(asked.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([
    { artifact: { format: 1 }, metrics },
    { to: 'shadow' },
    { because: 'it cried wolf' },
  ]);
  const missing = await dim(['models', 'add', path.join(home, 'nowhere.json')]);
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('nowhere.json can not be read as JSON')]);
  const { out } = await dim(['models', '--help']);
  for (const verb of ['list', 'show', 'add', 'promote', 'retire', 'rollback']) expect(out).toContain(verb);
  expect((await dim(['models', 'promote', '--help'])).out).toMatch(/--json[\s\S]*\$ dim models promote 0123456789ab --to shadow/);
});

test('what became of a drive is said, and what came of the models is shown with what is not over', async () => {
  const said = { deviceId: 'd1', outcome: 'removed', atMs: 1, how: 'reported', by: 'ada', note: 'sold' };
  const counts = { decisions: 1_200, undecided: 40, failures: 6, alarms: 10, trueAlarms: 4, found: 3 };
  const shares = { precision: 0.4, recall: 0.5, baseRate: 0.005, leadDays: 12, falseAlarmsPer1000Months: 5 };
  const ranges = { precisionRange: { low: 0.168, high: 0.687 }, recallRange: { low: 0.188, high: 0.812 } };
  const failing = { alarms: 4, trueAlarms: 3, found: 3, precision: 0.75, recall: 0.5, leadDays: 4, falseAlarmsPer1000Months: 0.8 };
  const says = 'foresaw 3 of 6 failures, in the median 12 days ahead; 4 of 10 alarms were followed by one within 30 days';
  const outcome = { version: '0123456789ab', state: 'active', ...counts, ...shares, ...ranges, failing, says };
  const { asked } = await serve({
    'POST /v1/devices/d1/outcome': () => said,
    'POST /v1/models/train': () => ({ asked: true }),
    'GET /v1/models/outcomes': () => ({ items: [outcome], next: null, asOfMs: 1 }),
  });
  expect((await dim(['devices', 'outcome', 'd1', '--removed', '--note', 'sold'])).out).toBe('d1 is removed. What models make of it: dim models outcomes\n');
  expect(asked.map(({ body }) => body)).toEqual([{ outcome: 'removed', note: 'sold' }]);
  expect(await dim(['devices', 'outcome', 'd1', '--removed', '--failed'])).toMatchObject({ code: 2, err: expect.stringContaining('One of --failed') });
  expect((await dim(['models', 'retrain'])).out).toContain('dim events tells how far it is');
  const { out } = await dim(['models', 'outcomes']);
  expect(out).toMatch(
    /\n0123456789ab +active +1,200 +6 +0\.5 % +at risk +10 +40 % \(17–69\) +3 +50 % \(19–81\) +12 +5\.0\n0123456789ab .* failing +4 +75 % .*\n/,
  );
  expect(out).toContain(`0123456789ab ${says}; 40 drive-months are not over yet`);
});

test('a model stands beside another one, drive by drive where they disagree, and drift is told with since when', async () => {
  const figures = { alarms: 10, trueAlarms: 4, found: 3, precision: 0.4, recall: 0.5, leadDays: 12, falseAlarmsPer1000Months: 5 };
  const of = (version: string, state: string) => ({
    version,
    state,
    decisions: 90,
    undecided: 0,
    failures: 6,
    baseRate: 0.05,
    ...figures,
    says: 'foresaw some',
  });
  const span = { drives: 45, from: '2026-01-02', to: '2026-04-01' };
  const score = (p30: number, level: string) => ({ p7: p30 / 4, p30, level });
  const drive = { deviceId: 'd1', nodeId: 'berlin', serial: 'S1', model: 'M', day: '2026-04-01' };
  const feature = { index: 0.61, bound: 0.25, medianBefore: 0, median: 4, edges: [0], sharesBefore: [1, 0, 0], shares: [0.4, 0.6, 0] };
  const look = { day: '2026-04-01', atMs: 1, drives: 45, version: 'new', leastDrives: 30, watchedDays: 90 };
  const first = { from: '2026-01-02', to: '2026-01-22', drives: 44 };
  const features = [
    { feature: 'smart197', words: 'pending sectors', ...feature, driftedSince: '2026-03-30' },
    { feature: 'smart5', words: 'reallocated sectors', ...feature, index: 0.1, driftedSince: null },
  ];
  let training: object = {
    training: {
      ...{ from: '2014-04-01', to: '2016-01-01', drives: 34_953 },
      features: [{ feature: 'capacityTb', words: 'capacity in TB', ...feature, medianBefore: 4, median: 12, index: 3.1, driftedSince: '2026-01-02' }],
    },
    trainingUnknownBecause: null,
  };
  const { asked } = await serve({
    'GET /v1/models/new/comparison': () => ({
      ...{ version: 'new', other: 'old', ...span, outcomes: [of('new', 'shadow'), of('old', 'active')] },
      ...{ verdict: 'too-few', says: 'too few failures to compare: 6 of at least 10', asOfMs: 1 },
    }),
    'GET /v1/models/old/comparison': () => ({
      version: 'old',
      other: null,
      drives: 0,
      from: null,
      to: null,
      outcomes: [],
      verdict: 'too-few',
      says: 'no other version scores beside it',
      asOfMs: 1,
    }),
    'GET /v1/models/new/scores': () => ({
      ...{ version: 'new', other: 'old', agreement: { both: 1, onlyThis: 2, onlyOther: 0, neither: 42 }, asOfMs: 1 },
      items: [{ ...drive, score: score(0.31, 'failing'), other: score(0.002, 'healthy'), outcome: 'failed' }],
    }),
    'GET /v1/models/drift': () => ({ look, first, features, ...training, history: [], asOfMs: 1 }),
  });
  const compared = (await dim(['models', 'compare', 'new', '--with', 'old'])).out;
  expect(compared).toMatch(/^On 45 drives that both scored, 2026-01-02 to 2026-04-01:\n/);
  expect(compared).toMatch(/\nnew +shadow +90 .*\nold +active +90 /);
  expect(compared).toContain('\nNothing can be said: too few failures to compare: 6 of at least 10.\n');
  expect((await dim(['models', 'compare', 'old'])).out).toContain(
    'old stands alone: no other version scores beside it. To have one score beside it: dim models promote',
  );
  const scores = (await dim(['models', 'scores', 'new', '--limit', '1'])).out;
  expect(scores).toMatch(/\nd1 +berlin +2026-04-01 +31 % failing +0\.2 % healthy +failed\n/);
  expect(scores).toContain('Alarms: both of 1 drive, new alone of 2, old alone of 0, neither of 42.');
  expect(asked.map(({ query }) => String(query))).toEqual(['with=old', '', 'limit=1']);
  const drift = (await dim(['models', 'drift'])).out;
  expect(drift).toMatch(
    /^2026-04-01, 45 drives, 2 features\.\nBeside the first weeks of new here, 2026-01-02 to 2026-01-22; a drift trains another model .*:\n/,
  );
  expect(drift).toMatch(/\npending sectors +0\.61 +0\.25 +0 +4 +2026-03-30\n/);
  expect(drift).toMatch(/\nBeside the 34,953 drives that new was trained on, 2014-04-01 to 2016-01-01; that they differ trains no other model:\n/);
  expect(drift).toMatch(/\ncapacity in TB +3\.10 +0\.25 +4 +12 +2026-01-02\n$/);
  training = { training: null, trainingUnknownBecause: 'the model keeps no distribution of what it was trained on' };
  expect((await dim(['models', 'drift'])).out).toContain(
    '\nUnlike the drives that new was trained on? Unknown: the model keeps no distribution of what it was trained on.\n',
  );
});

test('a drive is shown with what the kernel counted of it, what each count is since, and why one is not known', async () => {
  const device = { deviceId: 'd1', nodeId: 'n1', siteId: 's1', serial: 'S', model: 'M', kind: 'hdd', capacityBytes: 4e12, path: '/dev/sda', targetIds: ['t'] };
  const judged = { level: 'healthy', probability: 0.001, probability7: null, horizonDays: 30, judge: null, reasons: [], sinceMs: null, acknowledged: null };
  const read = { lastReadingAtMs: 1, recordedDay: null, temperatureCelsius: 30, powerOnHours: 9, datasets: 0 };
  const since = {
    ...{ overMs: 600_000, ioErrors: 2, timeouts: null, reads: 40, writes: 0, readBytes: 4_096, writtenBytes: 0 },
    ...{ msPerRead: 4.21, msPerWrite: null, msPerDiscard: null, msPerFlush: null, inFlight: 0.1, busy: 0.05 },
  };
  const kernel = { atMs: Date.now(), block: 'sda', ioErrors: 1_018, timeouts: null, commands: 9_000, since, unknownBecause: 'this kernel has no iotmo_cnt' };
  const history = {
    device: { ...device, ...judged, ...read },
    kernel,
    outcome: null,
    evacuations: [],
    stored: { readings: 0, assessments: 0 },
    readings: [],
    assessments: [],
  };
  await serve({ 'GET /v1/devices/d1': () => history });
  const { out } = await dim(['devices', 'd1']);
  expect(out).toMatch(/\nI\/O errors +1,018 since sda appeared, 2 of them since the reading before; the questions for its health count too\n/);
  expect(out).toMatch(/\nlatency +4\.2 ms a read, – a write \(40 reads and 0 writes in the 10 min 0 s before [\d:]+\), busy 5\.0 %\n/);
  expect(out).toMatch(/\nnot known of the kernel +this kernel has no iotmo_cnt\n/);
  expect(out).not.toContain('time-outs');
});

test('a plan is shown with its moves in order, what binds and whether it holds; applied, it is followed to its end', async () => {
  let looks = 0;
  const [first, second] = [aPlan.moves[0]!, aPlan.moves[1]!];
  const applied = (): PlanView => {
    const isOver = looks++ > 1;
    const progress = (stage: 'done' | 'running' | 'waiting', place: number | null) => ({ stage, because: null, place });
    const moves = [
      { ...first, jobId: aJob.jobId, progress: progress('done', null) },
      { ...second, progress: progress(isOver ? 'done' : 'waiting', isOver ? null : 1) },
    ];
    const counts = { done: isOver ? 2 : 1, running: 0, waiting: isOver ? 0 : 1, failed: 0, leftOut: 0 };
    return {
      ...aPlan,
      state: 'applied',
      moves,
      execution: { state: isOver ? 'done' : 'running', ...counts, appliedAtMs: 1, endedAtMs: null, differences: [], newPlanId: null },
    };
  };
  await serve({
    'GET /v1/plans/current': () => aPlan,
    'POST /v1/plans/01PLAN/apply': () => ({ planId: '01PLAN', jobs: [aJob.jobId] }),
    'GET /v1/plans/01PLAN': applied,
    [`GET /v1/jobs/${aJob.jobId}`]: () => ({ ...aJob, state: 'grace' }),
  });
  const shown = await dim(['plan']);
  expect(shown.out).toMatch(/of which +storage \$40.00, readers' waiting \$2.00/);
  expect(shown.out).toMatch(/holds +yes/);
  expect(shown.out).toMatch(/\n1 +photos +move .* 3\.1 d .*\n2 +scans +retire/);
  expect(shown.out).toMatch(/full target +one more TB would save a month\nberlin-disk +\$3.20/);
  const done = await dim(['plan', 'apply']);
  expect(done.err).toContain('1 of 2 moves done, 0 under way, 1 waiting for their turn');
  expect(done).toMatchObject({ code: 0, out: 'Plan 01PLAN: 2 moves done, -$8.00 per month when all are.\n' });
});

test('a plan is called off by its name, or the one that is being carried out', async () => {
  const execution = {
    state: 'running' as const,
    done: 1,
    running: 1,
    waiting: 2,
    failed: 0,
    leftOut: 0,
    appliedAtMs: 1,
    endedAtMs: null,
    differences: [],
    newPlanId: null,
  };
  const counted = { ...aPlan, state: 'applied' as const, execution, datasets: null, moves: 4, jobs: 2, bytes: 4e9 };
  const atWork: PlanSummary[] = [counted];
  const { asked } = await serve({
    'GET /v1/plans': ({ query }) => ({ items: query.get('running') === 'true' ? atWork : [], next: null, asOfMs: 1 }),
    'POST /v1/plans/01PLAN/cancel': () => ({ planId: '01PLAN', leftOut: 2, running: 1 }),
  });
  const said = 'Plan 01PLAN is called off: 2 moves are not begun, 1 move under way will be finished (dim jobs).\n';
  expect(await dim(['plan', 'cancel', '01PLAN'])).toMatchObject({ code: 0, out: said });
  expect(await dim(['plan', 'cancel'])).toMatchObject({ code: 0, out: said });
  expect(asked.filter(({ path }) => path.endsWith('/cancel'))).toHaveLength(2);
  atWork.push({ ...counted, planId: '01OTHER' });
  expect(await dim(['plan', 'cancel'])).toMatchObject({ code: 1, err: expect.stringContaining('Name one of them: 01PLAN, 01OTHER') });
  atWork.length = 0;
  expect(await dim(['plan', 'cancel'])).toMatchObject({ code: 1, err: expect.stringContaining('No plan is being carried out.') });
});

test('a plan that does not hold any more is refused with a table of what changed and the plan to look at instead', async () => {
  const differences = [{ kind: 'target', id: 'berlin-disk', what: 'room', before: 5e12, after: 3e9, text: 'berlin-disk has 3.0 GB left' }];
  await serve({
    'POST /v1/plans/01PLAN/apply': (_, response) => {
      const told = {
        type: 'x',
        title: 'Not possible now',
        status: 409,
        detail: 'It does not hold any more.',
        code: 'plan.stale',
        fix: 'Look at: dim plan show 01NEW',
        differences,
        newPlanId: '01NEW',
      };
      response.writeHead(409, { 'content-type': 'application/problem+json' }).end(JSON.stringify(told));
    },
  });
  const refused = await dim(['plan', 'apply', '01PLAN']);
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/changed +of +what +then +now\ntarget +berlin-disk +room +5\.00 TB +3\.00 GB/);
  expect(refused.err).toContain('Look at: dim plan show 01NEW');
  const json = await dim(['plan', 'apply', '01PLAN', '--json']);
  expect(JSON.parse(json.err).error).toMatchObject({ code: 'plan.stale', differences, newPlanId: '01NEW' });
});

test('a policy is changed on the revision that was seen', async () => {
  const { asked } = await serve({ 'GET /v1/datasets/photos': () => aDataset, 'PATCH /v1/datasets/photos/policy': () => ({}) });
  const ended = await dim(['datasets', 'policy', 'set', 'photos', '--copies', '3', '--clear', 'latencySloMs']);
  expect(ended.code).toBe(0);
  const patch = asked.find((request) => request.method === 'PATCH')!;
  expect(patch.headers['if-match']).toBe('"7"');
  expect(patch.body).toEqual({ set: { copies: 3 }, clear: ['latencySloMs'] });
});

const aCost = { storagePerMonth: 3, requestsPerMonth: 1, retrievalPerMonth: 0.5, egressPerMonth: 0.5, migrationOnce: 0 };
const aLine = { name: 'all', cost: aCost, perMonth: 5, share: 1, copies: 2, bytes: 2e9, datasets: 1, afterPerMonth: 4 };

test('costs are told in whole and by owner, tier and target, and as a table for a spreadsheet', async () => {
  await serve({
    'GET /v1/costs': () => ({
      asOfMs: 1_060_000,
      total: aLine,
      tiers: [{ ...aLine, name: 'warm' }],
      targets: [{ ...aLine, name: 'berlin-disk' }],
      owners: [{ ...aLine, name: 'maps, inc' }],
      plan: { planId: 'p1', madeAtMs: 1_000_000, moves: 1, savesPerMonth: 1, migrationOnce: 0.25 },
    }),
  });
  const shown = await dim(['costs']);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out).toContain('$5.00 per month for 2 copies with 2.00 GB of 1 dataset');
  expect(shown.out).toContain('$4.00 per month after the 1 move of p1 (-$1.00), which cost $0.25 once; made 1 min 0 s ago');
  for (const name of ['maps, inc', 'warm', 'berlin-disk']) expect(shown.out).toContain(name);
  const sheet = await dim(['costs', '--csv']);
  expect(sheet.out).toBe(
    'owner,datasets,copies,bytes,storage_usd,requests_usd,retrieval_usd,egress_usd,usd_per_month,share,usd_per_month_after_plan\r\n"maps, inc",1,2,2000000000,3,1,0.5,0.5,5,1,4\n',
  );
});

test('what the last days have cost is told beside the best places and the days to come', async () => {
  const spent = { storage: 6, requests: 1, retrieval: 0, egress: 2, moving: 1, total: 10 };
  const best = { ...spent, egress: 0, moving: 0, total: 7 };
  const { asked } = await serve({
    'GET /v1/costs/past': () => ({
      asOfMs: 90 * 86_400_000,
      fromMs: 60 * 86_400_000,
      days: 30,
      spent,
      compared: { datasets: 4, spent, best },
      notCompared: 1,
      next: { asItIs: 9, afterThePlan: 8 },
      most: [{ datasetId: 'maps', owner: 'lab', spent: 5, best: 3, bestTargets: ['berlin-disk', 'paris-disk'] }],
    }),
  });
  const shown = await dim(['costs', 'past', '--days', '30']);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(asked[0]!.query.get('days')).toBe('30');
  expect(shown.out).toMatch(/last 30 days +\$10\.00: storage \$6\.00, .* moving \$1\.00/);
  expect(shown.out).toMatch(/that is +\$3\.00 less for 4 datasets/);
  expect(shown.out).toMatch(/not compared +1 dataset /);
  expect(shown.out).toMatch(/next 30 days +\$9\.00 at what it costs now, \$8\.00 once/);
  expect(shown.out).toMatch(/maps +lab +\$5\.00 +\$3\.00 +berlin-disk, paris-disk/);
});

test('a price from a day on is one line more in the book, on the revision that was seen; what is not given stays as it is then', async () => {
  const prices = { storagePerGbMonth: 0.02, readsPer1000: 0.5, writesPer1000: 0, egressPerGb: 0.09, retrievalPerGb: 0, minimumDays: 0, minimumObjectBytes: 0 };
  const old = { priceClass: 'shelf', validFromMs: 0, source: 'ours', prices };
  const { asked } = await serve({
    'GET /v1/prices': () => ({ rev: 7, entries: [old] }),
    'PUT /v1/prices': ({ body }) => ({ rev: 8, ...(body as object) }),
  });
  const set = await dim(['prices', 'set', 'shelf', '--storage', '0.03', '--minimum-object', '128KiB', '--from', '2999-01-01', '--source', 'new shelf']);
  expect(set).toMatchObject({ code: 0, err: '' });
  const put = asked.find((request) => request.method === 'PUT')!;
  expect(put.headers['if-match']).toBe('"7"');
  expect(put.body).toEqual({
    entries: [
      old,
      {
        priceClass: 'shelf',
        validFromMs: Date.UTC(2999, 0, 1),
        source: 'new shelf',
        prices: { ...prices, storagePerGbMonth: 0.03, minimumObjectBytes: 131_072 },
      },
    ],
  });
  expect(set.out).toMatch(/shelf +always +now +\$0\.02.*\n *shelf +2999-01-01 +later +\$0\.03/);
  const unknown = await dim(['prices', 'set', 'tape', '--reads', '1', '--source', 'x']);
  expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('A new class needs at least --storage.') });
});

const aFinding = {
  datasetId: 'photos',
  owner: 'anna',
  sizeBytes: 2e9,
  mode: 'advisory',
  working: false,
  rule: 'region',
  severity: 'error',
  text: 'boston-disk is in us, allowed is eu',
  remedy: 'put a copy on rome-disk',
  targetId: 'boston-disk',
  sinceMs: null,
};

test('findings are listed with what helps, and applying one tells its moves and follows its jobs to the end', async () => {
  const move = {
    moveId: 'p1-0',
    datasetId: 'photos',
    need: 'leave-forbidden-place',
    action: 'move',
    fromTargetId: 'boston-disk',
    toTargetId: 'rome-disk',
    sizeBytes: 2e9,
    reason: 'out of the region',
    confidence: 1,
    costBefore: null,
    costAfter: null,
    changePerMonth: 0.01,
    migrationOnce: 0,
    paybackDays: null,
    expectedMs: null,
    verdict: 'advised',
    heldBecause: null,
    jobId: null,
  };
  const plan = {
    planId: 'p1',
    madeAtMs: 1,
    dryRun: true,
    state: 'preview',
    solver: 'exact',
    solvedInMs: 1,
    objectivePerMonth: 1,
    lowerBoundPerMonth: 1,
    costBeforePerMonth: 1,
    costAfterPerMonth: 1,
    migrationOnce: 0,
    moves: [move],
    infeasible: [],
  };
  const { asked } = await serve({
    'GET /v1/findings': () => ({ items: [aFinding], next: null, asOfMs: 1_000_000 }),
    'POST /v1/findings/apply': () => ({ datasetId: 'photos', plan, jobs: ['j1'] }),
    'GET /v1/jobs/j1': () => ({ ...aJob, jobId: 'j1', state: 'done' }),
  });
  const list = await dim(['findings', '--severity', 'error', '--owner', 'anna']);
  expect(list).toMatchObject({ code: 0, err: '' });
  expect(list.out).toMatch(/error +photos +anna +region .*Boston-disk is in us, allowed is eu\. +Put a copy on rome-disk\./);
  expect(Object.fromEntries(asked[0]!.query)).toMatchObject({ severity: 'error', owner: 'anna' });
  const applied = await dim(['findings', 'apply', 'photos']);
  expect(applied).toMatchObject({ code: 0, out: 'photos: 1 move done.\n' });
  expect(applied.err).toContain('rome-disk');
  expect(asked.find((request) => request.method === 'POST')!.body).toEqual({ datasetId: 'photos' });
});

test('where nothing can be done, applying a finding ends with 1, the rules that clash and the way out', async () => {
  await serve({
    'POST /v1/findings/apply': (_, response) =>
      problem(
        response,
        409,
        'Not possible now',
        'No place is left for photos; these rules clash: region.',
        'findings.infeasible',
        'The cheapest way out: allow us',
      ),
  });
  const ended = await dim(['findings', 'apply', 'photos']);
  expect(ended.code).toBe(1);
  expect(ended.err).toContain('these rules clash: region');
  expect(ended.err).toContain('The cheapest way out: allow us');
});

test('duplicates are told group by group, with what is too many, and what repeats inside of datasets', async () => {
  const member = { datasetId: 'maps', owner: 'lab', versionId: 'v1', isCurrent: true, copies: 2, bytes: 2e9, storagePerMonth: 0.04 };
  const again = { ...member, datasetId: 'maps-again', copies: 1, bytes: 1e9, storagePerMonth: 0.02 };
  await serve({
    'GET /v1/duplicates': () => ({
      items: [{ root: 'ab'.repeat(32), objects: 3, sizeBytes: 1e9, members: [member, again], extraBytes: 1e9, extraPerMonth: 0.02 }],
      next: null,
      asOfMs: 1,
      groups: 1,
      extraBytes: 1e9,
      extraPerMonth: 0.02,
      inside: { datasets: 0, notCounted: 2, bytes: 0, storagePerMonth: 0, most: [] },
      across: {
        ...{ datasets: 2, notSampled: 1, bytes: 3e9, exactBytes: 1e9, errorBytes: 2e8, storagePerMonth: 0.06 },
        most: [
          {
            ...{ datasetId: 'plans', owner: 'lab', versionId: 'v7', mostWith: 'maps' },
            files: 640,
            bytes: 2e9,
            exactBytes: 0,
            errorBytes: 2e8,
            storagePerMonth: 0.04,
          },
          {
            ...{ datasetId: 'roads', owner: 'lab', versionId: 'v8', mostWith: 'plans' },
            files: 3,
            bytes: 1e9,
            exactBytes: 1e9,
            errorBytes: 0,
            storagePerMonth: 0.02,
          },
        ],
      },
    }),
  });
  const shown = await dim(['datasets', 'duplicates']);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out).toContain('1 tree more than once: 1.00 GB too many, $0.02 per month of storage.');
  expect(shown.out).toMatch(/1 +maps +lab +present +1\.00 GB +2 +\$0\.04 +no +abababababab\n *1 +maps-again .* yes /);
  expect(shown.out).toContain('No file repeats another of its dataset. 2 datasets came from agents that do not count.');
  expect(shown.out).toContain(
    'Of different trees 2 datasets have files that others have too: about 3.00 GB (± 200 MB, 1.00 GB of it counted exactly), in all copies $0.06 per month. 1 dataset came from agents that tell no sample.',
  );
  expect(shown.out).toMatch(/plans +lab +maps +about 640 +about 2\.00 GB/);
  expect(shown.out).toMatch(/roads +lab +plans +3 +1\.00 GB +\$0\.02/);
});

test('a policy that can not be met is set only with --force, and says the cheapest way out', async () => {
  const warning = { when: 'never', rules: ['spread'], text: 'no place of this fleet can meet this policy: spread', cheapestWayOut: 'add a site' };
  const { asked } = await serve({
    'GET /v1/datasets/photos': () => aDataset,
    'PATCH /v1/datasets/photos/policy': ({ query }, response) =>
      query.get('force') === 'true'
        ? { datasetId: 'photos', rev: 8, warning }
        : problem(
            response,
            422,
            'Something in the request is not right',
            'No place can meet it: spread.',
            'policy.infeasible',
            'Cheapest way out: add a site.',
          ),
    'PATCH /v1/policies/global': () => ({ ...aDataset.policy, warning }),
  });
  const refused = await dim(['datasets', 'policy', 'set', 'photos', '--copies', '3']);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('Cheapest way out: add a site.')]);
  const forced = await dim(['datasets', 'policy', 'set', 'photos', '--copies', '3', '--force']);
  expect([forced.code, forced.err]).toEqual([0, 'warning: No place of this fleet can meet this policy: spread. Cheapest way out: Add a site.\n']);
  expect((await dim(['policy', 'set', '--copies', '3', '--force'])).err).toContain('Cheapest way out: Add a site.');
  expect(asked.at(-1)!.query.get('force')).toBe('true');
});

test('why a copy is where it is: parts, alternatives with their differences, what binds and where it flips', async () => {
  await serve({ 'GET /v1/datasets/photos/explanation': () => anExplanation });
  const { out, code } = await dim(['explain', 'photos']);
  expect(code).toBe(0);
  expect(out).toContain(
    'dataset    photos, 100 MB\nreads      3,000 reads of 1.00 MB a month expected: 70 % of the 3,300 reads counted (30 days) + 30 % of the 2,300 reads forecast from the last hours\nminimised  $0.0103 a month over 1 copy: $0.0073 billed + $0.003 of waiting and risk that nobody bills\nbilled     $0.0112 a month: $0.0073 for that copy + $0.0037 for 2 copies of other versions, until they leave + $0.0002 for 1 copy broken or in the trash\nbest       what it is; score 1 of 1',
  );
  expect(out).toContain('\nberlin-disk *  warm, berlin, p95 10 ms, reads 180 MB/s, writes 120 MB/s\n  why        The cheapest place that its policy allows.\n');
  expect(out).toContain('  binds      The latency of at most 20 ms: without it, it would be on boston-archive.\n');
  expect(out).toContain("objective  $0.0103 a month: storage $0.002 + requests $0.0003 + egress $0.005 + readers' waiting $0.003\n");
  expect(out).toContain('  flips      above $0.03 per GB and month on berlin-disk (now $0.02) its place is paris-disk\n             below 5 reads');
  expect(out).toMatch(/instead on +\$\/month +difference +objective +p95 +difference +once +paid back \(of 30 d\) +allowed/);
  expect(out).toMatch(/boston-archive +\$0\.0057 +-\$0\.0016 +-\$0\.0014 +60 ms +\+50 ms +\$0\.0002 +4 d +no: latency-slo, spread\n/);
  expect(out).toContain('The best 1 of 7 other places; 3 are allowed.');
  expect(JSON.parse((await dim(['explain', 'photos', '--json'])).out)).toEqual(anExplanation);
});

test('names from outside can not steer the terminal', async () => {
  await serve({ 'GET /v1/nodes': () => ({ items: [{ ...aNode, host: 'x', siteId: '\u001b[2Jgone\nberlin' }], next: null, asOfMs: 0 }) });
  const ended = await dim(['nodes']);
  expect(ended.out).not.toContain('\u001b');
  expect(ended.out).toContain('?[2Jgone?berlin');
});

test('live events go on after the connection breaks, without a hole and without repeats', async () => {
  let connections = 0;
  const write = (response: ServerResponse, ...seqs: number[]): void => {
    for (const seq of seqs) response.write(`event: event\nid: ${seq}\ndata: ${JSON.stringify(anEvent(seq, `number ${seq}`))}\n\n`);
  };
  const { asked } = await serve({
    'GET /v1/events': (request, response) => {
      if (request.headers.accept !== 'text/event-stream') return { items: [anEvent(5, 'number 5'), anEvent(3, 'number 3')], next: null, asOfMs: Date.now() };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: hello\nid: 3\ndata: {"seq":3}\n\n');
      // Transactions overlapped: 4 and 6 were numbered before 5 and 7, and committed after them.
      if (connections++ > 0) write(response, 6, 8);
      else {
        write(response, 5, 4, 7);
        response.end();
      }
      return undefined;
    },
  });
  const ended = await dim(['events', '--since', '1h'], 'number 8');
  expect(ended.out.match(/number \d/g)).toEqual(['number 3', 'number 5', 'number 4', 'number 7', 'number 6', 'number 8']);
  const streams = asked.filter((request) => request.headers.accept === 'text/event-stream');
  expect(streams.map((request) => request.headers['last-event-id'])).toEqual([undefined, '7']);
  expect(ended.err).toContain('connecting again');
});

test('a certificate is checked without a server, and says when the key could not be compared', async () => {
  const key = signingKey(newPrivateKeyPem());
  const signed = signBody(JSON.stringify(aCertificate), key);
  const file = path.join(home, 'certificate.json');
  writeFileSync(file, JSON.stringify({ ...signed, publicKeyPem: key.publicKeyPem }));
  const alone = await dim(['certificate', 'verify', file]);
  expect(alone.code).toBe(0);
  expect(alone.out).toContain('could not be compared');
  expect((await dim(['certificate', 'verify', file, '--key-id', key.keyId])).out).toContain('✓ the key is that of the control plane known here');
  writeFileSync(path.join(home, 'control-plane.pub'), signingKey(newPrivateKeyPem()).publicKeyPem);
  const foreign = await dim(['certificate', 'verify', file]);
  rmSync(path.join(home, 'control-plane.pub'));
  expect(foreign.code).toBe(1);
  expect(foreign.out).toContain('does NOT verify');
});

test('an agent is enrolled into a file that only its owner reads, and one that is there is not overwritten', async () => {
  const credentials = { nodeId: 'hamburg', password: 'secret', mqttUrl: 'mqtt://127.0.0.1:1883', keyId: 'k', publicKeyPem: 'p' };
  const answering = await serve({
    'POST /v1/agents/join-tokens': () => ({ token: 'a-join-token', expiresAtMs: Date.now() + 600_000, command: 'x' }),
    'POST /v1/agents/enroll': () => credentials,
  });
  const file = path.join(home, 'hamburg.json');
  const ended = await dim(['agents', 'enroll', 'hamburg', '-o', file]);
  expect(ended.code, ended.err).toBe(0);
  expect(ended.out).not.toContain('secret');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(credentials);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(answering.asked.map((request) => request.body)).toEqual([
    { nodeId: 'hamburg', role: 'agent' },
    { token: 'a-join-token', nodeId: 'hamburg' },
  ]);
  expect((await dim(['agents', 'enroll', 'hamburg', '-o', file])).code).toBe(1);
  expect(answering.asked, 'the password that is in use was not replaced').toHaveLength(2);
});

test('a key is made, its secret alone on the first line, and taken away by its name', async () => {
  const answering = await serve({
    'POST /v1/keys': () => ({ keyId: '0a1b', name: 'billing', role: 'operator', secret: 'dim_secret' }),
    'POST /v1/keys/0a1b/revoke': () => ({ revoked: '0a1b' }),
    'POST /v1/agents/hamburg/revoke': () => ({ revoked: 'hamburg' }),
  });
  const made = await dim(['keys', 'add', 'billing', '--role', 'operator']);
  expect(made.code, made.err).toBe(0);
  expect(made.out.split('\n')[0]).toBe('dim_secret');
  expect(answering.asked[0]?.body).toEqual({ name: 'billing', role: 'operator' });
  expect((await dim(['keys', 'add', 'billing', '--role', 'king'])).code).toBe(2);
  expect((await dim(['keys', 'revoke', '0a1b'])).code).toBe(0);
  expect((await dim(['agents', 'revoke', 'hamburg'])).code).toBe(0);
});
