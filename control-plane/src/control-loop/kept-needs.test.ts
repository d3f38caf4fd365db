import { pick, randomInt, seededRandom } from '@data-in-motion/shared/random';
import { expect, test } from 'vitest';
import type { DatasetFacts, FleetSnapshot, JobFacts, TargetFacts } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import { datasetNeeds } from '../reconcile/needs.ts';
import { KeptNeeds } from './kept-needs.ts';

const seed = 7;
const random = seededRandom(seed);

function changed<Item>(items: readonly Item[], change: (item: Item) => Item): Item[] {
  const at = randomInt(random, 0, items.length - 1);
  return items.map((item, i) => (i === at ? change(item) : item));
}

const jobFor = ({ datasetId, replicas }: DatasetFacts, { targetId, nodeId }: TargetFacts, n: number): JobFacts => ({
  ...{ jobId: `job-${n}` as JobFacts['jobId'], key: `key-${n}`, datasetId, purpose: 'copy', state: 'copying', fromReplicaId: null, fromTargetId: null },
  ...{ toReplicaId: null, toTargetId: targetId, moverNodeId: nodeId, sourceNodeId: replicas.length === 0 ? null : nodeId, sizeBytes: 1 },
});

const changes: ((fleet: FleetSnapshot, n: number) => FleetSnapshot)[] = [
  (fleet) => ({ ...fleet, datasets: changed(fleet.datasets, (one) => ({ ...one, policy: { ...one.policy, copies: randomInt(random, 1, 3) } })) }),
  (fleet) => ({ ...fleet, datasets: changed(fleet.datasets, (one) => ({ ...one, replicas: one.replicas.slice(1) })) }),
  (fleet) => ({ ...fleet, targets: changed(fleet.targets, (one) => ({ ...one, state: one.state === 'ok' ? ('draining' as const) : ('ok' as const) })) }),
  (fleet) => ({ ...fleet, targets: changed(fleet.targets, (one) => ({ ...one, region: pick(random, ['eu', 'us']), latencyP95Ms: randomInt(random, 1, 90) })) }),
  (fleet) => ({ ...fleet, targets: changed(fleet.targets, (one) => ({ ...one, usedBytes: one.usedBytes + 1 })) }),
  (fleet) => ({
    ...fleet,
    nodes: changed(fleet.nodes, (one) => ({ ...one, agentState: one.agentState === 'lost' ? ('online' as const) : ('lost' as const) })),
  }),
  (fleet, n) => ({ ...fleet, jobs: [...fleet.jobs, jobFor(pick(random, fleet.datasets), pick(random, fleet.targets), n)] }),
  (fleet) => ({ ...fleet, jobs: fleet.jobs.slice(1) }),
  (fleet) => ({ ...fleet, datasets: fleet.datasets.filter((_, at) => at !== 3) }),
];

test('what is kept of needs is what would be asked for anew, whatever changes in between', async () => {
  let fleet = randomFleet(seed, { targets: 9, datasets: 60, sites: 4, room: 4, trouble: 0.3 });
  const kept = new KeptNeeds();
  for (let n = 0; n < 150; n++) {
    for (let times = randomInt(random, 1, 2); times > 0; times--) fleet = pick(random, changes)(fleet, n);
    const health = targetHealth(fleet);
    expect(await kept.of(fleet, health), `seed ${seed}, step ${n}`).toEqual(fleet.datasets.flatMap((dataset) => datasetNeeds(fleet, dataset, health)));
  }
});

test('of a fleet in which one place changed only the datasets there are asked about', async () => {
  const fleet = randomFleet(seed, { targets: 9, datasets: 60, sites: 4, room: 4, trouble: 0 });
  const still = { ...fleet, jobs: [] };
  const kept = new KeptNeeds();
  const needs = await kept.of(still, targetHealth(still));
  const again = await kept.of(still, targetHealth(still));
  expect(again.every((need, at) => need === needs[at])).toBe(true);
});
