import { findingSeverities } from '@data-in-motion/shared/api/datasets';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import { pick, randomInt, seededRandom } from '@data-in-motion/shared/random';
import { expect, test } from 'vitest';
import { defaultDecisionSettings } from '../../fleet/decision-settings.ts';
import { notePlaces } from '../../fleet/lookup.ts';
import type { FleetSnapshot } from '../../fleet/snapshot.ts';
import { randomFleet } from '../../fleet/testdata/random-fleet.ts';
import { targetHealth } from '../../health/target-health.ts';
import { classifyHeat } from '../../heat/classify-heat.ts';
import { remedyOf } from '../../placement/remedy.ts';
import { policyFindings } from '../../policy/findings.ts';
import type { FleetRows } from '../fleet-rows.ts';
import { makeAgain } from '../per-look.ts';
import { impossible } from './dataset-views.ts';
import { explainsFrom } from './explanation-view.ts';
import { findingsView } from './findings-view.ts';
import { fleetFindings } from './fleet-findings.ts';

const seed = 11;
const random = seededRandom(seed);
const decisions = defaultDecisionSettings;

function changed<Item>(items: readonly Item[], change: (item: Item) => Item): Item[] {
  const at = randomInt(random, 0, items.length);
  return items.map((item, i) => (i === at ? change(item) : item));
}

const changes: ((fleet: FleetSnapshot) => FleetSnapshot)[] = [
  (fleet) => ({ ...fleet, datasets: changed(fleet.datasets, (one) => ({ ...one, policy: { ...one.policy, copies: randomInt(random, 1, 4) } })) }),
  (fleet) => ({ ...fleet, datasets: changed(fleet.datasets, (one) => ({ ...one, replicas: one.replicas.slice(1) })) }),
  (fleet) => ({ ...fleet, datasets: fleet.datasets.filter((_, at) => at !== 3) }),
  (fleet) => ({ ...fleet, targets: changed(fleet.targets, (one) => ({ ...one, region: pick(random, ['eu', 'us']), latencyP95Ms: randomInt(random, 1, 90) })) }),
  (fleet) => ({ ...fleet, targets: changed(fleet.targets, (one) => ({ ...one, encryptedAtRest: !one.encryptedAtRest })) }),
  (fleet) => ({ ...fleet, targets: changed(fleet.targets, (one) => ({ ...one, usedBytes: one.usedBytes + 1e9 })) }),
  (fleet) => ({ ...fleet, devices: changed(fleet.devices, (one) => ({ ...one, level: pick(random, ['healthy', 'failing'] as const) })) }),
  (fleet) => ({ ...fleet, devices: changed(fleet.devices, (one) => ({ ...one, levelSinceMs: randomInt(random, 1, 1e9) })) }),
  (fleet) => ({ ...fleet, nodes: changed(fleet.nodes, (one) => ({ ...one, agentState: pick(random, ['online', 'lost'] as const) })) }),
  (fleet) => ({ ...fleet, nodes: changed(fleet.nodes, (one) => ({ ...one, lastHeardAtMs: randomInt(random, 1, 1e9) })) }),
];

/** The rows of a look as far as findings read them, some datasets impossible and some at work. */
function rowsOf(given: FleetSnapshot): FleetRows {
  const snapshot = { ...given, datasets: [...given.datasets].sort((a, b) => (a.datasetId < b.datasetId ? -1 : 1)) };
  const datasetsAt = new Map(snapshot.datasets.map(({ datasetId }, at) => [datasetId, at]));
  notePlaces(snapshot.datasets, datasetsAt);
  const some = (): DatasetId[] => snapshot.datasets.filter(() => random.next() < 0.1).map(({ datasetId }) => datasetId);
  const rows: Partial<FleetRows> = {
    asOfMs: snapshot.takenAtMs,
    snapshot,
    datasetsAt,
    health: targetHealth(snapshot),
    heats: new Map(snapshot.datasets.map((facts) => [facts.datasetId, classifyHeat(facts, snapshot.takenAtMs, decisions.heat)])),
    infeasible: new Map(some().map((datasetId) => [datasetId, { datasetId, rules: ['spread'], cheapestWayOut: `a site for ${datasetId}` }])),
    infeasibleSinceMs: new Map(),
    activeJobs: some().map((datasetId) => ({ datasetId })) as unknown as FleetRows['activeJobs'],
  };
  return rows as FleetRows;
}

/** All findings with their remedies, without anything that is kept. */
function found(rows: FleetRows) {
  const context = explainsFrom({ ...rows }, decisions);
  return rows.snapshot.datasets
    .flatMap((facts) =>
      [...impossible(rows, facts.datasetId), ...policyFindings(rows.snapshot, facts, rows.health, (leaving) => remedyOf(context, facts, leaving))].map(
        (finding, at) => ({
          place: `${findingSeverities.indexOf(finding.severity)} ${facts.datasetId} ${String(at).padStart(3, '0')}`,
          row: {
            ...finding,
            ...{ datasetId: facts.datasetId, owner: facts.owner, sizeBytes: facts.sizeBytes, mode: facts.policy.mode },
            working: rows.activeJobs.some(({ datasetId }) => datasetId === facts.datasetId),
          },
        }),
      ),
    )
    .sort((a, b) => (a.place < b.place ? -1 : 1));
}

test('what is made from the look before says what all datasets say when asked anew, whatever changes in between', async () => {
  let fleet = randomFleet(seed, { targets: 9, datasets: 60, sites: 4, room: 4, trouble: 0.3 });
  let before = rowsOf(fleet);
  for (let n = 0; n < 60; n++) {
    const limit = randomInt(random, 1, 40);
    const whole = found(before);
    const page = await findingsView(before, { limit }, decisions);
    expect(page.items, `seed ${seed}, step ${n}`).toEqual(whole.slice(0, limit).map(({ row }) => row));
    expect(page.next).toBe(whole.length > limit ? whole[limit - 1]!.place : null);
    expect(page.datasets).toBe(new Set(whole.map(({ row }) => row.datasetId)).size);
    expect(Object.values(page.byRule).reduce((sum, count) => sum + count, 0)).toBe(whole.length);
    for (const severity of findingSeverities) expect(page.bySeverity[severity]).toBe(whole.filter(({ row }) => row.severity === severity).length);
    if (page.next !== null) {
      const rest = await findingsView(before, { limit: 1_000, before: page.next }, decisions);
      expect(rest.items).toEqual(whole.slice(limit).map(({ row }) => row));
    }
    for (let times = randomInt(random, 0, 3); times > 0; times--) fleet = pick(random, changes)(fleet);
    const rows = rowsOf(fleet);
    await makeAgain(before, rows);
    before = rows;
  }
});

test('of a fleet in which nothing changed no dataset is asked about again', async () => {
  const fleet = randomFleet(seed, { targets: 9, datasets: 60, sites: 4, room: 4, trouble: 0.3 });
  const [before, rows] = [rowsOf(fleet), rowsOf(fleet)];
  const first = await fleetFindings(before);
  await makeAgain(before, rows);
  const again = await fleetFindings(rows);
  expect(again.kept.found.every((one, at) => one === first.kept.found[at])).toBe(true);
});
