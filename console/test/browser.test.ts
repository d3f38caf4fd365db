import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildConsole } from './build-console.ts';
import { chromiumFlags, chromiumIsHere, chromiumPath } from './chromium.ts';
import { hostile } from './fixture/moments.ts';
import { fixtureStoppedPlan } from './fixture/plan.ts';
import { type FixtureServer, startFixtureServer } from './fixture-server.ts';

if (!chromiumIsHere) process.stdout.write(`console/test/browser: skipped, ${chromiumPath} is not here\n`);

/** Every page with a text that it can only show when its numbers have come. */
const pages = [
  { path: '/', name: 'Fleet', shows: 'All 214 datasets have their copies' },
  { path: '/nodes/berlin-a', name: 'berlin-a', shows: 'a drive under it is failing' },
  { path: '/devices/st4000dm000-z301000', name: 'Z301000', shows: '48 pending sectors, 41 more than a week ago' },
  { path: '/datasets', name: 'Datasets', shows: 'video-masters' },
  { path: '/datasets/survey-2026', name: 'survey-2026', shows: 'The second copy must be at another site' },
  { path: '/plan', name: 'Plan', shows: 'drive Z301000 under berlin-a-disk is failing' },
  { path: '/migrations', name: 'Migrations', shows: 'no target of the region eu-north is there to take it' },
  { path: '/costs', name: 'Cost', shows: 'AWS price list, us-east-1, 2025: S3 Glacier Instant Retrieval' },
  { path: '/compliance', name: 'Compliance', shows: 'cloud-a-standard is in us-east, allowed is eu-central, eu-west' },
  { path: '/health', name: 'Health', shows: 'judged by the model drive-failure 0123456789ab' },
  { path: '/models', name: 'Failure models', shows: 'come without an alarm' },
  { path: '/models/0123456789ab', name: 'Model 0123456789ab', shows: '206 trees over 76 features' },
  { path: '/models/77d0c41fe2aa', name: 'Model 77d0c41fe2aa', shows: 'Of 120 drives both alarm about 3' },
  { path: '/models/drift', name: 'Drift', shows: '2 of 12 features drifted, drives made by HGST the most' },
  { path: '/models/4be7a2c09d11', name: 'Model 4be7a2c09d11', shows: 'How many failures this version misses was not measured' },
  { path: '/consistency', name: 'Consistency', shows: '1 conflict waits for a person' },
  { path: '/chaos', name: 'Chaos', shows: 'Every dataset has exactly one primary' },
  { path: '/events', name: 'Events', shows: 'A plan with 12 moves saves $42.10 a month.' },
  { path: '/events?tab=audit', name: 'Events', shows: 'refused: role' },
  { path: '/integrations', name: 'Integrations', shows: 'PGlite, 0.4 ms' },
] as const;

