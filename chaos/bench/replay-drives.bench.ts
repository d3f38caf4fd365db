/**
 * Every drive of the open test lives through 2014-10 to 2015-12 in a fleet made of the product's own parts: the agents' replay probe, history, judgement and
 * telling; the store, the control loop, its jobs and its certificates. Only the disks and the copying are in memory, and the clock is moved by hand.
 * Agents judge by the models of the open test, each of which knows only other drives and earlier months.
 *
 *     node chaos/bench/replay-drives.bench.ts [--drives N] [--fleet 350] [--fill 0.7] [--only FLEET] [--anew] [--json]
 *
 * All drives, or N of them by chance, are replayed through their agents. Those that were never judged other than healthy and did not die are left out of the fleets: of a healthy drive
 * the control plane decides nothing. They count in the drive-months, and what is a share of a fleet is a share of all that its drives stand for.
 *
 * Each fleet that has lived is kept in results/replayed-fleets, and a later run of the same drives goes on from there unless it is told to begin anew. `--only`
 * lets one of them live, counted from 0, so that several can at once.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '@data-in-motion/shared/random';
import { readLives } from '../../agent/src/telemetry/read-lives.ts';
import { mostLives, type RecordedLife } from '../../agent/src/telemetry/recorded-life.ts';
import { looksAt } from '../../control-plane/bench/recorded-looks.ts';
import { isValidation, openTest } from '../../control-plane/src/learn/open-test.ts';
import { readChangePoints } from '../../control-plane/src/learn/read-recorded-drives.ts';
import { monthStarts } from '../../control-plane/src/learn/recorded-drive.ts';
import { shippedSettings } from '../../control-plane/src/learn/shipped-settings.ts';
import { evacuationEconomics } from '../../control-plane/src/what-if/evacuation-economics.ts';
import { storeKinds } from '../../control-plane/test/stores.ts';
import { KeptFleets, type LivedFleet } from './kept-fleets.ts';
import { openTestModels } from './open-test-models.ts';
import { drivesWithSigns, letAgentsTell, replayFleet } from './replay-drives.ts';
import { type ReplayFigures, replayFigures } from './replay-figures.ts';
import type { Told } from './replayed-agents.ts';

const recorded = path.resolve(import.meta.dirname, '../../../shared/data/hdd-backblaze-2013-2016');
const [drivesFile, eventsFile] = [path.join(recorded, 'dev_drives.csv.gz'), path.join(recorded, 'dev_events.csv.gz')];
const seed = 1;
const copiesOf = [1, 2, 3] as const;

const { values: given } = parseArgs({
  options: {
    drives: { type: 'string' },
    fleet: { type: 'string', default: '350' },
    fill: { type: 'string', default: '0.7' },
    only: { type: 'string' },
    anew: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const [fill, fleetSize] = [Number(given.fill), Number(given.fleet)];
const span = { fromDay: openTest.origins[0]!, untilDay: openTest.end };
const startedMs = performance.now();
const say = (text: string): void => console.error(`${((performance.now() - startedMs) / 1_000).toFixed(0).padStart(5)} s  ${text}`);

const drives = await readChangePoints(drivesFile, eventsFile);
const months = monthStarts(span.fromDay, span.untilDay);
const all = drives.filter((drive) => isValidation(drive) && months.some((day) => drive.firstDay <= day && drive.lastDay > day));
const tested = shuffled(all).slice(0, given.drives === undefined ? undefined : Number(given.drives));
say(`training the models of ${openTest.origins.length} origins`);
const judges = openTestModels(drives, seed);

const telling = new Map<number, Told[]>();
const lives: RecordedLife[] = [];
for (let from = 0; from < tested.length; from += mostLives) {
  const some = tested.slice(from, from + mostLives).map((drive) => drive.driveId);
  const told = await letAgentsTell(await readLives({ kind: 'change-points', drivesFile, eventsFile, firstDate: '2013-04-10' }, some), judges, span);
  const withSigns = drivesWithSigns(told);
  lives.push(...withSigns);
  for (const [day, all] of told) telling.set(day, [...(telling.get(day) ?? []), ...all.filter(({ life }) => withSigns.has(life))]);
  say(`agents of ${Math.min(tested.length, from + mostLives)} of ${tested.length} drives told; ${lives.length} drives gave a sign or died`);
}

const looks = looksAt(tested, months, () => 0);
const inTurn = shuffled(lives);
const stores = (storeKinds.find(({ kind }) => kind === 'postgres') ?? storeKinds[0]!).stores();
const fleets = new Map<number, LivedFleet[]>(copiesOf.map((copies) => [copies, []]));
const about = { seed, drives: tested.length, fleetSize, fill, span, settings: shippedSettings };
const kept = new KeptFleets(path.resolve(import.meta.dirname, 'results/replayed-fleets'), about);
let drivesLived = 0;
const looksLived = (): number => (looks.length * drivesLived) / inTurn.length;
for (let from = 0; from < inTurn.length; from += fleetSize) {
  if (given.only !== undefined && Number(given.only) * fleetSize !== from) continue;
  const some = inTurn.slice(from, from + fleetSize);
  const standsFor = tested.length / inTurn.length;
  const livedNow = await Promise.all(copiesOf.map(async (copies) => lived(some, from, { copies, fill, standsFor, ...span })));
  for (const [i, fleet] of livedNow.entries()) fleets.get(copiesOf[i]!)!.push(fleet);
  drivesLived += some.length;
  for (const copies of copiesOf)
    say(
      `fleets of ${drivesLived} of ${inTurn.length} drives lived, ${copies} copies: ${replayText(replayFigures(fleets.get(copies)!, looksLived(), span.untilDay))}`,
    );
}
await stores.stop();

const bytes = new Map(tested.map((drive) => [drive.driveId, Math.round(drive.capacityBytes * fill)]));
const figures = copiesOf.map((copies) => {
  const { of } = evacuationEconomics(looks, { copies, bytesOn: (driveId) => bytes.get(driveId)! });
  return { copies, never: of.never, anyOfFive: of['any-of-five'], replay: replayFigures(fleets.get(copies)!, looksLived(), span.untilDay) };
});
const used = process.cpuUsage();
say(`done; ${((used.user + used.system) / 1e6).toFixed(0)} s of processor time, ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB, without the database's`);
if (given.json) console.log(JSON.stringify(figures, null, 2));
else
  for (const { copies, never, anyOfFive, replay } of figures)
    console.log(
      `${copies} ${copies === 1 ? 'copy' : 'copies'}: ${replayText(replay)}; never act ${dollars(never.totalDollars)}, any of five ${dollars(anyOfFive.totalDollars)}`,
    );
console.log(`${tested.length} drives, ${looks.length} drive-months, ${tested.filter((drive) => drive.failed).length} failures in the recording`);
const broken = figures.flatMap(({ replay }) => replay.broken);
if (broken.length > 0) {
  console.log(`${broken.length} copies left while fewer than wanted stood, first: ${broken[0]}`);
  process.exitCode = 1;
} else console.log('no copy left while fewer than wanted stood verified');

/** The fleet with its first drive at that place, as it lived now or in an earlier run. */
async function lived(some: readonly RecordedLife[], from: number, options: Parameters<typeof replayFleet>[3]): Promise<LivedFleet> {
  const name = { from, copies: options.copies };
  const earlier = given.anew ? undefined : kept.read(name);
  if (earlier !== undefined) say(`fleet from drive ${from} on with ${options.copies} copies lived on ${earlier.livedAt}`);
  if (earlier !== undefined) return earlier.fleet;
  const fleet = await replayFleet(await stores.open(), some, telling, options);
  kept.keep(name, fleet);
  return fleet;
}

/** In an order of chance, the same for the same seed. */
function shuffled<T>(of: readonly T[]): T[] {
  const random = seededRandom(seed);
  const [rest, taken]: [T[], T[]] = [[...of], []];
  while (rest.length > 0) taken.push(...rest.splice(Math.floor(random.next() * rest.length), 1));
  return taken;
}

function replayText(one: ReplayFigures): string {
  const share = (count: number): string => `${count} (${((100 * count) / one.failures).toFixed(1)} %)`;
  return [
    `${one.failures} drives died, empty before ${share(one.emptyBefore)}, safe before ${share(one.safeBefore)}, ${one.lost} datasets lost`,
    `${one.evacuations} evacuations, ${one.falseEvacuations} of them false (${one.falsePer1000DriveMonths.toFixed(2)} per 1,000 drive-months)`,
    `cost ${dollars(one.totalDollars)} (deaths ${dollars(one.deathsDollars)}, moving ${dollars(one.movingDollars)}, elsewhere ${dollars(one.elsewhereDollars)})`,
    `${one.passes} passes`,
  ].join('; ');
}

function dollars(amount: number): string {
  return `$${Math.round(amount).toLocaleString('en-GB')}`;
}
