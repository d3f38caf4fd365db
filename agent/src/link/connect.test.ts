import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connect.ts';

/** The first bytes that come to a server at an address of this machine. */
async function firstBytes(host: string, url: (port: number) => string): Promise<Buffer> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const client = connect(url((server.address() as AddressInfo).port), { clientId: 'node-a', reconnectPeriod: 0, username: 'node-a', password: 'secret' });
  client.on('error', () => {});
  onTestFinished(async () => {
    await client.endAsync(true);
    server.close();
  });
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return bytes;
}

const hello = /^"\\u0010.+MQTT.+node-a.+node-a.+secret"$/;

test.each([
  ['127.0.0.1', (port: number) => `mqtt://127.0.0.1:${port}`, hello],
  ['127.0.0.1', (port: number) => `mqtt://localhost:${port}/`, hello],
  ['::1', (port: number) => `mqtt://[::1]:${port}`, hello],
  ['127.0.0.1', (port: number) => `ws://127.0.0.1:${port}/bus`, /^"GET \/bus HTTP\/1\.1/],
  ['127.0.0.1', (port: number) => `mqtts://127.0.0.1:${port}`, /^"\\u0016\\u0003/],
  ['127.0.0.1', (port: number) => `mqtt://someone:else@127.0.0.1:${port}`, /^"\\u0010.+MQTT.+node-a.+someone.+else"$/],
])('at %s a client begins as its address says', async (host, url, begin) => {
  expect(JSON.stringify((await firstBytes(host, url)).toString('latin1'))).toMatch(begin);
});