describe.skipIf(!chromiumIsHere)('the console in a browser', { timeout: 120_000 }, () => {
  let server: FixtureServer;
  let browser: Browser;

  beforeAll(async () => {
    buildConsole();
    server = await startFixtureServer();
    browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  let signedIn: BrowserContext | undefined;
  const problems: string[] = [];

  /** One page in the session of the one token; what the browser complains about is kept. */
  async function open(path: string, look: { width?: number; colours?: 'light' | 'dark' } = {}): Promise<Page> {
    if (signedIn === undefined) {
      signedIn = await browser.newContext();
      const first = await signedIn.newPage();
      await first.goto(`${server.url}/#token=first-look-token`);
      await first.getByRole('heading', { level: 1, name: 'Fleet' }).waitFor();
      expect(first.url()).toBe(`${server.url}/`);
      await first.close();
    }
    const page = await signedIn.newPage();
    page.on('console', (message) => message.type() === 'error' && problems.push(`${path}: ${message.text()}`));
    page.on('pageerror', (thrown) => problems.push(`${path}: ${thrown.message}`));
    await page.setViewportSize({ width: look.width ?? 1440, height: look.width === 390 ? 844 : 900 });
    await page.emulateMedia({ colorScheme: look.colours ?? 'light' });
    await page.goto(`${server.url}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    return page;
  }

  test('without a session it says how to get one, and a token that was used is no way in', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${server.url}/?token=used-long-ago-token`);
    await page.getByText('npx dim console').waitFor();
    expect(page.url()).toBe(`${server.url}/`);
    await page.getByText('This token was used, or its time is over.').waitFor();
    await context.close();
  });

  // Each page is looked at in both colours as one load of it shows them, and over the widths it begins in either.
  for (const [w, width] of [1440, 1024, 390].entries()) {
    test(`every page answers its question at ${width} pixels in light and in dark, without a complaint or sideways scroll`, async () => {
      problems.length = 0;
      const page = await open('/', { width });
      for (const [p, { path, name, shows }] of pages.entries()) {
        const both = ['light', 'dark'] as const;
        const colours = (p + w) % 2 === 0 ? both : both.toReversed();
        await page.emulateMedia({ colorScheme: colours[0]! });
        await page.goto(`${server.url}${path}`);
        await page.getByRole('heading', { level: 1, name }).waitFor();
        for (const colour of colours) {
          await page.emulateMedia({ colorScheme: colour });
          await page.getByText(shows).first().waitFor();
          const body = await page.evaluate(() => ({
            colours: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
            wide: document.documentElement.scrollWidth,
            seen: document.documentElement.clientWidth,
            hacked: 'hacked' in window,
            titlePx: document.querySelector('header:has(h1) > div')!.clientWidth,
            cut: [...document.querySelectorAll<HTMLElement>('.scroll-x, section[aria-label] > div')]
              .filter((one) => one.scrollWidth > one.clientWidth + 1)
              .map((one) => one.textContent!.trim().slice(0, 60)),
          }));
          expect(body.colours).toBe(colour);
          expect(body.wide, `${path} scrolls sideways`).toBeLessThanOrEqual(body.seen);
          expect(body.titlePx, `${path} leaves its title room`).toBeGreaterThanOrEqual(200);
          expect(body.hacked, `${path} ran what a name said`).toBe(false);
          // In a hand no table is cut off: each row is a card with the names of its columns. Of these two pages another test says more.
          if (width === 390 && path !== '/costs' && path !== '/compliance') expect(body.cut, path).toEqual([]);
        }
      }
      expect(problems).toEqual([]);
      await page.close();
    });
  }

  test('on a telephone nothing of what costs and what is found is out of sight, and what helps is one tap away', async () => {
    for (const path of ['/costs', '/compliance']) {
      const page = await open(path, { width: 390 });
      await page.getByRole('table').first().waitFor();
      const hidden = await page.evaluate(() => [...document.querySelectorAll('.scroll-x')].filter((one) => one.scrollWidth > one.clientWidth).length);
      expect(hidden, `${path} scrolls inside of a panel`).toBe(0);
      const buttons = await page.getByRole('main').getByRole('button').all();
      for (const button of buttons) {
        const box = (await button.boundingBox())!;
        expect(box.x, `${path} ${await button.textContent()}`).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width, `${path} ${await button.textContent()}`).toBeLessThanOrEqual(390);
      }
      expect(buttons.length).toBeGreaterThan(0);
      await page.close();
    }
  });

  test('a name that is markup is shown as it was written', async () => {
    for (const path of ['/', '/datasets', '/migrations', '/costs', '/compliance', '/health', '/models', '/consistency', '/events', '/events?tab=audit']) {
      const page = await open(path);
      await page.getByText(hostile).first().waitFor();
      expect(await page.locator('img[src="x"]').count()).toBe(0);
      await page.close();
    }
  });

  test('pages are reached by keyboard: g and a letter, slash for search, Esc to leave it', async () => {
    const page = await open('/');
    for (const [key, name] of [
      ['d', 'Datasets'],
      ['p', 'Plan'],
      ['m', 'Migrations'],
      ['b', 'Cost'],
      ['o', 'Compliance'],
      ['h', 'Health'],
      ['c', 'Consistency'],
      ['x', 'Chaos'],
      ['e', 'Events'],
      ['f', 'Fleet'],
    ] as const) {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await page.getByRole('heading', { level: 1, name }).waitFor();
    }
    await page.keyboard.press('/');
    await page.getByRole('searchbox').waitFor();
    await page.waitForFunction(() => document.activeElement instanceof HTMLInputElement);
    await page.keyboard.type('mri');
    await page.waitForURL(/q=mri/);
    await page.getByText('1 of 2,140').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('mri');
    await page.keyboard.press('Escape');
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BODY');
    await page.close();
  });

  test('a g is for the key that follows it soon, also when another was pressed shortly before', async () => {
    const page = await open('/');
    const heading = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
    await heading('Fleet');
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    for (const key of ['g', 'd']) await page.keyboard.press(key);
    await page.clock.runFor(1_400);
    await heading('Datasets');
    await page.keyboard.press('g');
    await page.clock.runFor(200);
    await page.keyboard.press('e');
    await heading('Events');
    await page.keyboard.press('g');
    await page.clock.runFor(2_000);
    await page.keyboard.press('g');
    await page.keyboard.press('p');
    await heading('Plan');
    // The clock is that of all pages of the session: the next ones would stand still.
    await page.clock.resume();
    await page.close();
  });

  test('of thousands of datasets only the rows in sight are in the document', async () => {
    const page = await open('/datasets');
    await page.getByText('2,140 of 2,140').waitFor();
    expect(await page.locator('[role="row"]').count()).toBeLessThan(60);
    await page.getByRole('table', { name: 'Datasets' }).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.getByRole('row').filter({ hasText: 'web-logs' }).or(page.getByText('telescope-night-221')).first().waitFor();
    await page.close();
  });

  test('the map of drives is walked by arrow keys and opens the drive on Enter', async () => {
    const page = await open('/');
    const map = page.getByRole('button', { name: /^Map of/ });
    await map.waitFor();
    await page.getByText('28 drives, by site and node').waitFor();
    await map.focus();
    await page.keyboard.press('ArrowRight');
    await page.getByText('st4000dm000-z301000 · 4.00 TB · failing').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Z301000' }).waitFor();
    await page.close();
  });

  test('a drive shows its life: the risk with the thresholds of its model, the counters that moved, and why its level changed', async () => {
    const page = await open('/devices/st4000dm000-z301000');
    const life = page.getByRole('slider', { name: 'The life of this drive, day by day' });
    await life.getByText('failing from 20 %').waitFor();
    for (const name of ['pending sectors', 'reallocated sectors', 'temperature']) await life.getByText(name, { exact: true }).waitFor();
    await page.getByText('Never moved: command timeouts 0, time-outs seen by the kernel 0.').waitFor();
    await page.getByText('129 of 3,412 readings shown, 1 without values').waitFor();
    const kernel = page.getByRole('region', { name: 'What the kernel saw' });
    await kernel.getByText('140 since it appeared, 1 since the reading before').waitFor();
    await kernel.getByText('12.4 ms, mean of 5,120 reads').waitFor();
    await life.getByText('mean time of a read').waitFor();
    const changes = page.getByRole('region', { name: 'What changed its level' }).getByRole('listitem');
    expect(await changes.count()).toBe(3);
    expect(await changes.first().textContent()).toMatch(/failing.*2015-06-08, 31 % by the model drive-failure.*33 pending sectors/s);
    await life.focus();
    expect(await life.getAttribute('aria-valuetext')).toMatch(/^2015-06-18: risk 73 %, pending sectors 48/);
    await page.keyboard.press('Home');
    expect(await life.getAttribute('aria-valuetext')).toMatch(/^2015-02-10: risk <?0.1 %, pending sectors 0/);
    await page.close();
  });

  test('a drive on NVMe shows its wear without thresholds; one that told nothing yet says so', async () => {
    const flash = await open('/devices/samsung-pm9a3-z30104a');
    await flash.getByText('a rule has no thresholds').waitFor();
    await flash.getByRole('slider').getByText('wear of the flash').waitFor();
    await flash.getByText('Never moved: spare blocks left 100 %, media errors 0.').waitFor();
    await flash.getByText('Not known: the kernel counts no errors of drives on NVMe, their health log does.').waitFor();
    await flash.close();
    const silent = await open('/devices/samsung-pm9a3-z301128');
    await silent.getByText('No reading yet.').waitFor();
    await silent.getByText('Not assessed yet.').waitFor();
    await silent.getByText('No reading tells it').waitFor();
    expect(await silent.getByRole('button', { name: 'Acknowledge its counters' }).count()).toBe(0);
    await silent.close();
  });

  test('counters are acknowledged only after it was told what that means, and who did it is shown', async () => {
    const page = await open('/devices/st4000dm000-z301000');
    await page.getByRole('button', { name: 'Acknowledge its counters' }).click();
    const dialog = page.getByRole('dialog', { name: 'Acknowledge the counters of Z301000' });
    await dialog.getByRole('row', { name: 'pending sectors 0 48' }).waitFor();
    await dialog.getByText(/the copies of 14 datasets on it count as safe again/).waitFor();
    expect(server.changes.some(({ route }) => route.endsWith('/acknowledge'))).toBe(false);
    await dialog.getByLabel('Why it is harmless').fill('cable replaced');
    await dialog.getByRole('button', { name: 'Acknowledge 4 counters' }).click();
    await page.getByText('The counters of Z301000 are acknowledged').waitFor();
    expect(server.changes.find(({ route }) => route === 'POST /v1/devices/st4000dm000-z301000/acknowledge')?.body).toBe(
      JSON.stringify({ note: 'cable replaced' }),
    );
    await page.close();
    const seen = await open('/devices/hgst-hms5c4040ble640-z301103');
    await seen.getByText(/acknowledged .* ago: seen after the power cut/).waitFor();
    await seen.getByText('pending sectors: 2 seen, 46 on top since').waitFor();
    await seen.close();
  });

  test('a model takes the place of the active one only when both were measured, and each change tells what follows', async () => {
    const candidate = await open('/models/4be7a2c09d11');
    await candidate.getByRole('button', { name: 'Make active' }).click();
    await candidate.getByText(/this model was not measured\./).waitFor();
    expect(await candidate.getByRole('button', { name: 'Make active now' }).count()).toBe(0);
    await candidate.close();
    const shadow = await open('/models/77d0c41fe2aa');
    await shadow.getByRole('button', { name: 'Make active' }).click();
    await shadow.getByText(/2 agents run 0123456789ab, 1 agent runs rules alone, 1 agent runs ba9876543210/).waitFor();
    await shadow.getByRole('button', { name: 'Make active now' }).click();
    await shadow.getByText('77d0c41fe2aa is active').waitFor();
    await shadow.close();
    const active = await open('/models/0123456789ab');
    await active.getByRole('button', { name: 'Roll back' }).click();
    await active.getByLabel('Why').fill('too many alarms');
    await active.getByRole('button', { name: 'Roll back to ba9876543210 now' }).click();
    await active.getByText('ba9876543210 is active again.').waitFor();
    await active.close();
    expect(server.changes.filter(({ route }) => route.includes('/models'))).toEqual([
      { route: 'POST /v1/models/77d0c41fe2aa/promote', body: JSON.stringify({ to: 'active' }), ifMatch: '"3"' },
      { route: 'POST /v1/models/rollback', body: JSON.stringify({ because: 'too many alarms' }), ifMatch: '"3"' },
    ]);
  });

  test('a model that is worse on the same data is refused with the figures, and may still go into the shadow', async () => {
    const worse = await open('/models/d5e8013b6f72');
    await worse.getByRole('button', { name: 'Make active' }).click();
    await worse.getByText(/^Refused: it foresees less than 0123456789ab on the same data: AUC 0\.842, the active one 0\.8605/).waitFor();
    expect(await worse.getByRole('button', { name: 'Make active now' }).count()).toBe(0);
    await worse.keyboard.press('Escape');
    await worse.getByRole('button', { name: 'Score in the shadow' }).click();
    await worse.getByText('77d0c41fe2aa leaves the shadow and is a candidate again.').waitFor();
    await worse.close();
  });

  test('what came of a model is told at each alarm level and beside the one in the shadow; too little is said to be too little', async () => {
    const page = await open('/models');
    const own = page.getByRole('table', { name: 'What came of the alarms of 0123456789ab', exact: true });
    await own.getByRole('row', { name: /^Precision 39 % 24 to 56 % .*73 % 43 to 90 %/ }).waitFor();
    await own.getByRole('row', { name: /^Recall 71 % .*50 %/ }).waitFor();
    await own.getByRole('row', { name: /^False alarms per 1,000 drive-months 6\.4 4\.1 to 10\.0/ }).waitFor();
    const beside = page.getByRole('region', { name: 'Beside another model' });
    await beside.getByText('Too little failed to tell which is better.').waitFor();
    await beside.getByText('on the same 614 drives and days').waitFor();
    await beside.getByRole('row', { name: /^Alarms 18 20$/ }).waitFor();
    await beside.getByLabel('failing alone').check();
    await beside.getByRole('row', { name: /^Alarms 7 8$/ }).waitFor();
    await beside.getByRole('link', { name: '77d0c41fe2aa' }).click();
    await page.getByRole('heading', { level: 1, name: 'Model 77d0c41fe2aa' }).waitFor();
    await page.close();
    const earlier = await open('/models/ba9876543210');
    await earlier.getByText('Too few failures to tell anything: 3 so far.').waitFor();
    expect(await earlier.getByRole('table', { name: 'What came of the alarms of ba9876543210' }).getByText('too few to tell').count()).toBe(4);
    await earlier.getByText('have scored no drive on the same day yet').waitFor();
    await earlier.close();
  });

  test('drives that two models disagree about are listed from the greatest disagreement, by who alarms alone, and lead to the drive', async () => {
    const page = await open('/models/77d0c41fe2aa');
    const list = page.getByRole('table', { name: 'Drives by disagreement' });
    await page.getByRole('img', { name: /^120 drives by the probability .*: 4 only 77d0c41fe2aa alarms about, 2 only 0123456789ab$/ }).waitFor();
    expect((await list.getByRole('row').nth(1).textContent())!.replaceAll(/\s+/g, ' ')).toMatch(
      /^Z301000 .*only 77d0c41fe2aa alarms · failed ?31 % ?failing ?0\.4 % ?healthy/,
    );
    await page.getByLabel('Drives about which').selectOption('other');
    await page.waitForFunction(() => document.querySelectorAll('table[aria-label="Drives by disagreement"] tbody tr').length === 2);
    await page.getByLabel('Drives about which').selectOption('this');
    await list.getByRole('link', { name: 'Z301000' }).click();
    await page.getByRole('heading', { level: 1, name: 'Z301000' }).waitFor();
    await page.close();
  });

  test('drift says what moved and since when, and another model is trained only after it was told what that means', async () => {
    const page = await open('/models');
    await page.getByRole('link', { name: 'Look at the drift' }).click();
    const moved = page.getByRole('region', { name: 'reported uncorrectable errors' });
    await moved.getByRole('row', { name: 'not reported 6 % 28 %' }).waitFor();
    await page.getByRole('img', { name: /^Strongest stability index, day by day: 0\.62 .* 12 of 90 looks saw a drift$/ }).waitFor();
    await page.getByRole('button', { name: 'Train another' }).click();
    await page.getByText('nothing is promoted, no level and no copy changes').waitFor();
    expect(server.changes.some(({ route }) => route === 'POST /v1/models/train')).toBe(false);
    await page.getByRole('button', { name: 'Train it now' }).click();
    await page.getByText('Another model is asked for').waitFor();
    expect(server.changes.at(-1)!.route).toBe('POST /v1/models/train');
    await page.close();
  });

  test('a drive tells what befell it to its end, with its certificate, and a person says what became of it', async () => {
    const page = await open('/devices/st4000dm000-z301000');
    const story = page.getByRole('region', { name: 'What befell it' });
    await story.getByText('It stopped answering while others did; 35 days after its first alarm.').waitFor();
    expect(await story.getByRole('listitem').locator('b').allTextContents()).toEqual(['Alarm: at risk', 'Its copies began to leave', 'Empty', 'It failed']);
    await story.getByRole('button', { name: 'Verify its certificate' }).click();
    await page.getByText('every copy was read back equal at its new place').waitFor();
    await page.keyboard.press('Escape');
    await story.getByRole('button', { name: 'Say what became of it' }).click();
    const dialog = page.getByRole('dialog', { name: 'What became of Z301000' });
    await dialog.getByLabel('It was removed while it worked').check();
    await dialog.getByLabel('Note').fill('sold');
    await dialog.getByRole('button', { name: 'Write it down' }).click();
    await page.getByText('What became of Z301000 is written down.').waitFor();
    expect(server.changes.at(-1)).toMatchObject({
      route: 'POST /v1/devices/st4000dm000-z301000/outcome',
      body: JSON.stringify({ outcome: 'removed', note: 'sold' }),
    });
    await page.close();
  });

  test('a certificate is checked in the browser: the genuine one holds, a changed one does not', async () => {
    const page = await open('/health');
    const verify = page.getByRole('button', { name: 'Verify' });
    await verify.first().click();
    await page.getByText('every copy was read back equal at its new place').waitFor();
    await page.keyboard.press('Escape');
    await verify.nth(1).click();
    await page.getByText('The signature does not belong to this text.').waitFor();
    await page.close();
  });

  test('a policy is changed field by field, against the version that was seen', async () => {
    const page = await open('/datasets/survey-2026');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Copies').fill('3');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The policy is changed').waitFor();
    const change = server.changes.find(({ route }) => route === 'PATCH /v1/datasets/survey-2026/policy');
    expect(change).toEqual({ route: 'PATCH /v1/datasets/survey-2026/policy', body: JSON.stringify({ set: { copies: 3 }, clear: [] }), ifMatch: '"41"' });
    await page.close();
  });

  test('what helps a dataset is shown with its moves before it is done, and then it is those that are made', async () => {
    const page = await open('/compliance');
    await page.getByRole('button', { name: 'Remedy for survey-2026' }).click();
    const dialog = page.getByRole('dialog', { name: 'What helps survey-2026' });
    await dialog.getByText('drive Z301000 under berlin-a-disk is failing').first().waitFor();
    const asked = () => server.changes.filter(({ body }) => body === JSON.stringify({ dryRun: true, datasetIds: ['survey-2026'] }));
    expect(asked()).toMatchObject([{ route: 'POST /v1/plans' }]);
    await dialog.getByRole('button', { name: /^Do it/ }).click();
    await page.getByText('What helps survey-2026 is under way; see Migrations.').waitFor();
    expect(server.changes.at(-1)!.route).toBe('POST /v1/plans/01JQP3/apply');
    expect(asked()).toHaveLength(1);
    await page.close();
  });

  test('what the last month has cost is added up when somebody asks, beside the best places', async () => {
    const page = await open('/costs');
    await page.getByText('What was spent, what the least would have been').waitFor();
    await page.getByRole('button', { name: 'Add up' }).click();
    await page.getByRole('row', { name: /^at the best places .*\$910\.50$/ }).waitFor();
    await page.getByText(/The next 30 days will cost \$1,188\.00 as it is, \$1,146\.40 once/).waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    await page.close();
  });

  test('a price from a day on is a line more in the book, on the revision that was read', async () => {
    const page = await open('/costs');
    await page.getByRole('button', { name: 'Change aws-s3-glacier-instant' }).click();
    const dialog = page.getByRole('dialog', { name: 'What aws-s3-glacier-instant costs' });
    await dialog.getByLabel('$ per GB-month').fill('0.005');
    await dialog.getByLabel('From this day on, UTC').fill('2999-01-01');
    await dialog.getByLabel(/^Source/).fill('list of 2999');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('aws-s3-glacier-instant has another price from 2999-01-01 on').waitFor();
    const { route, body, ifMatch } = server.changes.at(-1)!;
    expect([route, ifMatch]).toEqual(['PUT /v1/prices', '"3"']);
    const { entries } = JSON.parse(body) as { entries: object[] };
    expect(entries).toHaveLength(4);
    expect(entries.at(-1)).toMatchObject({
      priceClass: 'aws-s3-glacier-instant',
      validFromMs: Date.UTC(2999, 0, 1),
      source: 'list of 2999',
      prices: { storagePerGbMonth: 0.005, retrievalPerGb: 0.03, minimumDays: 90 },
    });
    await page.close();
  });

  test('a policy that no place can meet is refused with the way out, and set when a person insists', async () => {
    const page = await open('/datasets/survey-2026');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Copies').fill('9');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Cheapest way out: add a site.').waitFor();
    await page.getByRole('button', { name: 'Set it all the same' }).click();
    await page.getByText('No place of this fleet can meet this policy: spread. Cheapest way out: add a site.').waitFor();
    expect(server.changes.filter(({ route, body }) => route.includes('/policy') && body.includes('9')).map(({ route }) => route)).toEqual([
      'PATCH /v1/datasets/survey-2026/policy',
      'PATCH /v1/datasets/survey-2026/policy?force=true',
    ]);
    await page.close();
  });

  test('a copy says in three lines why it is here, what binds it and where that flips, and reckons it by part on demand', async () => {
    const page = await open('/datasets/survey-2026');
    const card = page.getByRole('article', { name: 'copy on berlin-a-nvme' });
    await card.getByText('The room: 86.0 GB more are needed on berlin-a-disk').waitFor();
    await card.getByText('Above $0.0913 per GB and month on berlin-a-nvme (now $0.08) its place is paris-a-nvme').first().waitFor();
    const parts = card.getByRole('img', { name: /^Per month: storage .*, the way there \$0, .*together \$9\.11$/ });
    expect(await parts.isVisible()).toBe(false);
    await card.getByText(/by part · 1 of 5 other places allowed/).click();
    await parts.waitFor();
    const alternatives = card.getByRole('region', { name: 'Alternatives to berlin-a-nvme' });
    expect(await alternatives.getByRole('row').count()).toBe(6);
    await alternatives.getByText('latency-slo').first().waitFor();
    await card.getByRole('region', { name: 'Where the choice for berlin-a-nvme flips' }).getByText('above 420 ms').waitFor();
    await page.close();
  });

  test('a plan is applied only after its consequence was told in numbers', async () => {
    const page = await open('/plan');
    await page.getByRole('button', { name: /^Apply 10 moves/ }).click();
    await page.getByText(/in 10 jobs, about .* of work; costs/).waitFor();
    await page.getByRole('button', { name: /^Move / }).click();
    await page.getByText('The plan is applied').waitFor();
    expect(server.changes.some(({ route }) => route === 'POST /v1/plans/01JQP1/apply')).toBe(true);
    await page.close();
  });

  test('a plan that the world has overtaken says what changed, and leads to the plan that was made instead', async () => {
    const page = await open('/plan');
    await page.getByRole('button', { name: 'Preview a new plan' }).click();
    await page.getByText('1 thing changed since it was made').waitFor();
    await page.getByRole('button', { name: /^Apply 10 moves/ }).click();
    await page.getByRole('button', { name: /^Move / }).click();
    const refused = page.getByRole('dialog', { name: 'The world has changed since this plan was made' });
    await refused.getByText('paris-a-archive').waitFor();
    expect(await refused.getByRole('cell').allTextContents()).toEqual([expect.stringContaining('storagePerGbMonth'), '0.006', '0.0071']);
    await refused.getByRole('button', { name: 'Look at the new plan' }).click();
    await page.getByText('still holds').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.close();
  });

  test('an applied plan shows beside each previewed move what has become of it, and why it stopped', async () => {
    const page = await open('/plan');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    const carried = page.getByRole('region', { name: 'Carried out' });
    await carried.getByRole('img', { name: '4 done, 2 under way, 1 gave up, 5 left out' }).waitFor();
    const row = page.getByRole('row', { name: /video-masters/ });
    expect((await row.first().textContent())!.replaceAll(/\s+/g, ' ')).toMatch(/advised.*under way/);
    await carried.getByRole('button', { name: 'Look at the plan that was made instead' }).click();
    await page.getByText('1 thing changed since it was made').waitFor();
    await page.close();
  });

  test('a plan that is being carried out is called off as a whole, once it was told what that leaves', async () => {
    const page = await open('/plan');
    const stopped = fixtureStoppedPlan(Date.now());
    const execution = { ...stopped.execution!, state: 'running', waiting: 5, leftOut: 0, differences: [], newPlanId: null };
    const off = { ...execution, state: 'called-off', waiting: 0, leftOut: 5, calledOff: { by: 'anna', atMs: Date.now() } };
    let isOff = false;
    await page.route('**/v1/plans/01JQP0', (route) => route.fulfill({ json: { ...stopped, execution: isOff ? off : execution } }));
    await page.route('**/v1/plans/01JQP0/cancel', (route) => {
      isOff = true;
      return route.fulfill({ json: { planId: '01JQP0', leftOut: 5, running: 2 } });
    });
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByRole('button', { name: 'Call off' }).click();
    const dialog = page.getByRole('dialog', { name: 'Call this plan off' });
    await dialog.getByText('5 moves that wait are not begun').waitFor();
    await dialog.getByText(/2 moves under way will be finished/).waitFor();
    expect(isOff).toBe(false);
    await dialog.getByRole('button', { name: 'Call it off' }).click();
    await page.getByText(/anna called it off/).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Call off' }).count()).toBe(0);
    await page.close();
  });

  test('a flow that is chosen by key shows its moves alone, and the drawing is there as a table', async () => {
    const page = await open('/plan');
    const flow = page.getByRole('button', { name: /^berlin-b-disk → paris-a-nvme, for use: 62.0 GB in 1 move, \+\$4.10/ });
    await flow.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: '1 move of 12, in order' }).getByText('genome-run-14').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Moves, in order' }).waitFor();
    await page.getByText('As a table').click();
    expect(await page.getByRole('row', { name: /berlin-b-disk.*paris-a-nvme.*use.*62.0 GB/ }).count()).toBe(1);
    await page.close();
  });

  test('a key is made with its secret shown once, and revoked only after a second click', async () => {
    const page = await open('/integrations');
    await page.getByLabel('Name of the new key').fill('billing');
    await page.getByLabel('Role of the new key').selectOption('operator');
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByText('dim_shown-once').waitFor();
    expect(server.changes.find(({ route }) => route === 'POST /v1/keys')?.body).toBe(JSON.stringify({ name: 'billing', role: 'operator' }));
    await page.getByRole('button', { name: 'Revoke first' }).click();
    expect(server.changes.some(({ route }) => route.endsWith('/revoke'))).toBe(false);
    await page.getByRole('button', { name: 'Revoke first now' }).click();
    await page.getByText('The key first opens nothing any more.').waitFor();
    expect(server.changes.some(({ route }) => route === 'POST /v1/keys/k-01/revoke')).toBe(true);
    await page.close();
  });

  test('a dataset follows the policy of the fleet in whatever is left empty', async () => {
    const page = await open('/datasets');
    await page.getByRole('button', { name: 'Add dataset' }).click();
    await page.getByText('site, as the fleet').waitFor({ state: 'attached' });
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('fresh');
    await form.getByLabel('Owner').fill('maps');
    await form.getByLabel('a sample made from a seed').check();
    await form.getByRole('button', { name: 'Add dataset' }).click();
    await page.getByText('fresh is being imported').waitFor();
    const added = server.changes.find(({ route }) => route === 'POST /v1/datasets');
    expect((JSON.parse(added!.body) as { policy: object }).policy).toEqual({});
    await page.close();
  });

  test('faults are stopped by the button that is always there', async () => {
    const page = await open('/chaos');
    await page.getByRole('button', { name: 'Stop all (1)' }).click();
    await page.getByText('Every fault is being undone.').waitFor();
    expect(server.changes.some(({ route }) => route === 'POST /v1/chaos/stop')).toBe(true);
    await page.close();
  });

  test('an event arrives by itself; a lost link is said with the time of the last number, and a regained one is quiet', async () => {
    const page = await open('/events');
    await page.getByText('live', { exact: true }).waitFor();
    server.emit('A thing that just happened.');
    await page.getByText('A thing that just happened.').waitFor();
    server.setStream(false);
    await page.getByText('The live link is down').waitFor();
    await page.getByText(/The last numbers are from \d\d:\d\d:\d\d/).waitFor();
    server.setStream(true);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('The live link is down').waitFor({ state: 'detached' });
    await page.close();
  });
});
