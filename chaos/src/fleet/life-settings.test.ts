import { expect, test } from 'vitest';
import { hurriedLife, targetEveryMs, watchableLife } from './life-settings.ts';

/** What an agent saw is gathered this long before it is sent. */
const gatheredMs = 2_000;

test.each([
  ['watched', watchableLife],
  ['hurried', hurriedLife],
])('in a %s fleet an agent may leave out a look before it is late, and is late before it is lost', (_, life) => {
  const [lateAfterMs, lostAfterMs] = [Number(life['DIM_LATE_AFTER_MS']), Number(life['DIM_LOST_AFTER_MS'])];
  expect(lateAfterMs).toBeGreaterThanOrEqual(2 * targetEveryMs + gatheredMs);
  expect(lostAfterMs).toBeGreaterThan(lateAfterMs);
});
