import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { enrollAnswer, joinTokenAnswer, revoked } from '@data-in-motion/shared/api/operations';
import type { Command } from 'commander';
import { duration } from './figures.ts';
import { noun, type Session, verb } from './session.ts';
import { oneOf } from './units.ts';

type Role = 'agent' | 'client';

export function addAgents(program: Command): void {
  const agents = noun(program, 'agents', 'who may join the fleet');
  verb<{ role: Role }>(agents, {
    usage: 'join-token [node]',
    says: 'a token with which one agent (or, with --role client, one application) joins; good once, for ten minutes',
    examples: ['agents join-token hamburg', 'agents join-token gateway --role client'],
    options: (command) => command.option('--role <role>', 'agent or client', oneOf(['agent', 'client'] as const), 'agent'),
    async run(session, [nodeId], options) {
      const answer = await joinToken(session, nodeId, options.role);
      session.answer(answer, () => `${answer.token}\n\nGood once, for ${duration(answer.expiresAtMs - Date.now())}. On the node:\n  ${answer.command}`);
    },
  });
  verb<{ role: Role; token?: string; output?: string }>(agents, {
    usage: 'enroll <node>',
    says: 'an identity on the bus for one agent (or application), written to a file that only you can read; it replaces the one that the name had',
    examples: ['agents enroll hamburg', 'agents enroll gateway --role client -o gateway.json', 'agents enroll hamburg --token TOKEN'],
    options: (command) =>
      command
        .option('--role <role>', 'agent or client', oneOf(['agent', 'client'] as const), 'agent')
        .option('--token <token>', 'a join token that somebody gave you; otherwise one is made with your key')
        .option('-o, --output <file>', 'where to write the credentials (default: <node>.credentials.json)'),
    async run(session, [nodeId], options) {
      const file = options.output ?? `${nodeId}.credentials.json`;
      // Opened first, and never over another: an identity whose password could not be written down would be lost.
      const opened = openSync(file, 'wx', 0o600);
      const credentials = await enroll(session, nodeId!, options).catch((error: unknown) => {
        rmSync(file);
        throw error;
      });
      writeSync(opened, `${JSON.stringify(credentials, null, 2)}\n`);
      closeSync(opened);
      const { password: _, ...shown } = credentials;
      const use =
        options.role === 'client'
          ? `the application connects with the client id and user name ${nodeId} and the password in it`
          : "name it as credentialsFile in the agent's settings";
      session.answer({ ...shown, file }, () => `${nodeId} may speak on ${credentials.mqttUrl}. Its credentials are in ${file}: ${use}.`);
    },
  });
  verb(agents, {
    usage: 'revoke <node>',
    says: 'take the identity of an agent (or application) away: it is disconnected, and the copies on its node no longer count',
    examples: ['agents revoke hamburg'],
    async run(session, [nodeId]) {
      const answer = await session.api.call('revokeAgent', revoked, { path: { nodeId: nodeId! } });
      session.answer(answer, () => `${answer.revoked} may not speak on the bus any more. To let it in again: dim agents join-token ${answer.revoked}`);
    },
  });
}

async function enroll(session: Session, nodeId: string, options: { role: Role; token?: string }) {
  const token = options.token ?? (await joinToken(session, nodeId, options.role)).token;
  return session.api.call('enroll', enrollAnswer, { body: { token, nodeId } });
}

function joinToken(session: Session, nodeId: string | undefined, role: Role) {
  return session.api.call('joinToken', joinTokenAnswer, { body: { ...(nodeId === undefined ? {} : { nodeId }), role } });
}
