import { expect, test } from 'vitest';
import { Rooms } from './room.ts';

const target = { targetId: 'one', reserveBytes: 100 };
const free = (freeBytes: number, device = 1n) => ({ device, freeBytes });

test('two copies do not count on the same free bytes, and what one has written is not counted twice', () => {
  const rooms = new Rooms();
  const first = rooms.promise(target, 500, free(1_000));
  expect(() => rooms.promise(target, 500, free(1_000))).toThrow('500 of them promised to other copies');
  first.wrote(400);
  rooms.promise(target, 300, free(600)).giveBack();
  expect(() => rooms.promise(target, 450, free(600))).toThrow('do not fit');
  first.giveBack();
  rooms.promise(target, 480, free(600));
});

test('targets of one file system share its bytes, targets of others have their own', () => {
  const rooms = new Rooms();
  rooms.promise(target, 500, free(1_000));
  expect(() => rooms.promise({ ...target, targetId: 'two' }, 500, free(1_000))).toThrow('500 of them promised to other copies');
  rooms.promise({ ...target, targetId: 'three' }, 500, free(1_000, 2n));
});

test('the reserve stays free', () => {
  expect(() => new Rooms().promise(target, 890, free(1_000))).toThrow(expect.objectContaining({ kind: 'exhausted', code: 'target.full' }));
});
