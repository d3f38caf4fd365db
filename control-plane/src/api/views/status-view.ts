import type { FleetStatus } from '@data-in-motion/shared/api/fleet';
import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { DeviceId, TargetId } from '@data-in-motion/shared/domain/ids';
import { tierClasses } from '@data-in-motion/shared/domain/target';
import { deviceEvacuations } from '../../health/evacuations.ts';
import type { FleetCost } from '../../placement/cost.ts';
import type { ReplicaRow } from '../../store/kept-datasets.ts';
import type { FleetRows } from '../fleet-rows.ts';
import type { DatasetTally } from './dataset-tally.ts';

/** What is added up over all datasets. */
export interface StatusSums {
  readonly cost: FleetCost;
  readonly tally: DatasetTally;
  readonly replicasAt: ReadonlyMap<TargetId, readonly ReplicaRow[]>;
}

export interface StatusExtras {
  readonly version: string;
  readonly mode: FleetStatus['mode'];
  readonly uptimeMs: number;
  readonly storeEpoch: string;
  readonly failedJobs: number;
  readonly lastHour: readonly { atMs: number; text: string }[];
}

const waitingStates = ['planned', 'retry-wait', 'no-space', 'source-changed', 'paused'];
const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** It was weighed: what is on it is safe enough elsewhere, so that it stays. */
function isWatched(rows: FleetRows, deviceId: DeviceId): boolean {
  return deviceEvacuations(rows.snapshot).get(deviceId)?.verdict === 'watched';
}

/** The fleet in one sentence and the figures behind it. */
export function statusView(rows: FleetRows, { cost, tally, replicasAt }: StatusSums, extras: StatusExtras): FleetStatus {
  const { misplaced, ...datasets } = tally;
  const isEmptied = (deviceId: DeviceId): boolean => emptied(rows, replicasAt, deviceId);
  const lost = rows.nodes.filter((node) => node.agentState === 'lost').length;
  const risky = rows.devices.filter((device) => isRisky(device.level));
  const figures = {
    nodes: { total: rows.nodes.length, online: rows.nodes.filter((node) => node.agentState === 'online').length, lost },
    devices: { total: rows.devices.length, risky: risky.length, watched: rows.devices.filter((device) => device.level === 'watch').length },
    targets: { total: rows.targets.length, ok: rows.targets.filter((target) => target.reachable && target.state === 'ok').length },
    datasets,
    jobs: {
      running: rows.activeJobs.filter((job) => !waitingStates.includes(job.state)).length,
      waiting: rows.activeJobs.filter((job) => waitingStates.includes(job.state)).length,
      failed: extras.failedJobs,
    },
  };
  return {
    sentence: sentence(figures, misplaced, rows, isEmptied),
    safe:
      datasets.short === 0 &&
      misplaced === 0 &&
      figures.datasets.infeasible === 0 &&
      lost === 0 &&
      risky.every((device) => isEmptied(device.deviceId) || isWatched(rows, device.deviceId)),
    asOfMs: rows.asOfMs,
    version: extras.version,
    mode: extras.mode,
    uptimeMs: extras.uptimeMs,
    storeEpoch: extras.storeEpoch,
    ...figures,
    cost: { perMonth: cost.perMonth, byTier: { ...cost.byTier }, byOwner: { ...cost.byOwner } },
    capacity: tierClasses.map((tier) => {
      const targets = rows.targets.filter((target) => target.description.tier === tier);
      const sum = (of: (target: (typeof targets)[number]) => number): number => targets.reduce((total, target) => total + of(target), 0);
      return {
        tier,
        capacityBytes: sum((target) => target.capacityBytes),
        usedBytes: sum((target) => target.usedBytes),
        reservedBytes: sum((target) => rows.targetFacts.get(target.targetId)?.reservedBytes ?? 0),
        costPerMonth: cost.byTier[tier] ?? 0,
      };
    }),
    lastHour: [...extras.lastHour],
  };
}

/** No readable copy is left on any target of a device. */
function emptied(rows: FleetRows, replicasAt: StatusSums['replicasAt'], deviceId: DeviceId): boolean {
  const targets = rows.targets.filter((target) => target.description.deviceIds.some((one) => one === deviceId));
  return !targets.some(({ targetId }) => replicasAt.get(targetId)?.some(({ state }) => ['verified', 'suspect', 'retiring', 'joining'].includes(state)));
}

function sentence(
  figures: Pick<FleetStatus, 'nodes' | 'devices' | 'datasets' | 'jobs'>,
  misplaced: number,
  rows: FleetRows,
  isEmptied: (deviceId: DeviceId) => boolean,
): string {
  const { datasets, devices, nodes } = figures;
  if (nodes.total === 0) return 'No agent has reported yet.';
  const parts: string[] = [];
  const filled = datasets.total - datasets.empty;
  if (datasets.total === 0) parts.push('There are no datasets yet.');
  else if (filled === 0) parts.push(`${datasets.total === 1 ? 'The one dataset has' : `All ${datasets.total} datasets have`} no version yet.`);
  else if (datasets.short === 0) parts.push(filled === 1 ? 'The one dataset has its copies.' : `All ${filled} datasets have their copies.`);
  else parts.push(`${plural(datasets.short, 'dataset is', 'datasets are')} short of copies${figures.jobs.running > 0 ? '; copies are being made' : ''}.`);
  if (misplaced > 0) parts.push(`The copies of ${plural(misplaced, 'dataset')} are not where policy wants them.`);
  if (datasets.infeasible > 0) parts.push(`No places meet the policy of ${plural(datasets.infeasible, 'dataset')}.`);
  if (nodes.lost > 0) parts.push(`${plural(nodes.lost, 'node is', 'nodes are')} lost.`);
  if (devices.risky > 0) {
    const full = rows.devices.filter((device) => isRisky(device.level) && !isEmptied(device.deviceId));
    const evacuations = deviceEvacuations(rows.snapshot);
    const staying = full.filter((device) => ['watched', 'waits'].includes(evacuations.get(device.deviceId)?.verdict ?? '')).length;
    const leaving = full.length - staying;
    const said = [
      ...(full.length === 0 ? [devices.risky === 1 ? ' and empty' : ' and all empty'] : []),
      ...(leaving > 0 ? [`; ${leaving === 1 ? 'it is' : `${leaving} are`} being evacuated`] : []),
      ...(staying > 0 ? [`; what is on ${devices.risky === 1 ? 'it' : `${staying} of them`} stays for now`] : []),
    ];
    parts.push(`${plural(devices.risky, 'drive is', 'drives are')} at risk${said.join('')}.`);
  }
  if (parts.length === 1 && filled > 0 && datasets.short === 0)
    parts.push(`${plural(nodes.online, 'node')} online, ${plural(devices.total, 'drive')} healthy or watched.`);
  return parts.join(' ');
}
