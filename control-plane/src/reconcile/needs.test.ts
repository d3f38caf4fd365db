import type { ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import type { ReplicaState } from '@data-in-motion/shared/domain/replica';
import { describe, expect, test } from 'vitest';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { datasetFacts, deviceFacts, fleetOf, jobFacts, nodeFacts, prices, replicaFacts, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { targetHealth } from '../health/target-health.ts';
import { fleetNeeds } from './needs.ts';
import { datasetPromotion } from './promotions.ts';

const targets = ['berlin-disk', 'berlin-nvme', 'paris-disk', 'rome-disk'].map((name) => targetFacts(name));
const needsOf = (datasets: readonly DatasetFacts[], more: Partial<Parameters<typeof fleetOf>[0]> = {}) =>
  fleetNeeds(fleetOf({ targets, datasets, ...more }), new Map());
const maps = (places: readonly string[], policy: Partial<Policy> = {}, more: Partial<DatasetFacts> = {}) => datasetFacts('maps', places, policy, more);
const inState = (dataset: DatasetFacts, place: number, state: ReplicaState): DatasetFacts => ({
  ...dataset,
  replicas: dataset.replicas.map((replica, at) => (at === place ? { ...replica, state } : replica)),
});

describe('copies', () => {
  test('a dataset with its copies at distinct sites needs nothing', () => {
    expect(needsOf([maps(['berlin-disk', 'paris-disk'])])).toEqual([]);
  });

  test('a dataset without a version needs nothing yet', () => {
    expect(needsOf([maps([], {}, { versionId: null })])).toEqual([]);
  });

  test('each missing copy is one need', () => {
    expect(needsOf([maps(['berlin-disk'], { copies: 3 })])).toMatchObject([
      { kind: 'add-copy', answer: 'add' },
      { kind: 'add-copy', answer: 'add' },
    ]);
  });

  test('a copy that a job is making is not asked for again', () => {
    const dataset = maps(['berlin-disk']);
    expect(needsOf([dataset], { jobs: [jobFacts(dataset, 'copy', { toTargetId: 'paris-disk' as TargetId })] })).toEqual([]);
  });

  test('while a move is in its grace both copies stand, and neither is surplus', () => {
    const dataset = maps(['rome-disk', 'berlin-disk', 'paris-disk']);
    const move = jobFacts(dataset, 'move', {
      state: 'grace',
      fromReplicaId: dataset.replicas[1]!.replicaId,
      toReplicaId: dataset.replicas[2]!.replicaId,
      toTargetId: 'paris-disk' as TargetId,
    });
    expect(needsOf([dataset], { jobs: [move] })).toEqual([]);
  });

  test('a surplus copy goes: never the primary, first where copies crowd, then the dearest', () => {
    expect(needsOf([maps(['berlin-disk', 'berlin-nvme', 'paris-disk'])])).toMatchObject([
      { kind: 'leave-forbidden-place', answer: 'drop', replicaId: 'maps@berlin-nvme' },
    ]);
    const dear = targets.map((target) => (target.targetId === 'rome-disk' ? { ...target, prices: prices(0.5) } : target));
    expect(needsOf([maps(['berlin-disk', 'paris-disk', 'rome-disk'])], { targets: dear })).toMatchObject([
      { kind: 'drop-copy', answer: 'drop', replicaId: 'maps@rome-disk' },
    ]);
    expect(needsOf([maps(['rome-disk', 'paris-disk'], { copies: 1 })], { targets: dear })).toMatchObject([{ replicaId: 'maps@paris-disk' }]);
  });

  test('a corrupt or missing copy is replaced first and let go only when enough verified ones stand', () => {
    for (const state of ['corrupt', 'missing'] as const) {
      expect(needsOf([inState(maps(['berlin-disk', 'paris-disk']), 1, state)])).toMatchObject([
        { kind: 'replace-bad-copy', answer: 'add', replicaId: 'maps@paris-disk' },
      ]);
      expect(needsOf([inState(maps(['berlin-disk', 'paris-disk', 'rome-disk']), 1, state)])).toMatchObject([
        { kind: 'replace-bad-copy', answer: 'drop', replicaId: 'maps@paris-disk' },
      ]);
    }
  });

  test('a copy of an older version goes once the current one has its copies, not before', () => {
    const old = replicaFacts('maps', 'rome-disk', { replicaId: 'old' as ReplicaId, versionId: 'maps-v0' as VersionId });
    const withOld = (dataset: DatasetFacts) => ({ ...dataset, replicas: [...dataset.replicas, old] });
    expect(needsOf([withOld(maps(['berlin-disk', 'paris-disk']))])).toMatchObject([{ kind: 'drop-stale-copy', answer: 'drop', replicaId: 'old' }]);
    expect(needsOf([withOld(maps(['berlin-disk']))]).map((need) => need.kind)).toEqual(['add-copy']);
  });

  test('a verified copy of a newer version, which its import has not switched to yet, stays', () => {
    const next = replicaFacts('maps', 'rome-disk', { replicaId: 'next' as ReplicaId, versionId: 'maps-v2' as VersionId });
    const dataset = maps(['berlin-disk', 'paris-disk']);
    expect(needsOf([{ ...dataset, replicas: [...dataset.replicas, next] }], { jobs: [jobFacts(dataset, 'import', { toReplicaId: next.replicaId })] })).toEqual(
      [],
    );
  });

  test('a copy that a job has just verified is not surplus before the job has ended', () => {
    const dataset = maps(['berlin-disk', 'paris-disk', 'rome-disk']);
    const job = jobFacts(dataset, 'copy', { state: 'verified', toReplicaId: dataset.replicas[2]!.replicaId, toTargetId: 'rome-disk' as TargetId });
    expect(needsOf([dataset], { jobs: [job] }).map((need) => need.replicaId)).not.toContain('maps@rome-disk');
  });
});

describe('places', () => {
  const risky = {
    targets: targets.map((target) => (target.targetId === 'berlin-disk' ? { ...target, deviceIds: [deviceFacts('sda').deviceId] } : target)),
    devices: [deviceFacts('sda', { level: 'failing' })],
  };

  test('a copy on a risky device leaves; it is one need, not a missing copy beside it', () => {
    expect(needsOf([maps(['berlin-disk', 'paris-disk'])], risky)).toMatchObject([
      { kind: 'evacuate-device', answer: 'leave', deviceId: 'sda', replicaId: 'maps@berlin-disk' },
    ]);
  });

  test('a copy on a risky device that is not wanted any more simply goes', () => {
    expect(needsOf([maps(['rome-disk', 'paris-disk', 'berlin-disk'])], risky)).toMatchObject([
      { kind: 'evacuate-device', answer: 'drop', replicaId: 'maps@berlin-disk' },
    ]);
  });

  test('copies of a lost node are missing; when it is back and they are verified, the surplus goes', () => {
    const lost = { nodes: [nodeFacts('paris', { agentState: 'lost' })] };
    expect(needsOf([maps(['berlin-disk', 'paris-disk'])], lost)).toMatchObject([{ kind: 'add-copy' }]);
    expect(needsOf([maps(['berlin-disk', 'paris-disk', 'rome-disk'])], lost)).toEqual([]);
    expect(needsOf([maps(['berlin-disk', 'paris-disk', 'rome-disk'])])).toMatchObject([{ kind: 'drop-copy' }]);
  });

  test('every rule of a policy that a copy breaks is a need that names it', () => {
    const of = (policy: Partial<Policy>, more: Partial<(typeof targets)[number]> = {}) =>
      needsOf([maps(['berlin-disk', 'paris-disk'], policy)], {
        targets: targets.map((target) => (target.targetId === 'berlin-disk' ? { ...target, ...more } : target)),
      });
    expect(of({ regions: ['eu'] }, { region: 'us' })).toMatchObject([
      { kind: 'leave-forbidden-place', rules: ['region'], answer: 'leave', replicaId: 'maps@berlin-disk' },
    ]);
    expect(of({ encryptionRequired: true }, { encryptedAtRest: false })).toMatchObject([{ rules: ['encryption'] }]);
    expect(of({ forbiddenTargets: ['berlin-disk' as TargetId] })).toMatchObject([{ rules: ['forbidden-target'] }]);
    expect(of({ maxCostPerGbMonth: 0.05 }, { prices: prices(0.1) })).toMatchObject([{ rules: ['max-cost'] }]);
    const slow = targets.map((target) => ({ ...target, latencyP95Ms: 30 }));
    expect(needsOf([maps(['berlin-disk', 'paris-disk'], { latencySloMs: 20 })], { targets: slow })).toMatchObject([
      { rules: ['latency-slo'], replicaId: 'maps@berlin-disk' },
    ]);
    expect(of({ latencySloMs: 20 }, { latencyP95Ms: null })).toEqual([]);
    expect(of({ pinnedTargets: ['berlin-nvme' as TargetId] })).toMatchObject([{ rules: ['pinned-targets'], replicaId: 'maps@paris-disk' }]);
    expect(of({})).toEqual([]);
  });

  test('copies at one site are spread', () => {
    expect(needsOf([maps(['berlin-disk', 'berlin-nvme'])])).toMatchObject([
      { kind: 'leave-forbidden-place', rules: ['spread'], answer: 'leave', replicaId: 'maps@berlin-nvme' },
    ]);
    expect(needsOf([maps(['berlin-disk', 'berlin-nvme'], { spread: 'target' })])).toEqual([]);
  });

  test('nothing leaves a frozen target', () => {
    expect(
      needsOf([maps(['berlin-disk', 'paris-disk'], { regions: ['us'] })], { targets: targets.map((target) => ({ ...target, state: 'frozen' as const })) }),
    ).toEqual([]);
  });
});

describe('copies of another version', () => {
  const other = (versionId: string): DatasetFacts => {
    const dataset = maps(['berlin-disk', 'paris-disk']);
    return { ...dataset, replicas: [...dataset.replicas, replicaFacts('maps', 'rome-disk', { versionId: versionId as VersionId })] };
  };
  test.each([
    ['an older one', 'maps-v0'],
    ['one that was never switched to', 'maps-v2'],
  ])('leave when the wanted copies stand: %s', (_, versionId) => {
    expect(needsOf([other(versionId)])).toMatchObject([{ kind: 'drop-stale-copy', replicaId: 'maps@rome-disk' }]);
  });

  test('stay while an import makes them, and while files are missing from the present version', () => {
    const making = other('maps-v2');
    expect(needsOf([making], { jobs: [jobFacts(making, 'import', { toReplicaId: 'maps@rome-disk' as ReplicaId })] })).toEqual([]);
    expect(needsOf([{ ...other('maps-v0'), unreadable: 3 }])).toEqual([]);
  });
});

describe('promotion', () => {
  const of = (dataset: DatasetFacts, more: Partial<Parameters<typeof fleetOf>[0]> = {}): FleetSnapshot => fleetOf({ targets, datasets: [dataset], ...more });
  const promotions = (fleet: FleetSnapshot) => datasetPromotion(fleet, fleet.datasets[0]!, targetHealth(fleet));

  test('when the primary is lost the fastest verified copy takes its place', () => {
    const fast = targets.map((target) => (target.targetId === 'rome-disk' ? { ...target, latencyP95Ms: 1 } : target));
    expect(
      promotions(of(maps(['berlin-disk', 'paris-disk', 'rome-disk']), { targets: fast, nodes: [nodeFacts('berlin', { agentState: 'lost' })] })),
    ).toMatchObject([{ toReplicaId: 'maps@rome-disk', expectedPointerRev: 1 }]);
  });

  test('a primary that is slower than promised gives way to a copy that is fast enough, and then needs no move', () => {
    const slow = targets.map((target) => (target.targetId === 'berlin-disk' ? { ...target, latencyP95Ms: 30 } : target));
    const dataset = maps(['berlin-disk', 'paris-disk'], { latencySloMs: 20 });
    expect(promotions(of(dataset, { targets: slow }))).toMatchObject([{ toReplicaId: 'maps@paris-disk', reason: expect.stringContaining('20 ms') }]);
    expect(needsOf([dataset], { targets: slow })).toEqual([]);
    const unmeasured = slow.map((target) => (target.targetId === 'paris-disk' ? { ...target, latencyP95Ms: null } : target));
    expect(promotions(of(dataset, { targets: unmeasured }))).toEqual([]);
  });

  test('a primary that can be read stays, and without another verified copy nothing is promoted', () => {
    expect(promotions(of(maps(['berlin-disk', 'paris-disk'])))).toEqual([]);
    expect(promotions(of(maps(['berlin-disk', 'paris-disk']), { nodes: [nodeFacts('berlin', { agentState: 'late' })] }))).toEqual([]);
    expect(promotions(of(inState(maps(['berlin-disk']), 0, 'corrupt')))).toEqual([]);
  });
});
