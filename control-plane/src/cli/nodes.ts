import { nodeDetail, nodeView } from '@data-in-motion/shared/api/fleet';
import type { Command } from 'commander';
import { deviceTable } from './devices.ts';
import { age, whole } from './figures.ts';
import { verb } from './session.ts';
import { facts, table } from './table.ts';
import { targetTable } from './targets.ts';

export function addNodes(program: Command): void {
  verb(program, {
    usage: 'nodes [node]',
    says: 'the storage hosts and their agents, or one of them with its targets and devices',
    examples: ['nodes', 'nodes berlin', 'nodes --json'],
    async run(session, [nodeId]) {
      if (nodeId !== undefined) {
        const detail = await session.api.call('node', nodeDetail, { path: { nodeId } });
        const nowMs = Date.now();
        session.answer(detail, () =>
          [
            facts([
              ['node', `${detail.node.nodeId} at ${detail.node.siteId} (host ${detail.node.host})`],
              [
                'agent',
                `${detail.node.agentState}, version ${detail.node.agentVersion ?? 'unknown'}, start number ${detail.node.incarnation}, heard ${age(detail.node.lastHeardAtMs, nowMs)}`,
              ],
              ['judges drives by', detail.node.modelVersion === null ? 'rules' : `model ${detail.node.modelVersion}`],
              ['serves copies', detail.node.transferUrl ?? 'no'],
              ['may import', detail.node.importRoots.join(', ') || 'nothing'],
            ]),
            targetTable(detail.targets),
            deviceTable(detail.devices, nowMs),
          ].join('\n\n'),
        );
        return;
      }
      const list = await session.api.list('nodes', nodeView);
      session.answer(list, () =>
        table(
          list.items,
          [
            { title: 'node', of: (row) => row.nodeId },
            { title: 'site', of: (row) => row.siteId },
            { title: 'agent', of: (row) => row.agentState },
            { title: 'heard', of: (row) => age(row.lastHeardAtMs, list.asOfMs) },
            { title: 'version', of: (row) => row.agentVersion ?? '–' },
            { title: 'model', of: (row) => row.modelVersion ?? '–' },
            { title: 'targets', align: 'right', of: (row) => whole(row.targets) },
            { title: 'devices', align: 'right', of: (row) => whole(row.devices) },
            { title: 'worst device', of: (row) => row.worstRisk },
            { title: 'jobs', align: 'right', of: (row) => whole(row.runningJobs) },
          ],
          'No nodes yet. `dim agents join-token` admits one.',
        ),
      );
    },
  });
}
