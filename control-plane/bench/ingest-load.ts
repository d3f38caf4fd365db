import { chainAfter, chainStart } from '@data-in-motion/shared/chain';
import { seededRandom } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';
import { connectAsync } from 'mqtt';

/** The agents of the ingest benchmark, in a process of their own: `url connections batches readings-per-batch life`. Says `ready`, starts at a line of input, says `sent`. */
const [url = '', connections = '', batches = '', perBatch = '', life = ''] = process.argv.slice(2);
const outstanding = 8;

function readingsOf(agent: string, batch: number, count: number): string {
  const list = Array.from({ length: count }, (_, drive) => ({
    type: 'reading',
    deviceId: `${agent}-drive-${drive}`,
    atMs: 1_767_225_600_000 + batch * 1_000 + drive,
    recordedDay: null,
    source: 'simulated',
    status: 'read',
    unreadableBecause: null,
    selfAssessmentPassed: true,
    temperatureCelsius: 30 + (drive % 9),
    powerOnHours: 20_000 + batch,
    smart: {
      '5': 0,
      '9': 20_000 + batch,
      '12': 31,
      '187': 0,
      '188': 0,
      '194': 30 + (drive % 9),
      '197': 0,
      '198': 0,
      '199': 3,
      '241': 123_456_789_012 + batch,
      '242': 987_654_321_098 + batch,
    },
    nvme: null,
  }));
  return JSON.stringify(list);
}

/** One life of an agent, sealed before the clock starts. */
function sealAll(agent: string, seed: number): string[] {
  const random = seededRandom(seed);
  let chain = chainStart;
  return Array.from({ length: Number(batches) }, (_, i) => {
    const records = readingsOf(agent, i, Number(perBatch));
    const prevChain = chain;
    chain = chainAfter(chain, records);
    return JSON.stringify({
      v: 1,
      uid: ulid(1_767_225_600_000 + i, random),
      inc: Number(life),
      seq: i + 1,
      prevChain,
      chain,
      sealedAtMs: 1_767_225_600_000,
      records,
    });
  });
}

const agents = await Promise.all(
  Array.from({ length: Number(connections) }, async (_, i) => {
    const name = `n${i}`;
    const client = await connectAsync(url, { clientId: name, username: name, password: 'bench', reconnectPeriod: 0 });
    await client.subscribeAsync(`dim/v1/${name}/down/#`, { qos: 1 });
    return { name, client, sealed: sealAll(name, Number(life) * 1_000 + i) };
  }),
);
console.log('ready');
await new Promise((resolve) => process.stdin.once('data', resolve));
await Promise.all(
  agents.map(async ({ name, client, sealed }) => {
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < sealed.length) await client.publishAsync(`dim/v1/${name}/up/batch`, sealed[next++]!, { qos: 1 });
    };
    await Promise.all(Array.from({ length: outstanding }, one));
  }),
);
console.log('sent');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.exit(0);
