import { Failure } from '@data-in-motion/shared/failure';
import { expect, test } from 'vitest';
import { classifyError, ofStateDisk } from './error-class.ts';

const system = (code: string): Error => Object.assign(new Error(`${code}: said the system`), { code });
test.each([
  ['a full disk', system('ENOSPC'), 'space'],
  ['a quota', system('EDQUOT'), 'space'],
  ['a medium that gives no bytes', system('EIO'), 'device'],
  ['a name that is too long', system('ENAMETOOLONG'), 'permanent'],
  ['staging on another file system', system('EXDEV'), 'permanent'],
  ['a connection that broke', system('ECONNRESET'), 'transient'],
  ['too many open files', system('EMFILE'), 'transient'],
  ['a growing file', new Failure('unavailable', { code: 'source.file-growing', message: '' }), 'file-growing'],
  ['a source that changed', new Failure('refused', { code: 'source.changed', message: '' }), 'source-changed'],
  ['a rotten source', new Failure('corrupt', { code: 'source.corrupt', message: '' }), 'integrity'],
  ['a grant that is no grant', new Failure('refused', { code: 'transfer.unauthorised', message: '' }), 'auth'],
  ['a grant that is over', new Failure('refused', { code: 'transfer.expired', message: '' }), 'clock'],
  ['a full disk under the state directory', new Failure('exhausted', { code: 'journal.disk-full', message: '' }), 'transient'],
  ['a full disk under the list of a source', ofStateDisk(system('ENOSPC'), ''), 'transient'],
  ['another error there', ofStateDisk(system('EIO'), ''), 'device'],
  ['a mistake of ours', new TypeError('undefined is no function'), 'permanent'],
])('%s is told as what to do about it', (_, thrown, errorClass) => {
  expect(classifyError(thrown).class).toBe(errorClass);
});

test('the message is bounded and has no control characters', () => {
  const { message } = classifyError(new Error(`a\u001b[2J${'x'.repeat(5_000)}`));
  expect(message.length).toBeLessThanOrEqual(1_000);
  expect(message).not.toContain('\u001b');
});

test('a growing file says when to come back', () => {
  expect(classifyError(new Failure('unavailable', { code: 'source.file-growing', message: '' })).retryAfterMs).toBeGreaterThan(0);
});
