import { existsSync } from 'node:fs';

export const chromiumPath = '/usr/bin/chromium';
export const chromiumIsHere = existsSync(chromiumPath);
export const chromiumFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
] as const;
