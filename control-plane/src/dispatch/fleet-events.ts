import type { PayloadOf, TopicName } from '@data-in-motion/shared/protocol/topics';
import type { EventRow } from '../store/events.ts';

type CloudEvent = PayloadOf<'events'>;

/** Topics of the fleet on which an event is told, beside `events`, which has them all. */
export function topicsOf(type: string): TopicName[] {
  if (type === 'job.planned') return ['events', 'migrationJobs'];
  if (type === 'job.transition') return ['events', 'migrationStatus'];
  if (type.startsWith('alert.')) return ['events', 'alerts'];
  if (type.startsWith('plan.')) return ['events', 'recommendations'];
  return ['events'];
}

/** An event as a CloudEvent 1.0, structured mode. Its id is its number, so a receiver knows a repetition. */
export function cloudEventOf(row: EventRow, source: string): CloudEvent {
  const subject = row.ids.jobId ?? row.ids.datasetId ?? row.ids.deviceId ?? row.ids.nodeId ?? row.ids.planId ?? row.ids.modelVersion;
  return {
    specversion: '1.0',
    id: String(row.seq),
    source,
    type: `dim.${row.type}`,
    ...(subject === undefined ? {} : { subject: String(subject) }),
    time: new Date(row.atMs).toISOString(),
    datacontenttype: 'application/json',
    data: { severity: row.severity, text: row.text, ids: row.ids, by: row.by },
  };
}
