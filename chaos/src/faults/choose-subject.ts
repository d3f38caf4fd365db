import { datasetDetail, type ReplicaView } from '@data-in-motion/shared/api/datasets';
import { jobView } from '@data-in-motion/shared/api/decisions';
import { targetView } from '@data-in-motion/shared/api/fleet';
import type { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import { Failure } from '@data-in-motion/shared/failure';

type Chooser = (api: RouteCaller, datasetId: string) => Promise<string | undefined>;

/** How a scenario names what a fault is for without knowing where the fleet has put things. */
const choosers: Readonly<Record<string, Chooser>> = {
  'primary-replica': (api, datasetId) => ofCopy(api, datasetId, 'primary', (copy) => copy.replicaId),
  'other-replica': (api, datasetId) => ofCopy(api, datasetId, 'other', (copy) => copy.replicaId),
  'primary-target': (api, datasetId) => ofCopy(api, datasetId, 'primary', (copy) => copy.targetId),
  'other-target': (api, datasetId) => ofCopy(api, datasetId, 'other', (copy) => copy.targetId),
  'primary-node': (api, datasetId) => ofCopy(api, datasetId, 'primary', (copy) => copy.nodeId),
  'other-node': (api, datasetId) => ofCopy(api, datasetId, 'other', (copy) => copy.nodeId),
  /** The agent of the job under way; when it has just ended, the one that has the primary copy. */
  'working-node': async (api, datasetId) => (await workingJob(api, datasetId))?.agentNodeId ?? ofCopy(api, datasetId, 'primary', (copy) => copy.nodeId),
  'working-target': async (api, datasetId) => (await workingJob(api, datasetId))?.toTargetId ?? undefined,
  'primary-device': async (api, datasetId) => {
    const targetId = await ofCopy(api, datasetId, 'primary', (copy) => copy.targetId);
    return targetId === undefined ? undefined : (await api.call('target', targetView, { path: { targetId } })).deviceIds[0];
  },
};
export const chooserNames = Object.keys(choosers);

/** `primary-node of data`, or a name that is taken as it is. @throws `refused` when there is no such thing at this moment */
export async function chooseSubject(api: RouteCaller, text: string, datasetIdOf: (name: string) => string): Promise<string> {
  const match = /^([a-z-]+) of (\S+)$/.exec(text);
  const choose = match === null ? undefined : choosers[match[1]!];
  if (match === null || choose === undefined) return text;
  const chosen = await choose(api, datasetIdOf(match[2]!));
  if (chosen === undefined) throw new Failure('refused', { code: 'subject.none', message: `There is no ${text} at this moment.` });
  return chosen;
}

async function ofCopy(api: RouteCaller, datasetId: string, which: 'primary' | 'other', of: (copy: ReplicaView) => string): Promise<string | undefined> {
  const { replicas } = await api.call('dataset', datasetDetail, { path: { datasetId } });
  const copy = replicas.find((one) => one.current && one.state === 'verified' && one.primary === (which === 'primary'));
  return copy === undefined ? undefined : of(copy);
}

async function workingJob(api: RouteCaller, datasetId: string) {
  const { items } = await api.list('jobs', jobView, { dataset: datasetId, active: 'true' });
  return items.find((job) => ['scanning', 'copying', 'copied', 'verifying'].includes(job.state)) ?? items[0];
}
