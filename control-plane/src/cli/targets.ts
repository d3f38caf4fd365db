import { type TargetView, targetView } from '@data-in-motion/shared/api/fleet';
import type { Command } from 'commander';
import { bytes, counted, duration, money, percent, rate, unitPrice, whole } from './figures.ts';
import { verb } from './session.ts';
import { facts, table } from './table.ts';

export function addTargets(program: Command): void {
  verb(program, {
    usage: 'targets [target]',
    says: 'the places bytes can live, with capacity, price and measured speed',
    examples: ['targets', 'targets berlin-nvme'],
    async run(session, [targetId]) {
      if (targetId === undefined) {
        const list = await session.api.list('targets', targetView);
        session.answer(list, () => targetTable(list.items));
        return;
      }
      const target = await session.api.call('target', targetView, { path: { targetId } });
      session.answer(target, () => targetText(target));
    },
  });
}

export function targetTable(targets: readonly TargetView[]): string {
  return table(
    targets,
    [
      { title: 'target', of: (row) => row.targetId },
      { title: 'node', of: (row) => row.nodeId },
      { title: 'state', of: (row) => row.state },
      { title: 'tier', of: (row) => row.tier },
      { title: 'kind', of: (row) => row.locationKind },
      { title: 'region', of: (row) => row.region },
      { title: 'encrypted', of: (row) => (row.encryptedAtRest ? 'yes' : 'no') },
      { title: '$/GB month', align: 'right', of: (row) => unitPrice(row.prices?.storagePerGbMonth) },
      { title: 'p95', align: 'right', of: (row) => duration(row.latencyP95Ms) },
      { title: 'used', align: 'right', of: (row) => bytes(row.usedBytes) },
      { title: 'capacity', align: 'right', of: (row) => bytes(row.capacityBytes) },
      { title: 'full', align: 'right', of: (row) => percent(row.capacityBytes === 0 ? 0 : row.usedBytes / row.capacityBytes) },
      { title: 'copies', align: 'right', of: (row) => whole(row.replicas) },
      { title: 'risk', of: (row) => row.risk },
    ],
    'No targets.',
  );
}

function targetText(target: TargetView): string {
  const { prices } = target;
  return facts([
    ['target', `${target.targetId} on ${target.nodeId} at ${target.siteId}`],
    ['state', `${target.state}${target.stateReason === null ? '' : `: ${target.stateReason}`}`],
    [
      'place',
      `${target.root} (${target.tier}, ${target.locationKind}, ${target.provider}, ${target.region}, ${target.failureDomain}, ${target.encryptedAtRest ? 'encrypted' : 'not encrypted'})`,
    ],
    [
      'capacity',
      `${bytes(target.usedBytes)} used, ${bytes(target.reservedBytes)} promised, ${(target.plannedBytes ?? 0) > 0 ? `${bytes(target.plannedBytes)} held for plans, ` : ''}${bytes(target.freeBytes)} free of ${bytes(target.capacityBytes)}`,
    ],
    ['latency', `p50 ${duration(target.latencyP50Ms)}, p95 ${duration(target.latencyP95Ms)}, p99 ${duration(target.latencyP99Ms)}`],
    ['speed', `reads ${rate(target.readBytesPerSec)}, writes ${rate(target.writeBytesPerSec)}`],
    [
      'prices',
      prices === null
        ? `unknown class ${target.priceClass}`
        : `${unitPrice(prices.storagePerGbMonth)} per GB and month, ${unitPrice(prices.readsPer1000)} per 1,000 reads, ${unitPrice(prices.writesPer1000)} per 1,000 writes, ${unitPrice(prices.egressPerGb)} per GB out, ${unitPrice(prices.retrievalPerGb)} per GB read, at least ${prices.minimumDays} days and ${bytes(prices.minimumObjectBytes)} an object (${target.priceClass})`,
    ],
    ['devices', target.deviceIds.join(', ') || 'none shown'],
    ['risk', target.risk],
    ['holds', `${counted(target.replicas, 'copy', 'copies')}, ${money(target.costPerMonth)} per month`],
  ]);
}
