import { loginTokenAnswer } from '@data-in-motion/shared/api/operations';
import type { Command } from 'commander';
import { duration } from './figures.ts';
import { verb } from './session.ts';

export function addConsole(program: Command): void {
  verb(program, {
    usage: 'console',
    says: 'an address of the console that signs you in; good once',
    examples: ['console', 'console --url http://10.0.0.5:8080'],
    async run(session) {
      const answer = await session.api.call('loginToken', loginTokenAnswer, { body: {} });
      const url = answer.url.startsWith('http') ? answer.url : `${session.access.url.replace(/\/$/, '')}/#token=${answer.token}`;
      session.answer({ ...answer, url }, () => `${url}\n(good once, for ${duration(answer.expiresAtMs - Date.now())})`);
    },
  });
}
