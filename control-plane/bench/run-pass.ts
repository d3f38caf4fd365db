/**
 * One start of a control plane's loop on a filled database, in a process of its own: a pass that makes a plan, stage by stage, as the loop runs it, then one
 * that follows it when a hundredth of the datasets was used. Prints what it measured as JSON.
 *
 *     node control-plane/bench/run-pass.ts DATABASE_URL
 */
import type { PlanId } from '@data-in-motion/shared/domain/ids';
import { systemRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { type Picture, picture, planTrigger, promoteCopies, storeHeats } from '../src/control-loop/decide.ts';
import { KeptNeeds } from '../src/control-loop/kept-needs.ts';
import { defaultLoopSettings, type LeaderWrite } from '../src/control-loop/parts.ts';
import { solverThread } from '../src/control-loop/solve-in-thread.ts';
import type { FleetSnapshot } from '../src/fleet/snapshot.ts';
import { targetHealth } from '../src/health/target-health.ts';
import { admitPlan } from '../src/jobs/admit.ts';
import { planBasisOf } from '../src/placement/plan-basis.ts';
import { storeAccesses } from '../src/store/accesses.ts';
import { openStore, type Store } from '../src/store/database.ts';
import { loadSnapshot } from '../src/store/load-snapshot.ts';
import { planViewOf, savePlan } from '../src/store/plans.ts';
import { keepShadowPrices } from '../src/store/shadow-prices.ts';
import { type HeldUp, peakMb, watchHoldUps } from './hold-ups.ts';

export interface Stage {
  readonly stage: string;
  readonly sec: number;
  readonly cpuSec: number;
  readonly heldUp: HeldUp;
  readonly peakMb: number;
}

/** What a start prints. */
export interface Started {
  readonly stages: readonly Stage[];
  readonly needs: number;
  readonly moves: number;
  readonly solvedInMs: number;
  readonly gap: number;
  /** Whether the plan began with prices of one before. */
  readonly hadPrices: boolean;
}

const { decisions } = defaultLoopSettings;
const stages: Stage[] = [];

async function measure<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
  const heldUp = await watchHoldUps();
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  const result = await work();
  const sec = (performance.now() - beganMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  stages.push({ stage, sec, cpuSec: (user + system) / 1e6, heldUp: await heldUp(), peakMb: peakMb() });
  return result;
}

export const placing = 'place (thread), store heats';
export const following = 'then: ';

if (import.meta.main) console.log(JSON.stringify(await start(process.argv[2]!)));

/** The stages of a pass that makes a plan, as the control loop runs them, then those of the next, before which some datasets were used. */
async function start(databaseUrl: string): Promise<Started> {
  const store = await openStore({ databaseUrl, directory: '' });
  const thread = solverThread(decisions);
  const needs = new KeptNeeds();
  const leads: LeaderWrite = (work) => store.transaction(async (tx) => work(tx, await store.nowMs(tx)));
  const look = async (name: string): Promise<Picture> => {
    const snapshot = await measure(`${name}snapshot`, () => loadSnapshot(store));
    if (name === '') await measure('datasets to the thread', () => thread.prepare(snapshot));
    const seen = await measure(`${name}heats and needs`, () => picture(snapshot, { settings: defaultLoopSettings }, needs));
    await measure(`${name}promotions`, () => promoteCopies(leads, snapshot));
    await measure(`${name}what the plan depends on`, () => planTrigger(seen));
    return seen;
  };
  void thread.prepare();
  const seen = await look('');
  const { snapshot, needs: needed, heats } = seen;
  // Beside it the loop stores what it found of heat, and its next pass looks at the fleet again.
  const beside = async (): Promise<void> => {
    await storeHeats(leads, seen, decisions.heat);
    await loadSnapshot(store);
  };
  const [made] = await measure(placing, () => Promise.all([thread.solve(snapshot, needed, heats, null), beside()]));
  const fresh = await measure('snapshot again', () => loadSnapshot(store));
  const basis = planBasisOf(snapshot, heats, made.moves, decisions);
  const admissions = await measure('admit', () => admitPlan(fresh, made, decisions.limits, decisions));
  await measure('save the plan', () =>
    leads((tx, nowMs) =>
      savePlan(tx, planViewOf(ulid(made.madeAtMs, systemRandom) as PlanId, made, admissions, new Map(), 'current', null), { basis, heldUntilMs: 0 }, nowMs),
    ),
  );
  await leads((tx) => keepShadowPrices(tx, made.shadowPrices));
  // The heats that were written made every dataset another.
  await needs.of(fresh, targetHealth(fresh, decisions));
  await useSome(store, leads, fresh);
  const next = await look(following);
  await measure(`${following}store heats`, () => storeHeats(leads, next, decisions.heat));
  await thread.stop();
  await store.close();
  const { moves, solvedInMs, gap } = made;
  return { stages, needs: needed.length, moves: moves.length, solvedInMs, gap, hadPrices: snapshot.shadowPrices.length > 0 };
}

/** One in a hundred. */
async function useSome(store: Store, leads: LeaderWrite, { datasets }: FleetSnapshot): Promise<void> {
  const atMs = await store.nowMs();
  const used = datasets.filter((_, at) => at % 100 === 0);
  await leads((tx) =>
    storeAccesses(
      tx,
      atMs,
      used.map(({ datasetId }) => ({
        accessId: `pass ${process.pid} ${datasetId}`,
        datasetId,
        kind: 'read',
        count: 2,
        bytes: 1e6,
        atMs,
        latencyMs: null,
        source: 'bus',
      })),
    ),
  );
}
