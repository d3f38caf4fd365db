import type { MoveView } from '@data-in-motion/shared/api/decisions';
import type { TargetView } from '@data-in-motion/shared/api/fleet';
import { describe, expect, test } from 'vitest';
import { layFlows } from './flow-layout.ts';
import { consequence, flowsOf } from './flows-of.ts';

const targets = [
  ['a-hot', 'hot'],
  ['b-warm', 'warm'],
  ['c-cold', 'cold'],
].map(([targetId, tier]) => ({ targetId, tier }) as TargetView);
let made = 0;
const move = (
  fromTargetId: string | null,
  toTargetId: string | null,
  sizeBytes: number,
  need: MoveView['need'] = 'cheaper-place',
  more: Partial<MoveView> = {},
) =>
  ({
    moveId: `m${made++}`,
    fromTargetId,
    toTargetId,
    sizeBytes,
    need,
    action: 'move',
    changePerMonth: -1,
    migrationOnce: 2,
    expectedMs: 1000,
    confidence: 0.9,
    jobId: null,
    ...more,
  }) as MoveView;
const frame = { width: 1000, height: 400, top: 20, nodeWidth: 10, gap: 20 };
const moves = [
  move('a-hot', 'c-cold', 3e9),
  move('a-hot', 'c-cold', 1e9, 'evacuate-device'),
  move('b-warm', null, 2e9, 'drop-copy'),
  move(null, 'b-warm', 5e9, 'add-copy'),
];

describe('moves as flows', () => {
  test('are added up by places and reason, and led through the tiers on both sides', () => {
    const { flows, nodes } = flowsOf(moves, targets, 'tiers');
    const told = flows.map((flow) => [flow.from.slice(2), flow.to.slice(2), flow.group, flow.sizeBytes / 1e9]);
    expect(told).toContainEqual(['a-hot', 'c-cold', 'cost', 3]);
    expect(told).toContainEqual(['a-hot', 'c-cold', 'safety', 1]);
    expect(told).toContainEqual(['hot', 'a-hot', 'cost', 3]);
    expect(told).toContainEqual(['new copies', 'b-warm', 'safety', 5]);
    expect(told).toContainEqual(['b-warm', 'leave', 'clean-up', 2]);
    expect(nodes.filter((node) => node.name === 'leave' || node.name === 'new copies').map((node) => [node.column, node.tier])).toEqual([
      [2, ''],
      [1, ''],
    ]);
  });

  test('of many small places are one, so that a drawing stays one', () => {
    const many = Array.from({ length: 30 }, (_, i) => move(`t${i}`, 'c-cold', (i + 1) * 1e9));
    const from = flowsOf(many, targets, 'places').nodes.filter((node) => node.column === 1);
    expect([from.length, from.find((node) => node.name === 'smaller places')?.moveIds.length]).toEqual([10, 21]);
  });

  test('that apply to a plan are those that are no jobs yet', () => {
    const some = [
      move('a-hot', 'c-cold', 3e9),
      move('a-hot', null, 1e9, 'drop-copy', { action: 'retire', expectedMs: null }),
      move('a-hot', 'c-cold', 9e9, 'cheaper-place', { jobId: 'j' }),
    ];
    expect(consequence(some)).toEqual({ moves: 2, sizeBytes: 3e9, migrationOnce: 4, changePerMonth: -2, expectedMs: 1000, leastConfidence: 0.9 });
  });
});

describe('a layout', () => {
  test.each(['tiers', 'places'] as const)('keeps bytes: what comes into a node and what goes out is as high as the node, and nothing overlaps (%s)', (show) => {
    const laid = layFlows(flowsOf(moves, targets, show), frame);
    for (const node of laid.nodes) {
      const through = (end: 'from' | 'to') => laid.flows.reduce((sum, flow) => sum + (flow[end] === node.id ? flow.width : 0), 0);
      expect(Math.max(through('from'), through('to'))).toBeCloseTo(node.height, 6);
      expect([node.y >= frame.top - 1e-9, node.y + node.height <= frame.height + 1e-9]).toEqual([true, true]);
      for (const other of laid.nodes)
        if (other !== node && other.column === node.column)
          expect(other.y >= node.y + node.height + frame.gap - 1e-9 || other.y + other.height + frame.gap <= node.y + 1e-9).toBe(true);
    }
    expect([Math.min(...laid.nodes.map((node) => node.x)), Math.max(...laid.nodes.map((node) => node.x))]).toEqual([0, 990]);
  });

  test('has no crossing where none is needed', () => {
    const { flows } = layFlows(flowsOf([move('a-hot', 'x', 1e9), move('b-warm', 'y', 9e9), move('c-cold', 'z', 4e9)], targets, 'places'), frame);
    expect(flows.toSorted((a, b) => a.source.y - b.source.y).map((flow) => flow.to)).toEqual(
      flows.toSorted((a, b) => a.target.y - b.target.y).map((flow) => flow.to),
    );
  });

  test('shows a move of nothing, a plan that only drops, and one before the targets are known', () => {
    expect(layFlows(flowsOf([move('a-hot', 'c-cold', 0)], targets, 'tiers'), frame).flows.every((flow) => Number.isFinite(flow.width))).toBe(true);
    expect(layFlows(flowsOf([move('a-hot', null, 1e9, 'drop-copy')], targets, 'tiers'), frame).nodes.map((node) => node.x)).toEqual([0, 495, 990]);
    expect(layFlows(flowsOf(moves, [], 'tiers'), frame).nodes.every((node) => Number.isFinite(node.y))).toBe(true);
  });
});
