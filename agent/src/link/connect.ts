import { createConnection } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

const mqttPort = 1_883;

/**
 * A new client of a bus, which begins to connect. One without TLS connects by Node alone: the library's own way loads all that it could connect by, which
 * is 2.5 MB of TLS, web sockets and proxies.
 *
 * @throws Error when the address is none
 */
export function connect(url: string, options: IClientOptions): MqttClient {
  const { protocol, hostname, port, username } = new URL(url);
  // A name in the address stands over the one in the options, which is the library's to know.
  if (protocol !== 'mqtt:' || username !== '') return mqtt.connect(url, options);
  const to = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? mqttPort : Number(port) };
  return new mqtt.MqttClient(() => createConnection(to), options);
}
