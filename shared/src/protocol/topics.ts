import type { z } from 'zod';
import {
  accessMessage,
  ackMessage,
  askMessage,
  batchMessage,
  bootMessage,
  cloudEvent,
  nudgeMessage,
  signedMessage,
  stateMessage,
  welcomeMessage,
} from './messages.ts';

export interface Topic {
  /** `{nodeId}` (or `{clientId}`) is the identity of the sender or receiver: who may use the topic is computed from it. */
  readonly pattern: string;
  readonly from: 'agent' | 'control-plane' | 'client';
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly payload: z.ZodType;
  readonly says: string;
}

/** All that crosses the bus. Adding a message: one schema, one row, one golden file in testdata. */
export const topics = {
  state: {
    pattern: 'dim/v1/{nodeId}/up/state',
    from: 'agent',
    qos: 1,
    retain: true,
    payload: stateMessage,
    says: 'whether the agent is connected, with its session number; also its last will',
  },
  boot: {
    pattern: 'dim/v1/{nodeId}/up/boot',
    from: 'agent',
    qos: 1,
    retain: false,
    payload: bootMessage,
    says: 'an agent process started: what it is and what it remembers',
  },
  batch: {
    pattern: 'dim/v1/{nodeId}/up/batch',
    from: 'agent',
    qos: 1,
    retain: false,
    payload: batchMessage,
    says: 'sealed, sequenced records: readings, assessments, accesses, what happened to jobs',
  },
  ask: { pattern: 'dim/v1/{nodeId}/up/ask', from: 'agent', qos: 1, retain: false, payload: askMessage, says: 'asks for the desired document' },
  welcome: {
    pattern: 'dim/v1/{nodeId}/down/welcome',
    from: 'control-plane',
    qos: 1,
    retain: false,
    payload: welcomeMessage,
    says: 'the answer to a boot: incarnation, store epoch, key',
  },
  ack: {
    pattern: 'dim/v1/{nodeId}/down/ack',
    from: 'control-plane',
    qos: 1,
    retain: false,
    payload: ackMessage,
    says: 'up to where batches are stored, sent after the commit',
  },
  nudge: {
    pattern: 'dim/v1/{nodeId}/down/nudge',
    from: 'control-plane',
    qos: 1,
    retain: false,
    payload: nudgeMessage,
    says: 'there is a newer desired document; carries only its number',
  },
  desired: {
    pattern: 'dim/v1/{nodeId}/down/desired',
    from: 'control-plane',
    qos: 1,
    retain: false,
    payload: signedMessage,
    says: 'signed: all that the agent should be doing',
  },
  fault: { pattern: 'dim/v1/{nodeId}/down/fault', from: 'control-plane', qos: 1, retain: false, payload: signedMessage, says: 'signed: arm or undo a fault' },
  access: {
    pattern: 'dim/v1/{clientId}/up/access',
    from: 'client',
    qos: 1,
    retain: false,
    payload: accessMessage,
    says: 'accesses that an application or gateway saw',
  },
  events: {
    pattern: 'dim/v1/fleet/events',
    from: 'control-plane',
    qos: 0,
    retain: false,
    payload: cloudEvent,
    says: 'everything that was decided and done, as CloudEvents',
  },
  recommendations: {
    pattern: 'dim/v1/fleet/recommendations',
    from: 'control-plane',
    qos: 0,
    retain: false,
    payload: cloudEvent,
    says: 'moves that would pay, with their reasons',
  },
  migrationJobs: { pattern: 'dim/v1/fleet/migration-jobs', from: 'control-plane', qos: 0, retain: false, payload: cloudEvent, says: 'jobs that were admitted' },
  migrationStatus: {
    pattern: 'dim/v1/fleet/migration-status',
    from: 'control-plane',
    qos: 0,
    retain: false,
    payload: cloudEvent,
    says: 'every transition of a job',
  },
  alerts: { pattern: 'dim/v1/fleet/alerts', from: 'control-plane', qos: 1, retain: false, payload: cloudEvent, says: 'what a person should look at' },
  model: {
    pattern: 'dim/v1/fleet/model',
    from: 'control-plane',
    qos: 1,
    retain: true,
    payload: signedMessage,
    says: 'signed: the failure model that every agent runs',
  },
  metrics: { pattern: 'dim/v1/fleet/metrics', from: 'control-plane', qos: 0, retain: true, payload: cloudEvent, says: 'fleet figures every 15 seconds' },
} as const satisfies Record<string, Topic>;
export type TopicName = keyof typeof topics;
export type PayloadOf<Name extends TopicName> = z.infer<(typeof topics)[Name]['payload']>;

/** The topic of a row for one identity. */
export function topicFor(name: TopicName, identity = ''): string {
  return topics[name].pattern.replace(/\{\w+\}/, identity);
}

/** Which row a concrete topic belongs to, and whose it is; undefined when it is none of ours. */
export function parseTopic(topic: string): { name: TopicName; identity: string } | undefined {
  for (const name of Object.keys(topics) as TopicName[]) {
    const parts = topics[name].pattern.split('/');
    const given = topic.split('/');
    if (parts.length !== given.length) continue;
    if (!parts.every((part, i) => part.startsWith('{') || part === given[i])) continue;
    return { name, identity: parts.map((part, i) => (part.startsWith('{') ? given[i]! : '')).join('') };
  }
  return undefined;
}

export type BusRole = 'agent' | 'client' | 'control-plane';

/** Whether an identity may publish to a concrete topic: only rows of its own role and name. */
export function mayPublish(role: BusRole, identity: string, topic: string): boolean {
  const row = parseTopic(topic);
  if (row === undefined) return false;
  const from = topics[row.name].from;
  if (role === 'control-plane') return from === 'control-plane';
  // An agent is also a client: it may tell accesses under its own name.
  return row.identity === identity && (from === role || (role === 'agent' && from === 'client'));
}

/** Whether an identity may receive from a topic or filter: the control plane's rows under its own name, for clients the fleet's, and for agents the fleet's model. */
export function maySubscribe(role: BusRole, identity: string, filter: string): boolean {
  if (role === 'control-plane') return !filter.startsWith('$');
  if (filter.includes('#') || filter.includes('+')) return filter === `dim/v1/${identity}/down/#` || (role === 'client' && filter === 'dim/v1/fleet/#');
  const row = parseTopic(filter);
  if (row === undefined || topics[row.name].from !== 'control-plane') return false;
  return row.identity === identity || (row.identity === '' && (role === 'client' || row.name === 'model'));
}
