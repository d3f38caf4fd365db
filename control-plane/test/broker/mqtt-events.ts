import type { MqttClient } from 'mqtt';

/** Resolves at the next event of that name; an error is not one, or a refusal would look like a broken test. */
export function until(client: MqttClient, name: 'connect' | 'close'): Promise<void> {
  client.on('error', () => {});
  return new Promise((resolve) => client.once(name, () => resolve()));
}

/** The next message that a client receives. */
export function nextMessage(client: MqttClient): Promise<{ topic: string; text: string }> {
  return new Promise((resolve) => client.once('message', (topic, payload) => resolve({ topic, text: payload.toString() })));
}
