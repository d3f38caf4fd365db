import { describe, expect, test } from 'vitest';
import { type Guard, simulateDelivery } from './delivery-simulation.ts';

const runs = Number(process.env.DELIVERY_RUNS ?? 120);
const firstSeed = Number(process.env.DELIVERY_SEED ?? 1);

describe('delivery', () => {
  test('what an agent accepted is stored once, whatever the network, the store and the disk do', () => {
    for (let seed = firstSeed; seed < firstSeed + runs; seed++)
      expect(simulateDelivery(seed), `seed ${seed}: DELIVERY_SEED=${seed} DELIVERY_RUNS=1`).toBeNull();
  });

  test.each<Guard>(['uid-dedupe', 'count-inserted', 'contiguous', 'epoch-in-ack', 'chain-in-ack', 'retention', 'rewind'])(
    'without the guard %s a promise breaks',
    (guard) => {
      let broken: string | null = null;
      for (let seed = firstSeed; broken === null && seed < firstSeed + runs; seed++) broken = simulateDelivery(seed, guard);
      expect(broken).toBeTypeOf('string');
    },
  );
});
