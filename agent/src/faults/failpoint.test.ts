import { expect, test } from 'vitest';
import { failpointOf, parseFailpoint } from './failpoint.ts';

test('a failpoint kills the third time it is passed, and only there', () => {
  const kills: number[] = [];
  let passed = 0;
  const failpoint = failpointOf(parseFailpoint('C13:kill:3'), () => kills.push(passed));
  for (passed = 1; passed <= 5; passed++) {
    failpoint('C13');
    failpoint('C14');
  }
  expect(kills).toEqual([3]);
});

test.each(['', 'C13', 'C13:kill', 'C13:kill:0', 'C13:pause:1', 'C13:kill:-1'])('"%s" is refused as a failpoint', (text) => {
  expect(() => parseFailpoint(text)).toThrow(/not a failpoint/);
});
