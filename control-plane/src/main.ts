import { systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import { systemRandom } from '@data-in-motion/shared/random';
import pino from 'pino';
import { readConfig } from './config.ts';
import { startControlPlane } from './control-plane.ts';

try {
  const config = readConfig(process.env);
  const log = pino({ level: config.logLevel, base: { process: 'control-plane' } });
  const running = await startControlPlane({ config, clock: systemClock, random: systemRandom, log });
  const heard = new Set<NodeJS.Signals>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Who asks twice does not want to wait, and an end at any moment is survived. Two signals that differ may be one wish: a terminal's and a supervisor's.
      if (heard.has(signal)) process.exit(1);
      if (heard.add(signal).size > 1) return;
      log.info({ signal }, 'stopping');
      void running.stop().then(() => process.exit(0));
    });
  }
  log.info({ url: running.url, mqttUrl: running.mqttUrl, database: config.databaseUrl === null ? 'embedded' : 'postgres' }, 'the control plane is up');
} catch (error) {
  if (error instanceof Failure) process.stderr.write(`${error.message}${error.hint === undefined ? '' : `\n${error.hint}`}\n`);
  else
    process.stderr.write(
      `${error instanceof Error ? (error.message.startsWith('The control plane can not start') ? error.message : error.stack) : String(error)}\n`,
    );
  process.exit(1);
}
