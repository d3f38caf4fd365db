/**
 * `npm start` and `npm test`: the one file that runs under whatever Node the machine has.
 * It installs what package-lock.json names, builds the console, and hands over to the Node 24 that came with the packages.
 * Plain JavaScript without imports of our own, because at this moment nothing is installed yet.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(fileURLToPath(import.meta.url));
const at = (...parts) => path.join(root, ...parts);
const installStamp = at('node_modules', '.installed-from');
const consoleStamp = at('console', 'build', '.built-from');
const binary = at('node_modules', '.bin');
const startedAt = Date.now();

const help = `Data in Motion

  npm start                    install what is missing, build the console, run a control plane and three agents here
  npm start -- --fresh         the same, from an empty state
  npm test                     all tests
  npm test -- agent/src        only the tests below a folder; everything behind -- goes to vitest

State is kept in .dim (DIM_HOME). Ports: DIM_HTTP_PORT (8080) and DIM_MQTT_PORT (1883), on 127.0.0.1 alone.
With DATABASE_URL an own PostgreSQL is used, with MQTT_URL an own broker. Ctrl-C stops everything; the next start goes on.`;

/** The child that has the terminal now; signals for us are for it. */
let foreground;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal gives Ctrl-C to the whole group, a supervisor only to us: forwarding covers both, and the fleet takes two at once for one.
    if (foreground !== undefined) foreground.kill(signal);
    else process.exit(130);
  });
}

const [, , command = 'start', ...rest] = process.argv;
if (rest.includes('--help') || command === '--help' || command === 'help') {
  console.log(help);
  process.exit(0);
}
if (command !== 'start' && command !== 'test') fail(`"${command}" is neither start nor test.\n\n${help}`, 2);

await install();
await buildConsole();
process.exit(command === 'start' ? await runFleet(rest) : await runTests(rest));

