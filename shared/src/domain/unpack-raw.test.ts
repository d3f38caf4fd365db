import { describe, expect, test } from 'vitest';
import { unpackRaw } from './unpack-raw.ts';

describe('raw SMART values', () => {
  test.each([
    ['one time-out of a Seagate drive, three counters in one number', 188, 4_295_032_833, 1],
    ['twelve of them, from a real ST16000NM001G', 188, 51_540_393_996, 12],
    ['time-outs that only the upper counter holds', 188, 3 * 2 ** 32, 3],
    ['a plain count of time-outs', 188, 33, 33],
    ['hours below milliseconds, from a real ST8000NM0016', 9, 209_259_396_633_810, 38_098],
    ['hours below minutes and seconds, from a real ST1000NM0008', 9, 9_023_116_403_587_028, 47_060],
    ['a temperature with its minimum and maximum', 194, 0x2d_0014_0021, 33],
    ['a temperature below zero', 194, 0xfb, -5],
    ['reallocated sectors beside another counter', 5, 2 ** 32 + 7, 7],
    ['many reallocated sectors of a solid-state drive', 5, 70_000, 70_000],
  ])('%s', (_, attribute, raw, count) => {
    expect(unpackRaw(attribute, raw)).toBe(count);
    expect(unpackRaw(attribute, count)).toBe(count);
  });

  test.each([
    ['a Seagate drive: errors above the operations', 'seagate', 7, 12_834_215_976_973, 2_988],
    ['a Seagate drive without read errors', 'seagate', 1, 239_307_048, 0],
    ['another maker: a plain count', 'wdc', 1, 178_322, 178_322],
    ['a Toshiba drive: plain hours', 'toshiba', 240, 30_112, 30_112],
  ] as const)('of %s', (_, maker, attribute, raw, count) => {
    expect(unpackRaw(attribute, raw, maker)).toBe(count);
    expect(unpackRaw(attribute, count)).toBe(count);
  });

  test('what is no count is left out', () => {
    for (const raw of [Number.NaN, Number.POSITIVE_INFINITY, -1]) expect(unpackRaw(5, raw)).toBeUndefined();
  });
});
