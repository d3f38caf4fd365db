import { defaultPolicy } from '@data-in-motion/shared/domain/policy';
import { expect, test } from 'vitest';
import { changedPolicy, type PolicyDraft } from './changed-policy.ts';

const before = { ...defaultPolicy, regions: ['eu-west'], pinnedTargets: [], forbiddenTargets: [] };
const draft = (more: Partial<PolicyDraft>): PolicyDraft => ({ ...before, regions: 'eu-west', pinnedTargets: '', forbiddenTargets: '', ...more });

test('only the rules that a person changed are sent', () => {
  expect(changedPolicy(before, draft({}), [])).toEqual({ set: {}, clear: [] });
  expect(changedPolicy(before, draft({ copies: 3, regions: 'eu-west, eu-central,' }), [])).toEqual({
    set: { copies: 3, regions: ['eu-west', 'eu-central'] },
    clear: [],
  });
});

test('a rule that goes back to the global policy is cleared and not set', () => {
  expect(changedPolicy(before, draft({ copies: 3 }), ['copies'])).toEqual({ set: {}, clear: ['copies'] });
});

test('an emptied limit means no limit', () => {
  const emptied: Partial<PolicyDraft> = { latencySloMs: null };
  expect(changedPolicy({ ...before, latencySloMs: 50 }, draft(emptied), [])).toEqual({ set: { latencySloMs: null }, clear: [] });
});
