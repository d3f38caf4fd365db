/** Where a line leads: the page of what caused it, by the ids it carries. The most telling id wins. */
export function causeOf(ids: Readonly<Record<string, string | number>>): { href: string; name: string } | null {
  const id = (name: string): string => encodeURIComponent(String(ids[name]));
  if (ids.jobId !== undefined) return { href: `/migrations?job=${id('jobId')}`, name: 'job' };
  if (ids.certificateId !== undefined) return { href: '/health', name: 'certificate' };
  if (ids.experimentId !== undefined) return { href: '/chaos', name: 'experiment' };
  if (ids.planId !== undefined) return { href: '/plan', name: 'plan' };
  if (ids.datasetId !== undefined) return { href: `/datasets/${id('datasetId')}`, name: 'dataset' };
  if (ids.deviceId !== undefined) return { href: `/devices/${id('deviceId')}`, name: 'drive' };
  if (ids.modelVersion !== undefined) return { href: `/models/${id('modelVersion')}`, name: 'model' };
  if (ids.features !== undefined) return { href: '/models/drift', name: 'drift' };
  if (ids.nodeId !== undefined) return { href: `/nodes/${id('nodeId')}`, name: 'node' };
  return null;
}

export const eventTopics = [
  { name: 'decisions', prefixes: ['plan', 'recommendation', 'policy'] },
  { name: 'transitions', prefixes: ['job', 'replica', 'dataset'] },
  { name: 'health', prefixes: ['device', 'node', 'agent', 'target', 'certificate', 'model'] },
  { name: 'alerts', prefixes: ['alert', 'sync_conflict', 'sync-conflict'] },
  { name: 'chaos', prefixes: ['chaos', 'experiment', 'fault'] },
  { name: 'people', prefixes: ['audit', 'session', 'key'] },
] as const;

/** Whether an event belongs to one of the topics above; the empty topic takes all. */
export function isOfTopic(type: string, topic: string): boolean {
  const found = eventTopics.find((one) => one.name === topic);
  return found === undefined || found.prefixes.some((prefix) => type.startsWith(prefix));
}
