import { keyView, newKey, type Role, revoked, roles } from '@data-in-motion/shared/api/operations';
import type { Command } from 'commander';
import { age } from './figures.ts';
import { noun, verb } from './session.ts';
import { table } from './table.ts';
import { oneOf } from './units.ts';

export function addKeys(program: Command): void {
  const keys = noun(program, 'keys', 'who may call the control plane');
  verb(keys, {
    usage: 'list',
    says: 'the API keys that open, without their secrets',
    examples: ['keys list'],
    isDefault: true,
    async run(session) {
      const list = await session.api.list('keys', keyView);
      session.answer(list, () =>
        table(
          list.items,
          [
            { title: 'key', of: (row) => row.keyId },
            { title: 'name', of: (row) => row.name },
            { title: 'role', of: (row) => row.role },
            { title: 'made', of: (row) => age(row.createdAtMs, list.asOfMs) },
            { title: 'last used', of: (row) => age(row.lastUsedAtMs, list.asOfMs) },
          ],
          'No keys.',
        ),
      );
    },
  });
  verb<{ role: Role }>(keys, {
    usage: 'add <name>',
    says: 'make an API key; its secret is shown this once',
    examples: ['keys add dashboard', 'keys add billing --role operator'],
    options: (command) => command.option('--role <role>', 'viewer looks, operator changes, admin also decides who may', oneOf(roles), 'viewer'),
    async run(session, [name], { role }) {
      const answer = await session.api.call('addKey', newKey, { body: { name, role } });
      session.answer(
        answer,
        () => `${answer.secret}\n\nThe key ${answer.name} (${answer.role}), shown this once. To take it away: dim keys revoke ${answer.keyId}`,
      );
    },
  });
  verb(keys, {
    usage: 'revoke <key>',
    says: 'from now on a key opens nothing, nor does a console session begun with it',
    examples: ['keys revoke 0123456789abcdef'],
    async run(session, [keyId]) {
      const answer = await session.api.call('revokeKey', revoked, { path: { keyId: keyId! } });
      session.answer(answer, () => `The key ${answer.revoked} opens nothing any more.`);
    },
  });
}
