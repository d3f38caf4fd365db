import { fleetStatus } from '@data-in-motion/shared/api/fleet';
import type { Command } from 'commander';
import { bytes, duration, moment, money, percent } from './figures.ts';
import { verb } from './session.ts';
import { facts, table } from './table.ts';

export function addStatus(program: Command): void {
  verb(program, {
    usage: 'status',
    says: 'is the data safe, and what is the fleet doing?',
    examples: ['status', 'status --json'],
    async run(session) {
      const status = await session.api.call('status', fleetStatus);
      session.answer(status, () => {
        const { nodes, devices, targets, datasets, jobs, cost } = status;
        return [
          status.sentence,
          '',
          facts([
            ['nodes', `${nodes.online} of ${nodes.total} online${nodes.lost > 0 ? `, ${nodes.lost} lost` : ''}`],
            ['targets', `${targets.ok} of ${targets.total} take data`],
            ['devices', `${devices.total}, ${devices.risky} at risk, ${devices.watched} watched`],
            [
              'datasets',
              `${datasets.total}: ${datasets.met} as their policy wants, ${datasets.short} short${datasets.infeasible > 0 ? `, ${datasets.infeasible} without places that their policy allows` : ''}${datasets.empty > 0 ? `, ${datasets.empty} without a version yet` : ''}; ${datasets.hot} hot, ${datasets.warm} warm, ${datasets.cold} cold`,
            ],
            ['jobs', `${jobs.running} running, ${jobs.waiting} waiting, ${jobs.failed} for a person`],
            ['cost', `${money(cost.perMonth)} per month`],
            [
              'server',
              `version ${status.version}, ${status.mode === 'embedded' ? 'embedded database' : 'PostgreSQL'}, up ${duration(status.uptimeMs)}, ${session.access.url}`,
            ],
          ]),
          '',
          table(
            status.capacity,
            [
              { title: 'tier', of: (row) => row.tier },
              { title: 'used', align: 'right', of: (row) => bytes(row.usedBytes) },
              { title: 'promised', align: 'right', of: (row) => bytes(row.reservedBytes) },
              { title: 'capacity', align: 'right', of: (row) => bytes(row.capacityBytes) },
              { title: 'full', align: 'right', of: (row) => percent(row.capacityBytes === 0 ? 0 : row.usedBytes / row.capacityBytes) },
              { title: '$/month', align: 'right', of: (row) => money(row.costPerMonth) },
            ],
            'No targets yet.',
          ),
          ...(status.lastHour.length === 0
            ? []
            : ['', 'Last hour', ...status.lastHour.slice(0, 8).map((line) => `  ${moment(line.atMs, status.asOfMs)}  ${line.text}`)]),
        ].join('\n');
      });
    },
  });
}
