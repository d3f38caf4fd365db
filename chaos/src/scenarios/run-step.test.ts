import type { DeviceView } from '@data-in-motion/shared/api/fleet';
import type { DeviceId, TargetId } from '@data-in-motion/shared/domain/ids';
import { expect, test } from 'vitest';
import { isOffRisky } from './run-step.ts';

const drive = (name: string, verdict: 'evacuated' | 'watched'): Pick<DeviceView, 'deviceId' | 'targetIds' | 'evacuation'> => ({
  deviceId: name as DeviceId,
  targetIds: [`on-${name}` as TargetId],
  evacuation: { verdict } as DeviceView['evacuation'],
});
const copyOn = (name: string) => ({ state: 'verified', targetId: `on-${name}` });

test('a dataset is off risky drives when those that are being emptied hold none of it, whatever is only watched', () => {
  const risky = [drive('dying', 'evacuated'), drive('odd', 'watched')];
  expect(isOffRisky(risky, [copyOn('dying'), copyOn('odd')], true, '')[0]).toBe(false);
  expect(isOffRisky(risky, [copyOn('odd'), copyOn('sound')], true, '')[0]).toBe(true);
});

test('where a drive is only watched it is not waited for its copies to leave: what was seen says so', () => {
  expect(isOffRisky([drive('odd', 'watched')], [copyOn('odd')], true, 'policy met')).toEqual([
    false,
    'devices being emptied: 0, copies on them: none; risky but not being emptied: odd (watched); policy met',
  ]);
});
