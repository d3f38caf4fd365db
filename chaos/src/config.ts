import path from 'node:path';
import { Failure } from '@data-in-motion/shared/failure';
import { z } from 'zod';

const port = z.coerce.number('a port number').int('a whole number').min(1, 'a port number is at least 1').max(65_535, 'a port number is at most 65535');
const blankIsAbsent = (value: unknown): unknown => (value === '' ? undefined : value);

/** What `npm start` takes from the environment. */
const settings = z.object({
  /** Directory of all state. */
  DIM_HOME: z.preprocess(blankIsAbsent, z.string().default(path.resolve(import.meta.dirname, '../../.dim'))),
  /** Port of the HTTP interface and the console, on 127.0.0.1. */
  DIM_HTTP_PORT: z.preprocess(blankIsAbsent, port.default(8080)),
  /** Port of the embedded broker, on 127.0.0.1. */
  DIM_MQTT_PORT: z.preprocess(blankIsAbsent, port.default(1883)),
  /** A PostgreSQL in place of the embedded one. */
  DATABASE_URL: z.preprocess(blankIsAbsent, z.url('an address such as postgres://user:password@host/database').optional()),
  /** A broker in place of the embedded one. */
  MQTT_URL: z.preprocess(blankIsAbsent, z.url('an address such as mqtt://host:1883').optional()),
  /** 1 makes accesses by itself, so that there is something to see. */
  DIM_SYNTHETIC_LOAD: z.preprocess(blankIsAbsent, z.string().optional()),
  /** Seconds in which a replayed drive lives one day. */
  DIM_SECONDS_PER_DAY: z.preprocess(blankIsAbsent, z.coerce.number('a number of seconds').min(0.05).max(86_400).default(20)),
  /** When `npm start` began, set by start.mjs. */
  DIM_STARTED_AT_MS: z.coerce.number().optional(),
  DIM_URL: z.preprocess(blankIsAbsent, z.url().optional()),
  DIM_API_KEY: z.preprocess(blankIsAbsent, z.string().optional()),
});
export type Settings = z.infer<typeof settings> & {
  readonly environment: Readonly<Record<string, string>>;
  readonly controlPlane: Readonly<Record<string, string>>;
};

/** What a child may know of our environment: where programs, the home and temporary files are, and in what language to talk. */
const passedOn = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'];

/** The control plane's own settings, which it checks itself; they stand over those of the local fleet. */
const toControlPlane =
  /^DIM_(GRACE|TRASH|LATE_AFTER|LOST_AFTER|COLD_AFTER|DWELL|PLAN_EVERY|SCRUB_EVERY|LEASE|LOOP_EVERY|EXPORT_EVERY)_MS$|^DIM_(CHAOS|LOG_LEVEL)$|^MQTT_(USERNAME|PASSWORD)$/;

/** Read the environment; all that is wrong in it is told at once. */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const parsed = settings.safeParse(environment);
  if (!parsed.success) {
    throw new Failure('refused', {
      code: 'settings.invalid',
      message: parsed.error.issues.map((issue) => `${issue.path.join('.')}=${environment[String(issue.path[0])] ?? ''}: ${issue.message}`).join('\n'),
      hint: 'Correct or unset these variables.',
    });
  }
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '');
  const passed = Object.fromEntries(given.filter(([name]) => passedOn.includes(name)));
  const controlPlane = Object.fromEntries(given.filter(([name]) => toControlPlane.test(name)));
  return { ...parsed.data, DIM_HOME: path.resolve(parsed.data.DIM_HOME), environment: passed, controlPlane };
}
