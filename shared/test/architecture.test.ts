/**
 * The import rules of the repository, as a test that reads every source file as text.
 * A row may name only rows above it, so the graph of folders can not have a cycle.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** package -> the folders of shared it may import; '.' are the files directly in shared/src. */
const sharedFor: Record<string, readonly string[]> = {
  agent: ['.', 'domain', 'protocol'],
  'control-plane': ['.', 'domain', 'protocol', 'api'],
  console: ['domain', 'api'],
  chaos: ['.', 'domain', 'protocol', 'api'],
};

/** folder -> folders of the same package it may import. A folder without a row fails the test. */
const ladders: Record<string, Record<string, readonly string[]>> = {
  shared: { '.': [], domain: ['.'], protocol: ['.', 'domain'], api: ['.', 'domain'] },
  agent: {
    predict: [],
    engine: [],
    journal: [],
    faults: ['journal'],
    telemetry: ['faults', 'predict', 'journal', 'engine'],
    access: ['faults', 'journal'],
    transfer: ['journal', 'faults', 'engine'],
    migrate: ['journal', 'faults', 'transfer', 'engine'],
    link: ['journal', 'faults', 'migrate'],
    '.': ['predict', 'engine', 'journal', 'faults', 'telemetry', 'access', 'transfer', 'migrate', 'link'],
  },
  'control-plane': {
    broker: [],
    learn: [],
    cli: ['learn'],
    fleet: [],
    health: ['fleet'],
    heat: ['fleet'],
    policy: ['fleet', 'health'],
    reconcile: ['fleet', 'health', 'heat', 'policy'],
    placement: ['fleet', 'health', 'heat', 'policy', 'reconcile'],
    jobs: ['fleet', 'health', 'policy', 'reconcile', 'placement'],
    store: ['fleet', 'health', 'heat', 'policy', 'reconcile', 'placement', 'jobs'],
    'what-if': ['fleet', 'health', 'policy'],
    audit: ['store'],
    metrics: ['store'],
    ingest: ['broker', 'store', 'jobs', 'metrics'],
    dispatch: ['broker', 'store', 'jobs', 'metrics'],
    'control-loop': ['learn', 'fleet', 'health', 'heat', 'policy', 'reconcile', 'placement', 'jobs', 'store', 'audit', 'metrics', 'dispatch'],
    api: [
      'broker',
      'learn',
      'fleet',
      'health',
      'heat',
      'policy',
      'reconcile',
      'placement',
      'jobs',
      'store',
      'audit',
      'metrics',
      'ingest',
      'dispatch',
      'what-if',
      '.',
    ],
    '.': [
      'broker',
      'fleet',
      'health',
      'heat',
      'policy',
      'reconcile',
      'placement',
      'jobs',
      'store',
      'audit',
      'metrics',
      'ingest',
      'dispatch',
      'control-loop',
      'api',
    ],
  },
  console: { format: [], components: ['format'], api: [], state: ['api', 'format'], routes: ['format', 'components', 'api', 'state'], '.': [] },
  chaos: {
    fleet: [],
    faults: ['fleet'],
    invariants: ['fleet'],
    scenarios: ['fleet', 'faults', 'invariants'],
    simulation: ['scenarios'],
    '.': ['fleet', 'faults', 'invariants', 'scenarios', 'simulation'],
  },
};

/** Files directly in control-plane/src that stand below `api`: the loop decides, the interface asks it. */
const belowApi = new Set(['control-plane/src/control-loop.ts']);

