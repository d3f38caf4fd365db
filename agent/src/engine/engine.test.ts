import { expect, test } from 'vitest';
import { Engine } from './engine.ts';

test('a small engine compiles from the first work on and until the last has ended, however that ends', async () => {
  const flags = new Map<string, string>();
  const engine = new Engine((flag) => {
    const [, no, name, value] = /^--(no-)?([a-z-]+?)(?:=(.+))?$/.exec(flag)!;
    flags.set(name!, value ?? (no === undefined ? 'on' : 'off'));
  });
  const small = { opt: 'off', maglev: 'off', 'heap-growing-percent': '10' };
  const fast = { opt: 'on', maglev: 'on', 'heap-growing-percent': '0' };
  const now = (): object => Object.fromEntries(flags);
  engine.beSmall();
  expect(now()).toEqual(small);
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  const works = [first, second].map(({ promise }) => engine.atWork(() => promise));
  expect(now()).toEqual(fast);
  first.resolve('copied');
  expect(await works[0]).toBe('copied');
  expect(now()).toEqual(fast);
  second.reject(new Error('the disk hangs'));
  await expect(works[1]).rejects.toThrow('the disk hangs');
  expect(now()).toEqual(small);
});

test('an engine that nobody made small is left as it is', async () => {
  const engine = new Engine((flag) => expect.unreachable(flag));
  expect(await engine.atWork(() => Promise.resolve(1))).toBe(1);
});

test('what a pass left behind is collected, but not while data is moved', async () => {
  let collected = 0;
  const engine = new Engine(
    () => {},
    () => collected++,
  );
  engine.tidy();
  expect(collected).toBe(1);
  await engine.atWork(async () => engine.tidy());
  expect(collected).toBe(1);
  new Engine(() => {}).tidy();
});
