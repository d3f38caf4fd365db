import { type BusRole, mayPublish, maySubscribe, parseTopic, topics } from '@data-in-motion/shared/protocol/topics';

/** What an agent's batch may weigh with everything around it; nothing larger is read. */
export const largestMessageBytes = 256 * 1024;

export interface Speaker {
  readonly role: BusRole;
  readonly identity: string;
}

interface Spoken {
  readonly topic: string;
  readonly retain: boolean;
  readonly payload: Buffer | string;
}

/** Why a message may not be published; undefined when it may. */
export function publishRefusal(speaker: Speaker, packet: Spoken): string | undefined {
  if (packet.topic.startsWith('$')) return 'topics that begin with $ are the broker’s own';
  if (!mayPublish(speaker.role, speaker.identity, packet.topic)) return `${speaker.identity} may not publish to it`;
  const row = parseTopic(packet.topic);
  if (packet.retain && (row === undefined || !topics[row.name].retain)) return 'messages of this topic are not retained';
  if (Buffer.byteLength(packet.payload) > largestMessageBytes) return `longer than ${largestMessageBytes} bytes`;
  return undefined;
}

/** A last will speaks for its owner when nobody watches: only on its own state topic. */
export function isWillAllowed(identity: string, will: Spoken | undefined): boolean {
  if (will === undefined) return true;
  const row = parseTopic(will.topic);
  return row?.name === 'state' && row.identity === identity && Buffer.byteLength(will.payload) <= 1_024;
}

/** Whether a filter may be subscribed to: only its own messages down, for clients the fleet's, for agents the fleet's model. */
export function isFilterAllowed(speaker: Speaker, filter: string): boolean {
  return !filter.startsWith('$') && maySubscribe(speaker.role, speaker.identity, filter);
}
