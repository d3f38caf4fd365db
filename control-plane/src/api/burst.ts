import type { Access } from '@data-in-motion/shared/domain/heat';
import { pick, type Random, randomInt } from '@data-in-motion/shared/random';
import { ulid } from '@data-in-motion/shared/ulid';

const spanMs = 60_000;

/** Made-up reads of the last minute, spread at random over the datasets; the first of the list is read most, as in real life. */
export function burstAccesses(datasetIds: readonly string[], events: number, nowMs: number, random: Random): Access[] {
  return Array.from({ length: events }, () => {
    const popular = random.next() < 0.5 ? datasetIds[0]! : pick(random, datasetIds);
    return {
      accessId: `burst-${ulid(nowMs, random)}`,
      datasetId: popular,
      kind: random.next() < 0.95 ? 'read' : 'write',
      count: 1,
      bytes: randomInt(random, 4_096, 4_194_304),
      atMs: nowMs - randomInt(random, 0, spanMs),
      latencyMs: 1 + random.next() * 40,
      source: 'synthetic',
    };
  });
}
