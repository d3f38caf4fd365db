import { defaultDecisionSettings as settings } from '../src/fleet/decision-settings.ts';
import { fleetHeats } from '../src/heat/classify-heat.ts';
import { admitPlan } from '../src/jobs/admit.ts';
import { placeFleet } from '../src/placement/place-fleet.ts';
import { fleetNeeds } from '../src/reconcile/needs.ts';
import { madeUpFleet } from './fleet-snapshot.ts';

const [n, t] = process.argv.slice(2).map(Number);
const s = madeUpFleet(n!, t!, 3);
let c = process.cpuUsage(),
  w = performance.now();
const lap = (x: string) => {
  const u = process.cpuUsage(c);
  console.log(
    x.padEnd(10),
    ((u.user + u.system) / 1e6).toFixed(2),
    'CPU s',
    ((performance.now() - w) / 1000).toFixed(2),
    's',
    (process.memoryUsage().rss / 1e6).toFixed(0),
    'MB',
  );
  c = process.cpuUsage();
  w = performance.now();
};
const heats = fleetHeats(s, settings.heat);
lap('heats');
const needs = fleetNeeds(s, heats);
lap(`needs ${needs.length}`);
const plan = await placeFleet(s, needs, heats, { ...settings.placement, timeLimitMs: 600000 });
lap('place');
console.log(
  plan.solver,
  plan.solvedInMs,
  plan.objectivePerMonth,
  plan.lowerBoundPerMonth,
  'gap%',
  100 * (1 - plan.lowerBoundPerMonth / plan.objectivePerMonth),
  'moves',
  plan.moves.length,
  'later',
  JSON.stringify(plan.leftForLater),
  plan.gap,
  'inf',
  plan.infeasible.length,
  'cost',
  plan.costBeforePerMonth,
  plan.costAfterPerMonth,
  plan.full.slice(0, 3),
);
admitPlan(s, plan, settings.limits);
lap('admit');
