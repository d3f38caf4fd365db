/**
 * What Node takes before an agent does anything: `empty` waits and does no more; `link-and-journal` holds a connection to a bus and an open journal,
 * by the same libraries as an agent. Started by floors.ts: `node floor-process.ts KIND URL DIRECTORY`.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';

enableCompileCache();
const [kind, url = '', directory = ''] = process.argv.slice(2);
if (kind === 'link-and-journal') {
  const { default: mqtt } = await import('mqtt');
  const { default: Database } = await import('better-sqlite3');
  const journal = new Database(`${directory}/floor.db`);
  for (const setting of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL', 'cache_size = -500']) journal.pragma(setting);
  journal.exec('create table if not exists started (at_ms integer)');
  const client = mqtt.connect(url, { clientId: 'floor', protocolVersion: 4, keepalive: 30, writeCache: false });
  await client.subscribeAsync('floor/#', { qos: 1 });
}
flushCompileCache();
process.stdout.write('ready\n');
setInterval(() => {}, 2 ** 30);