/** Folders that decide: same input, same answer. */
const pure = [
  'shared/domain',
  'agent/predict',
  'control-plane/fleet',
  'control-plane/health',
  'control-plane/heat',
  'control-plane/policy',
  'control-plane/reconcile',
  'control-plane/placement',
  'control-plane/jobs',
  'control-plane/what-if',
  'console/format',
];
const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.env\b|from ['"]node:/;

interface Place {
  readonly pkg: string;
  readonly folder: string;
}
interface Source extends Place {
  readonly file: string;
  readonly text: string;
  readonly imports: readonly string[];
}

/** 'agent/src/migrate/steps/copy.ts' -> { pkg: 'agent', folder: 'migrate' }; Svelte's own `lib` folder does not count as one. */
function placeOf(file: string): Place {
  const [pkg = '', , ...rest] = file.split('/');
  const inner = pkg === 'console' && rest[0] === 'lib' ? rest.slice(1) : rest;
  return { pkg, folder: inner.length > 1 ? inner[0]! : '.' };
}

/** Repository path an import leads to; undefined for npm packages and node: modules. */
function target(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return path.posix.join(path.posix.dirname(file), specifier);
  if (specifier.startsWith('$lib/')) return `console/src/lib/${specifier.slice('$lib/'.length)}`;
  const own = /^@data-in-motion\/([^/]+)\/(.*)$/.exec(specifier);
  return own ? `${own[1]}/src/${own[2]}.ts` : undefined;
}

const sources: Source[] = Object.keys(ladders).flatMap((pkg) =>
  !existsSync(path.join(root, pkg, 'src'))
    ? []
    : readdirSync(path.join(root, pkg, 'src'), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|svelte)$/.test(name) && !/\.(test|contract)\.ts$/.test(name) && !name.includes('testdata'))
        .map((name): Source => {
          const file = `${pkg}/src/${name.replaceAll(path.sep, '/')}`;
          const raw = readFileSync(path.join(root, file), 'utf8');
          const text = file.endsWith('.svelte') ? [...raw.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((m) => m[1]).join('\n') : raw;
          return { file, text, imports: ts.preProcessFile(text, true, true).importedFiles.map((i) => i.fileName), ...placeOf(file) };
        }),
);

const edges = sources.flatMap((from) =>
  from.imports.flatMap((specifier) => {
    const to = target(from.file, specifier);
    return to === undefined || to.endsWith('.css') ? [] : [{ from, to, place: placeOf(to), says: `${from.file} imports ${to}` }];
  }),
);

/** `chaos/src/simulation` drives the real compositions in one process. */
const simulationMay = new Set(['agent/src/agent.ts', 'control-plane/src/control-plane.ts']);

test('a package imports only itself and its part of shared', () => {
  expect(
    edges
      .filter(({ from, place }) => place.pkg !== from.pkg && !(place.pkg === 'shared' && (sharedFor[from.pkg] ?? []).includes(place.folder)))
      .filter(({ from, to }) => !(from.folder === 'simulation' && simulationMay.has(to)))
      .map((e) => e.says),
  ).toEqual([]);
});

test('a folder imports only the folders on its row', () => {
  expect(
    edges
      .filter(({ from, place }) => place.pkg === from.pkg && place.folder !== from.folder && !(ladders[from.pkg]?.[from.folder] ?? []).includes(place.folder))
      .map((e) => e.says),
  ).toEqual([]);
});

test('a row names only rows above it', () => {
  for (const rows of Object.values(ladders)) {
    const order = Object.keys(rows);
    for (const [i, row] of order.entries())
      for (const below of rows[row]!) if (below !== '.') expect(order.indexOf(below), `${row} -> ${below}`).toBeLessThan(i);
  }
});

test('the interface asks the control loop, and nothing else of the composition', () => {
  expect(
    edges
      .filter(
        ({ from, place, to }) =>
          from.pkg === 'control-plane' && from.folder === 'api' && place.folder === '.' && place.pkg === 'control-plane' && !belowApi.has(to),
      )
      .map((e) => e.says),
  ).toEqual([]);
  expect(edges.filter(({ from, to }) => belowApi.has(from.file) && to.startsWith('control-plane/src/api/')).map((e) => e.says)).toEqual([]);
});

test('every folder has a row', () => {
  expect([...new Set(sources.filter((s) => ladders[s.pkg]?.[s.folder] === undefined).map((s) => `${s.pkg}/src/${s.folder}`))]).toEqual([]);
});

test('code that decides reads no clock, dice, environment or device', () => {
  expect(sources.filter((s) => pure.includes(`${s.pkg}/${s.folder}`) && impure.test(s.text)).map((s) => s.file)).toEqual([]);
});

test('the environment is read in config.ts and main.ts and nowhere else', () => {
  expect(
    sources
      .filter((s) => /process\.env\b/.test(s.text) && path.basename(s.file) !== 'config.ts' && !/^(built-)?main\.ts$/.test(path.basename(s.file)))
      .map((s) => s.file),
  ).toEqual([]);
});

test('a file is named for what it holds', () => {
  expect(sources.filter((s) => /\/(utils?|helpers?|common|misc|index)\.ts$/.test(s.file)).map((s) => s.file)).toEqual([]);
});

test('the console takes types and tables from shared, never a schema', () => {
  const values = sources
    .filter((s) => s.pkg === 'console')
    .flatMap((s) =>
      [...s.text.matchAll(/^\s*import\s+(?!type\b)[^;]*?from\s+['"](@data-in-motion\/shared\/api\/[^'"]+)['"]/gm)].map((m) => `${s.file}: ${m[1]}`),
    );
  expect(values.filter((line) => !line.endsWith('/api/routes'))).toEqual([]);
});
