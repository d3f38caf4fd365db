import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '@data-in-motion/shared/clock';
import { asFailure, type Failure } from '@data-in-motion/shared/failure';
import { systemRandom } from '@data-in-motion/shared/random';
import { pino } from 'pino';
import { z } from 'zod';
import { startAgent } from './agent.ts';
import { type AgentConfig, type Environment, readConfig, readEnrolmentSettings } from './config.ts';
import { enrol } from './enrol.ts';
import { MqttLink } from './link/mqtt-link.ts';

const usage = `Usage:
  node agent/src/main.ts --config FILE                                run the agent
  node agent/src/main.ts enroll URL --token TOKEN --config FILE       exchange a token for this node's password, once`;

/** After a signal the agent has this long to come to a safe place; everything it does survives being cut off. */
const stopWithinMs = 10_000;

/** What `main.ts` was called for: run the agent, or enrol it. Problems with settings go to standard error, and the exit code is 2. */
export async function runCommandLine(args: string[], environment: Environment): Promise<void> {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { config: { type: 'string' }, token: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    const [command, url] = positionals;
    if (values.help) return void process.stdout.write(`${usage}\n`);
    if (values.config === undefined) return complain(usage);
    if (command === undefined) return await run(readConfig(values.config, environment));
    if (command !== 'enroll' || url === undefined || values.token === undefined) return complain(usage);
    const { nodeId, credentialsFile } = readEnrolmentSettings(values.config, environment);
    const keyId = await enrol({ url, token: values.token, nodeId, credentialsFile });
    process.stdout.write(`${nodeId} is enrolled; its password is in ${credentialsFile}. The control plane's key is ${keyId}.\n`);
  } catch (thrown) {
    const failure = asFailure(thrown);
    complain(failure.hint === undefined ? failure.message : `${failure.message}\n${failure.hint}`);
  }
}

async function run(config: AgentConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: { nodeId: config.nodeId } });
  // A defect ends the process at once: the journal is whole, and the supervisor starts the next one.
  const onDefect = (failure: Failure): void => {
    log.fatal({ code: failure.code, err: failure }, failure.message);
    process.exit(70);
  };
  process.on('unhandledRejection', (thrown) => onDefect(asFailure(thrown)));
  process.on('uncaughtException', (thrown) => onDefect(asFailure(thrown)));

  const agent = await startAgent({
    config,
    version: ownVersion(),
    clock: systemClock,
    random: systemRandom,
    log,
    makeLink: ({ nextSession, clock }) =>
      new MqttLink({
        settings: { url: config.mqttUrl, nodeId: config.nodeId, password: config.password, ...config.reconnect, keepaliveSec: 20 },
        clock,
        random: systemRandom,
        nextSession,
        onTrouble: (what) => log.warn({ url: config.mqttUrl }, `the bus: ${what}`),
      }),
    kill: () => process.kill(process.pid, 'SIGKILL'),
    onDefect,
  });

  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      setTimeout(() => process.exit(0), stopWithinMs).unref();
      void agent.stop().then(() => process.exit(0));
    });
  }
}

function ownVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}

function complain(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
}
