import type { TargetId } from '@data-in-motion/shared/domain/ids';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { expect, test } from 'vitest';
import { isNoticeable } from './noticeable-change.ts';

type Stats = RecordOf<'target-stats'>;

const before: Stats = {
  ...{ type: 'target-stats', targetId: 'cold' as TargetId, atMs: 1, reachable: true, unreachableBecause: null },
  ...{ capacityBytes: 1e12, usedBytes: 4e11, freeBytes: 6e11 },
  ...{ latencyP50Ms: 4, latencyP95Ms: 9, latencyP99Ms: 20, readBytesPerSec: 2e8, writeBytesPerSec: 1e8 },
};
const change = (now: Partial<Stats>, from: Partial<Stats> = {}): boolean => isNoticeable({ ...before, ...from }, { ...before, atMs: 2, ...now });

test('time that passes, a log that grows and percentiles that wander are nothing new', () => {
  expect(change({})).toBe(false);
  expect(change({ usedBytes: 4e11 + 5e8, freeBytes: 6e11 - 5e8 })).toBe(false);
  expect(change({ latencyP50Ms: 4.9, latencyP95Ms: 7, latencyP99Ms: 24, readBytesPerSec: 1.6e8 })).toBe(false);
  // A cache that answers in 0.1 or in 1.5 ms is as good either way.
  expect(change({ latencyP50Ms: 1.5 }, { latencyP50Ms: 0.1 })).toBe(false);
});

test.each<[string, Partial<Stats>, Partial<Stats>]>([
  ['a target that is gone', { reachable: false, unreachableBecause: 'its disk is away' }, {}],
  ['another reason for it', { reachable: false, unreachableBecause: 'b' }, { reachable: false, unreachableBecause: 'a' }],
  ['a copy that came', { usedBytes: 4.02e11 }, {}],
  ['a disk that is full now, whatever came last', { freeBytes: 0 }, { freeBytes: 4_096 }],
  ['a disk that is not full any more', { freeBytes: 4_096 }, { freeBytes: 0 }],
  ['another bound', { capacityBytes: 2e12 }, {}],
  ['a disk that became slow', { latencyP99Ms: 26 }, {}],
  ['a disk that recovered', { latencyP95Ms: 4 }, {}],
  ['a first measurement', {}, { writeBytesPerSec: null }],
  ['a rate that fell', { readBytesPerSec: 1.4e8 }, {}],
])('%s is told at once', (_, now, from) => {
  expect(change(now, from)).toBe(true);
});
