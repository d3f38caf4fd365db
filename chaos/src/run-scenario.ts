import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import { systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import type { Settings } from './config.ts';
import { hurriedLife } from './fleet/life-settings.ts';
import { startFleet } from './fleet/local-fleet.ts';
import { removeTree } from './fleet/remove-tree.ts';
import { markdownReport, repeatCommand } from './report.ts';
import { type Played, playScenario } from './scenarios/play.ts';
import { readScenario, type Scenario } from './scenarios/scenario.ts';

export interface RunOptions {
  readonly seed: number;
  readonly ownFleet: boolean;
  readonly url?: string | undefined;
  readonly report?: string | undefined;
  readonly json: boolean;
}

/** `chaos run`: play one scenario and report. Answers the exit code: 1 when something did not hold. */
export async function runScenario(settings: Settings, nameOrFile: string, options: RunOptions): Promise<number> {
  const scenario = readScenario(nameOrFile);
  const tell = (text: string): void => void process.stderr.write(`  ${text}\n`);
  const played = options.ownFleet
    ? await inOwnFleet(scenario, settings, options.seed, tell, mkdtempSync(path.join(tmpdir(), 'dim-chaos-')))
    : await inRunningFleet(scenario, settings, options, tell);
  const repeat = repeatCommand(played, nameOrFile, options.ownFleet);
  const report = markdownReport(played, repeat);
  const json = `${JSON.stringify({ ...played, repeat }, null, 2)}\n`;
  if (options.report !== undefined) {
    writeFileSync(options.report, report);
    writeFileSync(`${options.report.replace(/\.md$/, '')}.json`, json);
  }
  process.stdout.write(options.json ? json : `\n${report}`);
  return played.held ? 0 : 1;
}

/** A fleet that is made for the scenario in `home`, which is gone afterwards. */
export async function inOwnFleet(
  scenario: Scenario,
  settings: Pick<Settings, 'environment'>,
  seed: number,
  onLine: (text: string) => void,
  home: string,
): Promise<Played> {
  try {
    const fleet = await startFleet({
      home,
      httpPort: 0,
      mqttPort: 0,
      environment: settings.environment,
      controlPlane: hurriedLife,
      secondsPerDay: scenario.secondsPerDay,
      onStep: onLine,
    });
    try {
      return await playScenario(scenario, { api: fleet.api, home, seed, mark: `s${seed}`, clock: systemClock, onLine });
    } finally {
      await fleet.stop();
    }
  } finally {
    removeTree(home);
  }
}

function inRunningFleet(scenario: Scenario, settings: Settings, options: RunOptions, onLine: (text: string) => void): Promise<Played> {
  const url = options.url ?? settings.DIM_URL ?? firstLine(path.join(settings.DIM_HOME, 'address'));
  const key = settings.DIM_API_KEY ?? firstLine(path.join(settings.DIM_HOME, 'admin.key'));
  if (url === undefined || key === undefined)
    throw new Failure('refused', {
      code: 'fleet.none',
      message: `No fleet was found in ${settings.DIM_HOME}.`,
      hint: 'Start one with npm start, or give --own-fleet.',
    });
  // Datasets stay behind in a fleet that goes on living: the moment keeps a second run with the same seed apart.
  const mark = `s${options.seed}-${systemClock.nowMs().toString(36)}`;
  return playScenario(scenario, { api: new RouteCaller(url, key), home: homeOf(url, settings.DIM_HOME), seed: options.seed, mark, clock: systemClock, onLine });
}

/** The directory of the fleet at an address, if that is the fleet that runs there: processes of another one are not ours to kill. */
export function homeOf(url: string, directory: string): string | null {
  const local = firstLine(path.join(directory, 'address'));
  return local !== undefined && URL.canParse(local) && new URL(local).origin === new URL(url).origin ? directory : null;
}

function firstLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').split('\n')[0]!.trim() || undefined;
  } catch {
    return undefined;
  }
}
