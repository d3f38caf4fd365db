import { describe, expect, test } from 'vitest';
import { atimeOption } from './atime-option.ts';

const mounts = ['/dev/sda1 / ext4 rw,relatime 0 0', '/dev/sdb1 /srv xfs rw,noatime 0 0', '/dev/sdc1 /srv/with\\040space ext4 rw 0 0', ''].join('\n');

describe('how a mount keeps access times', () => {
  test.each([
    ['/home/someone', 'once-a-day'],
    ['/srv', 'never'],
    ['/srv/cold', 'never'],
    ['/srvother', 'once-a-day'],
    ['/srv/with space/t', 'every-read'],
  ])('of %s is %s', (place, option) => {
    expect(atimeOption(mounts, place)).toBe(option);
  });

  test('is not known without mounts', () => {
    expect(atimeOption('', '/srv')).toBeUndefined();
  });
});
