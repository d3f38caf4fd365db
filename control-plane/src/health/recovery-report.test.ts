import type { DeviceId, NodeId, ReplicaId, SiteId, VersionId } from '@data-in-motion/shared/domain/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { datasetFacts, deviceFacts, fleetOf, nodeFacts, nowMs, replicaFacts, targetFacts } from '../fleet/testdata/small-fleet.ts';
import { backupPlan, outcomeOf, recoveryReport } from './recovery-report.ts';

const hourMs = 3_600_000;
const drive = (name: string) => name as DeviceId;
const on = (name: string, more: Parameters<typeof targetFacts>[1] = {}) => targetFacts(name, { deviceIds: [drive(`${name}-drive`)], ...more });
const targets = [on('berlin-a'), on('berlin-b', { readBytesPerSec: 10e6 }), on('paris-a', { readBytesPerSec: 20e6 })];
const dies = { kind: 'device', id: drive('berlin-a-drive') } as const;
const made = { versionMadeAtMs: nowMs - 5 * hourMs };

describe('when a device, a node or a site dies', () => {
  const films = datasetFacts('films', ['berlin-a', 'berlin-b', 'paris-a'], {}, made);
  const fleet = fleetOf({ targets, datasets: [films] });

  test('what stays is the version that readers have, from the fastest place that is left', () => {
    expect(outcomeOf(fleet, films, dies)).toMatchObject({
      copiesLeft: 2,
      readersGoOn: false,
      versionId: 'films-v1',
      pointAtMs: made.versionMadeAtMs,
      behindMs: 0,
      bestTargetId: 'paris-a',
      restoreMs: 500_000,
    });
    expect(outcomeOf(fleet, films, { kind: 'node', id: 'berlin' as NodeId })).toMatchObject({ copiesLeft: 1, bestTargetId: 'paris-a' });
    expect(outcomeOf(fleet, films, { kind: 'site', id: 'paris' as SiteId })).toMatchObject({
      copiesLeft: 2,
      readersGoOn: true,
      bestTargetId: 'berlin-a',
      restoreMs: 100_000,
    });
  });

  test('the only copy is lost with its place: there is no point and no time', () => {
    const only = datasetFacts('films', ['berlin-a'], {}, made);
    const alone = fleetOf({ targets, datasets: [only] });
    expect(outcomeOf(alone, only, dies)).toMatchObject({ copiesLeft: 0, versionId: null, pointAtMs: null, behindMs: null, restoreMs: null });
    expect(recoveryReport(alone).disasters).toMatchObject([
      { kind: 'device', id: 'berlin-a-drive', lost: 1, lostBytes: 10e9 },
      { kind: 'node', id: 'berlin', lost: 1 },
      { kind: 'site', id: 'berlin', lost: 1 },
    ]);
  });

  test('where only an older version stays, it goes back to that', () => {
    const old = replicaFacts('films', 'paris-a', { replicaId: 'old' as ReplicaId, versionId: 'films-v0' as VersionId, createdAtMs: nowMs - 29 * hourMs });
    const one = datasetFacts('films', ['berlin-a'], {}, made);
    const otherVersions = [{ versionId: old.versionId, objects: 10, sizeBytes: 2e9 }];
    const set = { ...one, replicas: [...one.replicas, old], otherVersions };
    const back = fleetOf({ targets, datasets: [set] });
    expect(outcomeOf(back, set, dies)).toMatchObject({
      copiesLeft: 0,
      versionId: 'films-v0',
      behindMs: 24 * hourMs,
      bestTargetId: 'paris-a',
      restoreMs: 100_000,
    });
    expect(recoveryReport(back).disasters.find((one) => one.kind === 'device' && one.id === 'berlin-a-drive')).toMatchObject({ lost: 0, setBack: 1, short: 1 });
  });

  test('what was not read back, or is out of reach, is not relied on', () => {
    const doubted = { ...films, replicas: films.replicas.map((replica, place) => (place === 2 ? { ...replica, state: 'suspect' as const } : replica)) };
    expect(outcomeOf(fleetOf({ targets, datasets: [doubted] }), doubted, { kind: 'site', id: 'berlin' as SiteId })).toMatchObject({
      copiesLeft: 0,
      versionId: null,
    });
    const away = fleetOf({ targets, datasets: [films], nodes: [nodeFacts('paris', { agentState: 'lost' })] });
    expect(outcomeOf(away, films, { kind: 'site', id: 'berlin' as SiteId })).toMatchObject({ copiesLeft: 0 });
  });

  test('a dataset is told with its worst device, node and site', () => {
    expect(recoveryReport(fleet).datasets[0]!.worst.map(({ kind, id, copiesLeft }) => [kind, id, copiesLeft])).toEqual([
      ['device', 'berlin-a-drive', 2],
      ['node', 'berlin', 1],
      ['site', 'berlin', 1],
    ]);
  });
});

test('the backup plan says what is left, from where and how soon, or that nothing is', () => {
  const films = datasetFacts('films', ['berlin-a', 'paris-a'], {}, made);
  expect(backupPlan(fleetOf({ targets, datasets: [films] }), films, dies.id)).toBe(
    'if berlin-a-drive dies before, one verified copy stays and nothing is lost of the version made 2026-01-15 07:00 UTC: go on from paris-a, all of it can be read there in about 8 minutes',
  );
  const only = datasetFacts('films', ['berlin-a'], {}, made);
  expect(backupPlan(fleetOf({ targets, datasets: [only] }), only, dies.id)).toContain('nothing of films is left');
});

test('a larger disaster never leaves more, and each dataset with a verified copy is told', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const fleet = randomFleet(seed, { targets: 8, datasets: 8, sites: 4, room: 4, trouble: 0.3 });
      const report = recoveryReport(fleet);
      for (const { worst } of report.datasets) {
        const left = worst.map((outcome) => outcome.copiesLeft);
        expect(left).toEqual([...left].sort((a, b) => b - a));
      }
      for (const one of report.disasters) expect(one.lost + one.setBack).toBeLessThanOrEqual(one.datasets);
    }),
    { numRuns: 300 },
  );
});

test('devices that hold nothing are no disaster', () => {
  expect(recoveryReport(fleetOf({ targets, devices: [deviceFacts('berlin-a-drive')] })).disasters).toEqual([]);
});
