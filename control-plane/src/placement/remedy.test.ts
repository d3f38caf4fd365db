import type { DatasetId, TargetId } from '@data-in-motion/shared/domain/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultDecisionSettings as settings } from '../fleet/decision-settings.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { datasetFacts, fleetOf, prices, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { datasetNeeds, fleetNeeds } from '../reconcile/needs.ts';
import type { AskContext } from './asks.ts';
import { placeExact } from './place-exact.ts';
import { remedyOf } from './remedy.ts';

const exact = { ...settings.placement, gap: 0 };
const contextOf = (snapshot: FleetSnapshot): AskContext => ({
  snapshot,
  health: targetHealth(snapshot),
  heats: fleetHeats(snapshot, settings.heat),
  settings: exact,
  evacuation: settings.evacuation,
});

/** What helps the copy on a place, or the missing one. */
function remedy(dataset: DatasetFacts, targets: FleetSnapshot['targets'], on: string | null): string | null {
  const leaving = dataset.replicas.find((replica) => replica.targetId === on) ?? null;
  return remedyOf(contextOf(fleetOf({ targets, datasets: [dataset] })), dataset, leaving);
}

const targets = [
  targetFacts('berlin-disk'),
  targetFacts('paris-disk', { prices: prices(0.05) }),
  targetFacts('rome-disk', { prices: prices(0.03) }),
  targetFacts('boston-disk', { region: 'us', prices: prices(0.02, { egressPerGb: 0.09 }) }),
];

describe('what helps', () => {
  test('is the place with the least of all costs, and says what the way there costs once', () => {
    const dataset = datasetFacts('maps', ['berlin-disk', 'boston-disk'], { regions: ['eu'] });
    // 10 GB that leave Boston at $0.09; where another copy can be read for nothing, they do not.
    expect(remedy(datasetFacts('maps', ['boston-disk'], { regions: ['eu'] }), [targets[2]!, targets[3]!], 'boston-disk')).toBe(
      'put a copy on rome-disk ($0.03 per GB and month, $0.90 once for the way there); the next plan does it',
    );
    expect(remedy(dataset, targets, 'boston-disk')).toBe(
      'put a copy on rome-disk ($0.03 per GB and month, $0.00 once for the way there); the next plan does it',
    );
    expect(remedy({ ...dataset, policy: { ...dataset.policy, mode: 'advisory' } }, targets, 'boston-disk')).toContain('; apply the plan');
    // What is stored cheaper, but costs more to write to than that saves within the horizon, is not it.
    const dearWrites = [...targets, targetFacts('oslo-archive', { prices: prices(0.029, { writesPer1000: 5 }) })];
    expect(remedy(dataset, dearWrites, 'boston-disk')).toContain('put a copy on rome-disk');
  });

  test('a primary that must leave is sent to no site that has another copy, and may stay at its own', () => {
    const more = [...targets, targetFacts('berlin-nvme', { prices: prices(0.06) }), targetFacts('rome-archive', { prices: prices(0.001) })];
    const dataset = datasetFacts('maps', ['berlin-disk', 'rome-disk'], {
      forbiddenTargets: ['berlin-disk' as TargetId, 'paris-disk' as TargetId],
      regions: ['eu'],
    });
    expect(remedy(dataset, more, 'berlin-disk')).toContain('put a copy on berlin-nvme');
  });

  test('where no place is left nothing does', () => {
    expect(remedy(datasetFacts('maps', ['berlin-disk'], { regions: ['mars'] }), targets, 'berlin-disk')).toBeNull();
    expect(remedy(datasetFacts('maps', ['berlin-disk'], { regions: ['mars'] }), targets, null)).toBeNull();
  });

  test('of a dataset with one need it is what a plan for that dataset does', async () => {
    const looked = { copies: 0, missing: 0, nowhere: 0 };
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom(1, 4), async (seed, room) => {
        const snapshot: FleetSnapshot = { ...randomFleet(seed, { targets: 8, datasets: 6, sites: 4, room, trouble: 0.3 }), jobs: [] };
        const context = contextOf(snapshot);
        for (const dataset of snapshot.datasets) {
          const [need, second] = datasetNeeds(snapshot, dataset, context.health).filter(({ answer }) => answer !== 'drop');
          if (need === undefined || second !== undefined) continue;
          const leaving = need.answer === 'leave' ? dataset.replicas.find((replica) => replica.replicaId === need.replicaId)! : null;
          const helps = remedyOf(context, dataset, leaving);
          const only = new Set<DatasetId>([dataset.datasetId]);
          const plan = await placeExact(snapshot, fleetNeeds(snapshot, context.heats), context.heats, exact, settings, only);
          const move = plan.moves.find(({ action, fromReplicaId }) =>
            leaving === null ? action === 'copy' : action === 'move' && fromReplicaId === leaving.replicaId,
          );
          if (move === undefined && helps !== null && !helps.startsWith('put a copy on')) continue;
          const said = helps === null ? null : /^put a copy on (\S+) /.exec(helps)![1];
          expect(said).toBe(move?.toTargetId ?? null);
          if (move === undefined) looked.nowhere++;
          else if (leaving === null) looked.missing++;
          else looked.copies++;
        }
      }),
      { numRuns: 60 },
    );
    expect(Math.min(looked.copies, looked.missing, looked.nowhere)).toBeGreaterThan(5);
  });
});
