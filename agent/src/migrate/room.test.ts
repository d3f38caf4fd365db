import { expect, test } from 'vitest';
import { Rooms } from './room.ts';

const target = { targetId: 'one', reserveBytes: 100 };

test('two copies do not count on the same free bytes, and what one has written is not counted twice', () => {
  const rooms = new Rooms();
  const first = rooms.promise(target, 500, 1_000);
  expect(() => rooms.promise(target, 500, 1_000)).toThrow('500 of them promised to other copies');
  rooms.promise({ ...target, targetId: 'two' }, 500, 1_000).giveBack();
  first.wrote(400);
  rooms.promise(target, 300, 600).giveBack();
  expect(() => rooms.promise(target, 450, 600)).toThrow('do not fit');
  first.giveBack();
  rooms.promise(target, 480, 600);
});

test('the reserve stays free', () => {
  expect(() => new Rooms().promise(target, 890, 1_000)).toThrow(expect.objectContaining({ kind: 'exhausted', code: 'target.full' }));
});