async function install() {
  const wanted = digest([at('package-lock.json')]);
  if (readOr(installStamp, '') === wanted && hasNode()) return;
  // No package may run a script while it is installed: one of them would want a compiler, though it brings what it needs ready-made.
  // Said in .npmrc, and here, because an environment outranks that.
  if (!matchesLock()) await timed('installing packages (npm ci)', npmCommand(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']), root);
  // The exception: Node 24 for this kind of machine.
  if (!hasNode()) await timed('installing Node 24', npmCommand(['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error']), root);
  if (!hasNode()) fail('The packages are installed, but Node 24 is not there (node_modules/.bin/node). Try: npm rebuild node --ignore-scripts=false', 1);
  writeFileSync(installStamp, wanted);
}

function hasNode() {
  return existsSync(path.join(binary, 'node'));
}

/** Somebody may have run `npm ci` by hand: npm's own record of what it installed is then equal to the lock file. */
function matchesLock() {
  try {
    const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
    const present = JSON.parse(readFileSync(at('node_modules', '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([place, entry]) =>
        place === '' ||
        (present[place] === undefined ? entry.optional === true : present[place].integrity === entry.integrity && present[place].version === entry.version),
    );
  } catch {
    return false;
  }
}

async function buildConsole() {
  if (!existsSync(at('console', 'vite.config.ts'))) return;
  const inputs = [
    'console/src',
    'console/static',
    'console/package.json',
    'console/vite.config.ts',
    'console/tsconfig.json',
    'shared/src/domain',
    'shared/src/api',
    'package-lock.json',
  ];
  const wanted = digest(inputs.flatMap((input) => filesBelow(at(input))));
  if (existsSync(at('console', 'build', 'index.html')) && readOr(consoleStamp, '') === wanted) return;
  await timed('building the console', [path.join(binary, 'node'), [at('node_modules', 'vite', 'bin', 'vite.js'), 'build']], at('console'));
  writeFileSync(consoleStamp, wanted);
}

function runFleet(args) {
  return run(path.join(binary, 'node'), ['--disable-warning=ExperimentalWarning', at('chaos', 'src', 'main.ts'), 'fleet', ...args], {
    env: { ...process.env, DIM_STARTED_AT_MS: String(startedAt) },
  });
}

/** Vitest with its usual output, then one line that people and machines can count on. */
async function runTests(args) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'dim-test-'));
  try {
    const report = path.join(scratch, 'report.json');
    const code = await run(path.join(binary, 'node'), [
      at('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ]);
    if (!existsSync(report)) {
      console.log('vitest ended without a report.');
      return code === 0 ? 1 : code;
    }
    const counts = countTests(JSON.parse(readFileSync(report, 'utf8')));
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    return code !== 0 ? code : counts.failed > 0 ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A file that could not even be loaded holds no tests: it counts as one that failed. */
function countTests(report) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    for (const test of file.assertionResults) counts[test.status === 'passed' ? 'passed' : test.status === 'failed' ? 'failed' : 'skipped']++;
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) counts.failed++;
  }
  return counts;
}

/** Run something that says little, and say instead what it is and how long it has been at it; its output is shown when it fails. */
async function timed(what, [program, args], cwd) {
  const beganAt = Date.now();
  const elapsed = () => `${((Date.now() - beganAt) / 1000).toFixed(0)} s`;
  const live = process.stdout.isTTY === true;
  process.stdout.write(`  ${what} …${live ? '' : '\n'}`);
  const ticking = setInterval(() => process.stdout.write(live ? `\r  ${what} … ${elapsed()} ` : `  ${what} … ${elapsed()}\n`), live ? 1_000 : 10_000);
  const child = spawn(program, args, { cwd, env: packageEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
  foreground = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = (output + chunk).slice(-20_000)));
  const code = await new Promise((resolve) => {
    child.on('error', (error) => resolve(String(error)));
    child.on('close', (exitCode, signal) => resolve(signal === null ? exitCode : signal === 'SIGINT' ? 130 : 1));
  });
  foreground = undefined;
  clearInterval(ticking);
  process.stdout.write(`${live ? '\r' : ''}  ${what}: ${code === 0 ? 'done' : 'failed'} after ${elapsed()}\n`);
  if (code !== 0) fail(output.trim() === '' ? String(code) : output.trim(), typeof code === 'number' && code !== 0 ? code : 1);
}

/** Run a program with our terminal; answers its exit code. */
function run(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', env: process.env, ...options, ...(options.env ? {} : { env: withBinary(process.env) }) });
    foreground = child;
    child.on('error', (error) => fail(String(error), 1));
    child.on('close', (code, signal) => {
      foreground = undefined;
      resolve(signal === null ? (code ?? 1) : signal === 'SIGINT' ? 130 : 1);
    });
  });
}

/** npm as the machine has it: not run by the Node inside node_modules, which `npm ci` removes while it works. */
function npmCommand(args) {
  const script = process.env.npm_execpath;
  const node = process.env.npm_node_execpath;
  if (script && node && /\.c?js$/.test(script) && !node.startsWith(at('node_modules'))) return [node, [script, ...args]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', args];
}

/** Our environment without node_modules/.bin and without what the outer npm set for its own run. */
function packageEnv() {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|command)/.test(name) && name !== 'INIT_CWD'));
  env.PATH = (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.startsWith(at('node_modules')))
    .join(path.delimiter);
  return env;
}

function withBinary(env) {
  return { ...env, PATH: `${binary}${path.delimiter}${env.PATH ?? ''}` };
}

function filesBelow(place) {
  if (!existsSync(place)) return [];
  if (statSync(place).isFile()) return [place];
  return readdirSync(place)
    .sort()
    .flatMap((name) => filesBelow(path.join(place, name)));
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${path.relative(root, file)}\n`)
      .update(readFileSync(file))
      .update('\n');
  return hash.digest('hex');
}

function readOr(file, otherwise) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

function fail(message, code) {
  console.error(message);
  process.exit(code);
}
