import { policyView } from '@data-in-motion/shared/api/datasets';
import { changedPolicy } from '@data-in-motion/shared/api/explanation';
import { Failure } from '@data-in-motion/shared/failure';
import type { Command } from 'commander';
import { warningText } from './explanation-text.ts';
import { addPolicyOptions, forceOf, type PolicyOptions, policyPatchOf, policyText } from './policy-options.ts';
import { noun, verb } from './session.ts';

export function addPolicy(program: Command): void {
  const policy = noun(program, 'policy', 'what every dataset must have that says nothing else itself');
  verb(policy, {
    usage: 'show',
    isDefault: true,
    says: 'the global policy',
    examples: ['policy'],
    async run(session) {
      const value = await session.api.call('policy', policyView);
      session.answer(value, () => policyText(value));
    },
  });
  verb<PolicyOptions>(policy, {
    usage: 'set',
    says: 'change fields of the global policy',
    examples: ['policy set --copies 2 --spread site', 'policy set --mode advisory'],
    options: addPolicyOptions,
    async run(session, _args, options) {
      const patch = policyPatchOf(options);
      if (Object.keys(patch).length === 0)
        throw new Failure('refused', { code: 'usage', message: 'Nothing to change was given.', hint: 'See: dim policy set --help' });
      const { warning, ...value } = await session.api.call('patchPolicy', changedPolicy, { body: patch, ...forceOf(options) });
      session.answer(warning === undefined ? value : { ...value, warning }, () => policyText(value));
      if (warning !== undefined) session.say(warningText(warning));
    },
  });
}
