import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { chromiumFlags, chromiumPath } from './chromium.ts';
import { startFixtureServer } from './fixture-server.ts';

/** Pictures of pages for looking at: `node console/test/shots.ts DIRECTORY [PATH …]`. */
const [directory = 'shots', ...asked] = process.argv.slice(2);
const device = 'st4000dm000-z301000';
const paths =
  asked.length > 0
    ? asked
    : [
        '/',
        '/datasets',
        '/datasets/survey-2026',
        '/plan',
        '/migrations',
        '/costs',
        '/compliance',
        '/health',
        `/devices/${device}`,
        '/models',
        '/models/0123456789ab',
        '/models/77d0c41fe2aa',
        '/models/drift',
        '/nodes/berlin-a',
        '/consistency',
        '/chaos',
        '/events',
        '/integrations',
      ];
mkdirSync(directory, { recursive: true });
const server = await startFixtureServer();
const browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
const context = await browser.newContext();
const page = await context.newPage();
page.on('console', (message) => message.type() === 'error' && process.stdout.write(`${page.url()}: ${message.text().slice(0, 160)}\n`));
page.on('pageerror', (thrown) => process.stdout.write(`${page.url()}: ${thrown.message}\n`));
await page.goto(`${server.url}/#token=first-look-token`);
await page.getByRole('heading', { name: 'Fleet' }).waitFor();
for (const where of paths) {
  for (const [width, scheme] of [
    [1440, 'light'],
    [1440, 'dark'],
    [1024, 'light'],
    [390, 'light'],
    [390, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${server.url}${where}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('load');
    await page.waitForTimeout(350);
    await page.screenshot({ path: path.join(directory, `${where.replaceAll(/[^a-z0-9]+/g, '_')}-${width}-${scheme}.png`), fullPage: true });
  }
}
await browser.close();
await server.close();
