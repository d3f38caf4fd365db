/** Says that it lives, again and again, and does nothing else. */
import { readFileSync } from 'node:fs';

const config = JSON.parse(readFileSync(process.argv[process.argv.indexOf('--config') + 1], 'utf8'));
console.log(`agent ${config.nodeId}`);
const say = () =>
  fetch(`${process.env.STUB_URL ?? config.stubUrl}/stub/heard`, { method: 'POST', body: JSON.stringify({ nodeId: config.nodeId }) })
    .catch(() => {})
    .finally(() => setTimeout(say, 50));
say();
process.on('SIGTERM', () => process.exit(0));
