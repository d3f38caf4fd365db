import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What Node is started with where an agent is to run: by the local fleet, and in the image. */
export const agentFlags = readFileSync(path.resolve(import.meta.dirname, '../node-flags'), 'utf8')
  .trim()
  .split(' ');
