import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultDecisionSettings } from '../fleet/decision-settings.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { randomFleet } from '../fleet/testdata/random-fleet.ts';
import { changedEvacuations, deviceEvacuations } from './evacuations.ts';
import { targetHealth } from './target-health.ts';

const troubled = fc.record({ seed: fc.integer(), trouble: fc.constantFrom(0.1, 0.3, 0.6, 1), targets: fc.constantFrom(4, 12, 40) });
const fleetFrom = ({ seed, trouble, targets }: { seed: number; trouble: number; targets: number }): FleetSnapshot =>
  randomFleet(seed, { targets, datasets: 12, sites: 4, room: 4, trouble });
const verdicts = (snapshot: FleetSnapshot) => [...deviceEvacuations(snapshot).values()].sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));

test('a drive that gives signs takes no new data; unless its copies leave they count as if it gave none', () => {
  fc.assert(
    fc.property(troubled, (made) => {
      const snapshot = fleetFrom(made);
      const sound = { ...snapshot, devices: snapshot.devices.map((device) => ({ ...device, level: 'healthy' as const, evacuatingSinceMs: null })) };
      const before = targetHealth(sound);
      for (const health of targetHealth(snapshot).values()) {
        if (health.riskyDeviceId === null) continue;
        expect(health.takesData).toBe(false);
        if (health.evacuation === 'evacuated') continue;
        expect(health.counts).toBe(before.get(health.targetId)!.counts);
        expect(health.drain).toBe(before.get(health.targetId)!.drain && health.evacuation !== 'held');
      }
    }),
    { numRuns: 500 },
  );
});

test('a rule that calls a drive risky, and whoever calls it failing, is obeyed or taken for a fault: it is never weighed', () => {
  fc.assert(
    fc.property(troubled, (made) => {
      const snapshot = fleetFrom(made);
      const said = deviceEvacuations(snapshot);
      for (const device of snapshot.devices)
        if (device.level === 'failing' || (device.level === 'at-risk' && device.judgeKind === 'rule'))
          expect(['evacuated', 'held']).toContain(said.get(device.deviceId)?.verdict);
    }),
    { numRuns: 500 },
  );
});

test('no more than the share of the fleet begins to be emptied because a model expects it to fail; none waits while there is room', () => {
  fc.assert(
    fc.property(troubled, (made) => {
      const snapshot = fleetFrom(made);
      const { shareOfDevices } = defaultDecisionSettings.evacuation;
      const all = verdicts(snapshot);
      const leaving = all.filter((one) => one.verdict === 'evacuated' && one.price !== null && one.price.bytes > 0);
      const begin = leaving.filter((one) => snapshot.devices.find((device) => device.deviceId === one.deviceId)!.evacuatingSinceMs === null);
      if (begin.length > 0) expect(leaving.length).toBeLessThanOrEqual(Math.max(1, Math.floor(shareOfDevices * snapshot.devices.length)));
      if (all.some((one) => one.verdict === 'waits')) expect(all.some((one) => one.verdict === 'evacuated')).toBe(true);
      const dearestWaiting = Math.max(...all.flatMap((one) => (one.verdict === 'waits' ? [one.price!.leavingDollars] : [])));
      for (const one of begin) expect(one.price!.leavingDollars).toBeGreaterThanOrEqual(dearestWaiting);
    }),
    { numRuns: 500 },
  );
});

test('the order in which things stand in the snapshot changes nothing, and what was kept is not changed again', () => {
  fc.assert(
    fc.property(troubled, (made) => {
      const snapshot = fleetFrom(made);
      const turned = {
        ...snapshot,
        devices: [...snapshot.devices].reverse(),
        targets: [...snapshot.targets].reverse(),
        datasets: [...snapshot.datasets].reverse(),
      };
      const plain = (fleet: FleetSnapshot) => verdicts(fleet).map(({ deviceId, verdict }) => ({ deviceId, verdict }));
      expect(plain(turned)).toEqual(plain(snapshot));

      const begins = new Map(changedEvacuations(snapshot, defaultDecisionSettings).map((one) => [one.deviceId, one.begins]));
      const kept = {
        ...snapshot,
        devices: snapshot.devices.map((device) =>
          begins.has(device.deviceId) ? { ...device, evacuatingSinceMs: begins.get(device.deviceId) ? snapshot.takenAtMs : null } : device,
        ),
      };
      expect(changedEvacuations(kept, defaultDecisionSettings)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
