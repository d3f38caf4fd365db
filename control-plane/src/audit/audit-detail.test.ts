import { expect, test } from 'vitest';
import { auditDetail } from './audit-detail.ts';

test('the audit keeps what was asked for, without secrets, and little of what is long', () => {
  const asked = { token: 't', nodeId: 'oslo', inner: { password: 'p', text: 'x'.repeat(400) }, few: ['a'], many: new Array(21).fill({ a: 1 }) };
  const detail = auditDetail(asked);
  expect(detail).toMatchObject({ token: 'not kept', nodeId: 'oslo', inner: { password: 'not kept' }, few: ['a'], many: '21 of them' });
  expect(JSON.stringify(detail).length).toBeLessThan(450);
});

test('a long text that is cut in the middle of a character can still be stored', () => {
  const { text } = auditDetail({ text: `${'x'.repeat(299)}😀 and more` });
  expect([String(text).isWellFormed(), String(text).length]).toEqual([true, 301]);
});

test('a request that had no body, or none that could be read, has no detail', () => {
  expect([auditDetail(undefined), auditDetail('text'), auditDetail([1])]).toEqual([{}, {}, {}]);
});
