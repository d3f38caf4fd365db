import { expect, test } from 'vitest';
import { type Work, WorkQueue } from './work-queue.ts';

function work(key: string, claims: string[], log: string[], isHeavy = true): Work & { finish: () => void } {
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return {
    key,
    claims,
    isHeavy,
    finish: () => finish(),
    run: (signal) => {
      log.push(`start ${key}`);
      signal.addEventListener('abort', () => finish());
      return finished.then(() => void log.push(`end ${key}`));
    },
  };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('heavy work is bounded, light work passes it, and the order of coming is kept', async () => {
  const log: string[] = [];
  const queue = new WorkQueue(1);
  const [a, b, light] = [work('a', ['a'], log), work('b', ['b'], log), work('light', ['c'], log, false)];
  for (const one of [a, b, light]) queue.add(one);
  expect(log).toEqual(['start a', 'start light']);
  a.finish();
  await settled();
  expect(log).toEqual(['start a', 'start light', 'end a', 'start b']);
  await queue.close();
});

test('two pieces of work for one job never run together, and the later does not overtake', async () => {
  const log: string[] = [];
  const queue = new WorkQueue(4);
  const [first, second, third] = [work('1', ['job/x'], log), work('2', ['job/x', 'job/y'], log), work('3', ['job/y'], log)];
  for (const one of [first, second, third]) queue.add(one);
  expect(log).toEqual(['start 1']);
  first.finish();
  await settled();
  second.finish();
  await settled();
  expect(log).toEqual(['start 1', 'end 1', 'start 2', 'end 2', 'start 3']);
  await queue.close();
});

test('what is not wanted any more is stopped or never starts', async () => {
  const log: string[] = [];
  const queue = new WorkQueue(1);
  for (const key of ['a', 'b', 'c']) queue.add(work(key, [key], log));
  queue.keepOnly(new Set(['c']));
  await settled();
  expect(log).toEqual(['start a', 'end a', 'start c']);
  expect(queue.has('b')).toBe(false);
  await queue.close();
  expect(log.at(-1)).toBe('end c');
});
