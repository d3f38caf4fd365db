import { seededRandom } from '@data-in-motion/shared/random';
import { describe, expect, test } from 'vitest';
import { type HeardMessage, linkContract } from './link.contract.ts';
import { MemoryBus, MemoryLink } from './memory-link.ts';

describe('a link in memory', () => {
  linkContract(async () => {
    const bus = new MemoryBus(seededRandom(1));
    const heard: HeardMessage[] = [];
    const waiting = new Set<() => void>();
    bus.subscribe((topic, text) => {
      heard.push({ topic, text });
      for (const look of waiting) look();
    });
    let session = 0;
    return {
      makeLink: (nodeId) => new MemoryLink({ bus, nodeId, nextSession: () => ++session, nowMs: () => 1 }),
      untilHeard: (matches) =>
        new Promise((resolve) => {
          const look = (): void => {
            const found = heard.find(matches);
            if (found === undefined) return;
            waiting.delete(look);
            resolve(found);
          };
          waiting.add(look);
          look();
        }),
      say: (topic, text, retain) => bus.publish(topic, text, retain),
      break: (link) => {
        (link as MemoryLink).lose();
        return { again: () => link.start() };
      },
      retained: async (topic) => bus.retained.get(topic),
      close: async () => {},
    };
  });
});

test('a bus in bad weather loses, repeats and reorders, the same way for the same seed', async () => {
  const run = async (): Promise<string[]> => {
    const bus = new MemoryBus(seededRandom(7), { loss: 0.2, duplication: 0.2, reordering: 0.2 });
    const heard: string[] = [];
    bus.subscribe((_, text) => heard.push(text));
    for (let i = 0; i < 100; i++) bus.publish('t', String(i));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    return heard;
  };
  const heard = await run();
  expect(new Set(heard).size).toBeLessThan(100);
  expect(heard.length).toBeGreaterThan(new Set(heard).size);
  expect(heard).not.toEqual([...heard].sort((a, b) => Number(a) - Number(b)));
  expect(await run()).toEqual(heard);
});
