import type { DatasetFacts, FleetSnapshot, TargetFacts } from '../../fleet/snapshot.ts';
import type { BindingRule } from '../binding-rule.ts';

/** The fleet of one dataset without the rule that was named: in the policy, in the room of the place that it opens, or in the drives and the node under it. */
export function withoutRule(fleet: FleetSnapshot, dataset: DatasetFacts, binding: Pick<BindingRule, 'rule' | 'opens' | 'missingBytes'>, pinnedTargets: DatasetFacts['policy']['pinnedTargets']): FleetSnapshot {
  const { policy } = dataset;
  const inPolicy = (change: Partial<DatasetFacts['policy']>): FleetSnapshot => ({ ...fleet, datasets: fleet.datasets.map((each) => (each.datasetId === dataset.datasetId ? { ...each, policy: { ...policy, ...change } } : each)) });
  const atPlace = (change: (target: TargetFacts) => Partial<TargetFacts>): FleetSnapshot => ({ ...fleet, targets: fleet.targets.map((target) => (target.targetId === binding.opens ? { ...target, ...change(target) } : target)) });
  switch (binding.rule) {
    case 'latency-slo': return inPolicy({ latencySloMs: null });
    case 'max-cost': return inPolicy({ maxCostPerGbMonth: null });
    case 'region': return inPolicy({ regions: [] });
    case 'encryption': return inPolicy({ encryptionRequired: false });
    case 'forbidden-target': return inPolicy({ forbiddenTargets: [] });
    case 'pinned-targets': return inPolicy({ pinnedTargets });
    case 'spread': return inPolicy({ spread: 'target' });
    case 'capacity': return atPlace((target) => ({ capacityBytes: target.capacityBytes + binding.missingBytes! }));
    case 'risky-device': {
      const drives = new Set(fleet.targets.find(({ targetId }) => targetId === binding.opens)!.deviceIds);
      return { ...fleet, devices: fleet.devices.map((device) => (drives.has(device.deviceId) ? { ...device, level: 'healthy', probability: null, evacuatingSinceMs: null } : device)) };
    }
    case 'not-usable': {
      const { nodeId } = fleet.targets.find(({ targetId }) => targetId === binding.opens)!;
      return { ...atPlace(() => ({ state: 'ok' })), nodes: fleet.nodes.map((node) => (node.nodeId === nodeId ? { ...node, agentState: 'online' } : node)) };
    }
    default: throw new Error(`no way to be without ${binding.rule}`);
  }
}
