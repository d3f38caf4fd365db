import type { FleetStatus } from '@data-in-motion/shared/api/fleet';
import { fixtureCertificates } from './fixture/certificates.ts';
import { fixtureChaos } from './fixture/chaos.ts';
import { fixtureConsistency } from './fixture/consistency.ts';
import { fixtureCosts } from './fixture/costs.ts';
import { fixtureDatasets } from './fixture/datasets.ts';
import { fixtureHosts } from './fixture/hosts.ts';
import { fixtureIntegrations } from './fixture/integrations.ts';
import { fixtureJobs } from './fixture/jobs.ts';
import { fixtureModels } from './fixture/models.ts';
import { hostile, hourMs, minuteMs } from './fixture/moments.ts';
import { fixturePlan } from './fixture/plan.ts';
import { fixtureRecords } from './fixture/records.ts';

/** A small fleet with something of everything on it. All ages are told from `nowMs`. */
export function fixtureFleet(nowMs: number, manyDevices = 0) {
  const { nodes, targets, devices } = fixtureHosts(nowMs, manyDevices);
  const status: FleetStatus = {
    sentence: 'All 214 datasets have their copies. 1 drive is failing; its evacuation ends in 4 min.',
    safe: true,
    asOfMs: nowMs,
    version: '0.1.0',
    mode: 'embedded',
    uptimeMs: 3 * hourMs,
    storeEpoch: '1',
    nodes: { total: 4, online: 3, lost: 0 },
    devices: { total: devices.length, risky: 2, watched: 1 },
    targets: { total: 6, ok: 5 },
    datasets: { total: 214, met: 214, short: 0, infeasible: 0, empty: 0, hot: 18, warm: 61, cold: 135 },
    jobs: { running: 3, waiting: 2, failed: 1 },
    cost: { perMonth: 1204.51, byTier: { hot: 188.5, warm: 702.0, cold: 314.01 }, byOwner: { research: 604.2, imaging: 402.1, [hostile]: 198.21 } },
    capacity: [
      { tier: 'hot', capacityBytes: 8e12, usedBytes: 2.3e12, reservedBytes: 0.4e12, costPerMonth: 188.5 },
      { tier: 'warm', capacityBytes: 72e12, usedBytes: 39e12, reservedBytes: 4e12, costPerMonth: 702.0 },
      { tier: 'cold', capacityBytes: 620e12, usedBytes: 69e12, reservedBytes: 9e12, costPerMonth: 314.01 },
    ],
    lastHour: [
      { atMs: nowMs - 40_000, text: 'survey-2026 got its second verified copy on paris-a-archive.' },
      { atMs: nowMs - 26 * minuteMs, text: 'Drive Z301000 in berlin-a became failing: 48 pending sectors.' },
      { atMs: nowMs - 41 * minuteMs, text: 'A plan saves $42.10 a month by moving 12 datasets.' },
      { atMs: nowMs - 55 * minuteMs, text: `${hostile} was imported.` },
    ],
  };
  return {
    nodes,
    targets,
    devices,
    status,
    ...fixtureDatasets(nowMs, targets),
    ...fixtureModels(nowMs),
    ...fixtureCosts(nowMs),
    jobs: fixtureJobs(nowMs),
    plan: fixturePlan(nowMs),
    ...fixtureRecords(nowMs, devices[0]!),
    consistency: fixtureConsistency(nowMs, nodes),
    chaos: fixtureChaos(nowMs),
    ...fixtureCertificates(nowMs, devices[0]!),
    integrations: fixtureIntegrations(nowMs, nodes),
  };
}
