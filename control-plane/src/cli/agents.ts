import { joinTokenAnswer } from '@data-in-motion/shared/api/operations';
import type { Command } from 'commander';
import { duration } from './figures.ts';
import { noun, verb } from './session.ts';
import { oneOf } from './units.ts';

export function addAgents(program: Command): void {
  const agents = noun(program, 'agents', 'who may join the fleet');
  verb<{ role: 'agent' | 'client' }>(agents, {
    usage: 'join-token [node]',
    says: 'a token with which one agent (or, with --role client, one application) joins; good once, for ten minutes',
    examples: ['agents join-token hamburg', 'agents join-token gateway --role client'],
    options: (command) => command.option('--role <role>', 'agent or client', oneOf(['agent', 'client'] as const), 'agent'),
    async run(session, [nodeId], options) {
      const answer = await session.api.call('joinToken', joinTokenAnswer, { body: { ...(nodeId === undefined ? {} : { nodeId }), role: options.role } });
      session.answer(answer, () => `${answer.token}\n\nGood once, for ${duration(answer.expiresAtMs - Date.now())}. On the node:\n  ${answer.command}`);
    },
  });
}
