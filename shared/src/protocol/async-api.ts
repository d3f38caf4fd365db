import { z } from 'zod';
import { type Topic, topics } from './topics.ts';

/** What stands for an identity in a pattern. */
const parameters: Readonly<Record<string, { description: string }>> = {
  nodeId: { description: "a node's name: the identity of its agent" },
  clientId: { description: 'the identity of an application on the bus' },
};

/** The AsyncAPI 3 document of the bus, made from the topic table: seen from the control plane, what agents and clients send is received. */
export function asyncApiDocument(version: string) {
  const rows = Object.entries(topics) as [string, Topic][];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Data in Motion: the bus',
      version,
      description: 'MQTT 3.1.1. Metadata travels in the payload. A PUBACK is not a receipt: batches are acknowledged by the ack topic, after the commit.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { broker: { host: '127.0.0.1:1883', protocol: 'mqtt', description: 'the embedded broker; MQTT_URL names another' } },
    channels: Object.fromEntries(
      rows.map(([name, topic]) => {
        const names = [...topic.pattern.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
        return [
          name,
          {
            address: topic.pattern,
            description: topic.says,
            messages: { [name]: { $ref: `#/components/messages/${name}` } },
            ...(names.length === 0 ? {} : { parameters: Object.fromEntries(names.map((one) => [one, parameters[one]])) }),
            bindings: { mqtt: {} },
          },
        ];
      }),
    ),
    operations: Object.fromEntries(
      rows.map(([name, topic]) => [
        `${topic.from === 'control-plane' ? 'send' : 'receive'}${name[0]!.toUpperCase()}${name.slice(1)}`,
        {
          action: topic.from === 'control-plane' ? 'send' : 'receive',
          channel: { $ref: `#/channels/${name}` },
          messages: [{ $ref: `#/channels/${name}/messages/${name}` }],
          bindings: { mqtt: { qos: topic.qos, retain: topic.retain } },
        },
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        rows.map(([name, topic]) => [name, { name, summary: topic.says, contentType: 'application/json', payload: schemaOf(topic.payload) }]),
      ),
    },
  };
}

/** JSON Schema draft 7, which AsyncAPI's own schema format extends. */
function schemaOf(payload: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(payload, { target: 'draft-7', io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
  return schema;
}

/** The topic table as the README prints it. */
export function topicTable(): string {
  const rows = (Object.entries(topics) as [string, Topic][]).map(
    ([name, topic]) => `| ${name} | \`${topic.pattern}\` | ${topic.from} | ${topic.qos} | ${topic.retain ? 'yes' : 'no'} | ${topic.says} |`,
  );
  return ['| name | topic | from | QoS | retained | what it says |', '|---|---|---|---|---|---|', ...rows].join('\n');
}
