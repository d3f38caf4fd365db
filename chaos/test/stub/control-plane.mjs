/** Answers what the local fleet asks of a control plane, and knows nothing else: agents tell it that they live by a request. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

const home = process.env.DIM_HOME;
const state = path.join(home, 'database/stub.json');
mkdirSync(path.dirname(state), { recursive: true });
if (process.env.STUB_REFUSES === '1') {
  console.error('DIM_GRACE_MS=soon: expected a number');
  process.exit(1);
}
const enrolled = existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')) : {};
const remembered = new Set(Object.keys(enrolled));
const heardFile = path.join(home, 'database/heard.json');
const heard = new Map(existsSync(heardFile) ? Object.entries(JSON.parse(readFileSync(heardFile, 'utf8'))) : []);
/** Whole or not at all: it may be killed at any moment, and reads this when it starts again. */
const keep = (file, value) => {
  writeFileSync(`${file}.new`, JSON.stringify(value));
  renameSync(`${file}.new`, file);
};
/** The clock of another machine, as a database's may be. */
const now = () => Date.now() + Number(process.env.STUB_CLOCK_AHEAD_MS ?? 0);
if (!existsSync(path.join(home, 'admin.key'))) writeFileSync(path.join(home, 'admin.key'), 'dim_stub\n', { mode: 0o600 });

const node = (nodeId) => ({
  nodeId,
  siteId: nodeId,
  host: 'here',
  // Who is enrolled is remembered as online, as in a database of the run before.
  agentState: heard.has(nodeId) || remembered.has(nodeId) ? 'online' : 'expected',
  agentVersion: null,
  modelVersion: null,
  incarnation: 0,
  lastHeardAtMs: heard.get(nodeId) ?? null,
  transferUrl: null,
  importRoots: [],
  targets: 0,
  devices: 0,
  worstRisk: 'healthy',
  runningJobs: 0,
});
const server = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk) => (text += chunk));
  request.on('end', () => {
    const body = text === '' ? {} : JSON.parse(text);
    const answer = (value, status = 200) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.url === '/readyz') return answer({ ready: true });
    if (request.url === '/stub/heard') {
      heard.set(body.nodeId, now());
      keep(heardFile, Object.fromEntries(heard));
      return answer({});
    }
    if (request.headers['x-api-key'] !== 'dim_stub')
      return answer({ type: 'about:blank', title: 'No key', status: 401, detail: 'Send X-Api-Key.', code: 'auth.missing', fix: 'See admin.key.' }, 401);
    if (request.url === '/v1/agents/join-tokens') return answer({ token: `join-${body.nodeId}`, expiresAtMs: now() + 1000, command: '' });
    if (request.url === '/v1/agents/enroll') {
      enrolled[body.nodeId] = (enrolled[body.nodeId] ?? 0) + 1;
      keep(state, enrolled);
      return answer({ nodeId: body.nodeId, password: 'secret', mqttUrl: 'mqtt://127.0.0.1:1', keyId: 'k', publicKeyPem: 'p' });
    }
    if (request.url === '/v1/login-tokens') return answer({ token: 'once-0123456789', url: '', expiresAtMs: now() + 1000 });
    if (request.url === '/v1/prices') return answer({ rev: 1, entries: request.method === 'PUT' ? body.entries : [] });
    if (request.url === '/v1/nodes') return answer({ items: Object.keys(enrolled).map(node), next: null, asOfMs: now() });
    answer({ type: 'about:blank', title: 'Not here', status: 404, detail: request.url, code: 'not-found' }, 404);
  });
});
if (process.env.STUB_HANGS === '1') setInterval(() => {}, 1_000);
else server.listen(Number(process.env.DIM_HTTP_PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
