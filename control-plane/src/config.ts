import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
const ms = (fallback: number) => z.coerce.number().int().min(1).default(fallback);
const flag = z
  .enum(['0', '1', 'true', 'false', ''])
  .default('')
  .transform((text) => text === '1' || text === 'true');

/** Every setting of the control plane, each from one environment variable, with a default that works on a laptop. */
const environment = z.object({
  DIM_HOME: z
    .string()
    .min(1)
    .default(path.resolve(import.meta.dirname, '../../.dim'))
    .describe('directory of all state: database, keys, logs'),
  DIM_HTTP_HOST: z.string().default('127.0.0.1').describe('address the HTTP interface and console listen on'),
  DIM_HTTP_PORT: port(8080).describe('port of the HTTP interface and console; 0 takes any free one'),
  DIM_PUBLIC_URL: z.url().optional().describe('address under which people and agents reach the HTTP interface, where it differs from host and port'),
  DIM_MQTT_HOST: z.string().default('127.0.0.1').describe('address the embedded broker listens on'),
  DIM_MQTT_PORT: port(1883).describe('port of the embedded broker; 0 takes any free one'),
  MQTT_URL: z
    .string()
    .regex(/^(mqtt|mqtts|ws|wss):\/\//, 'an address such as mqtt://host:1883')
    .optional()
    .describe('an outside broker in place of the embedded one'),
  MQTT_USERNAME: z.string().default('control-plane').describe('name of the control plane on an outside broker'),
  MQTT_PASSWORD: z.string().default('').describe('its password'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'an address such as postgres://user@host:5432/dim')
    .optional()
    .describe('a PostgreSQL in place of the embedded one'),
  DIM_GRACE_MS: ms(86_400_000).describe('how long readers of an old copy have after a switch before it may leave'),
  DIM_TRASH_MS: ms(7 * 86_400_000).describe('how long a copy that left stays in the trash, from where a person can take it back'),
  DIM_LATE_AFTER_MS: ms(45_000).describe('an agent that is silent this long is late; one that has nothing to tell is heard every 12 to 18 s'),
  DIM_LOST_AFTER_MS: ms(600_000).describe('an agent that is silent this long is lost, and its copies are made again elsewhere'),
  DIM_COLD_AFTER_MS: ms(86_400_000).describe('a dataset that nobody touched for this long is cold'),
  DIM_DWELL_MS: ms(6 * 3_600_000).describe('a dataset rests this long between two moves for heat or cost'),
  DIM_FORECAST_SHARE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('how much the forecast of use weighs against what was read in the past 30 days: 0 is the past alone, 1 the forecast alone'),
  DIM_PLAN_EVERY_MS: ms(300_000).describe('longest time between two plans; changes make one sooner'),
  DIM_SCRUB_EVERY_MS: ms(30 * 86_400_000).describe('each copy is read back this often'),
  DIM_MODEL_DATA: z.string().min(1).optional().describe('directory with recorded lives of drives, on which failure models are trained again; not set, none is'),
  DIM_MODEL_TRAIN_EVERY_MS: ms(7 * 86_400_000).describe('longest time between two trainings; a drift of the fleet or a person makes one sooner'),
  DIM_LEASE_MS: ms(30_000).describe('an agent that is silent this long loses its job'),
  DIM_LOOP_EVERY_MS: ms(2_000).describe('pace of the control loop'),
  DIM_CHAOS: flag.describe('1 allows faults to be armed on agents that allow them too'),
  DIM_SYNTHETIC_LOAD: flag.describe('1 makes up accesses in the background, for trying things out'),
  DIM_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('how much is logged'),
});

export type Config = ReturnType<typeof readConfig>;

/**
 * Read the settings once; all problems are told together, each with the variable and the fix.
 *
 * @throws Error with one line per problem
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const given = Object.fromEntries(Object.entries(env).filter(([name, value]) => name in environment.shape && value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      const says = environment.shape[name as keyof typeof environment.shape]?.description ?? '';
      return `  ${name}=${JSON.stringify(given[name])}: ${issue.message}. It is ${says}.`;
    });
    throw new Error(`The control plane can not start with these settings:\n${lines.join('\n')}`);
  }
  const value = parsed.data;
  return {
    home: path.resolve(value.DIM_HOME),
    httpHost: value.DIM_HTTP_HOST,
    httpPort: value.DIM_HTTP_PORT,
    publicUrl: value.DIM_PUBLIC_URL ?? null,
    mqttHost: value.DIM_MQTT_HOST,
    mqttPort: value.DIM_MQTT_PORT,
    outsideMqtt: value.MQTT_URL === undefined ? null : { url: value.MQTT_URL, username: value.MQTT_USERNAME, password: value.MQTT_PASSWORD },
    databaseUrl: value.DATABASE_URL ?? null,
    graceMs: value.DIM_GRACE_MS,
    trashMs: value.DIM_TRASH_MS,
    lateAfterMs: value.DIM_LATE_AFTER_MS,
    lostAfterMs: value.DIM_LOST_AFTER_MS,
    coldAfterMs: value.DIM_COLD_AFTER_MS,
    dwellMs: value.DIM_DWELL_MS,
    forecastShare: value.DIM_FORECAST_SHARE,
    planEveryMs: value.DIM_PLAN_EVERY_MS,
    scrubEveryMs: value.DIM_SCRUB_EVERY_MS,
    modelDataDirectory: value.DIM_MODEL_DATA === undefined ? null : path.resolve(value.DIM_MODEL_DATA),
    modelTrainEveryMs: value.DIM_MODEL_TRAIN_EVERY_MS,
    leaseMs: value.DIM_LEASE_MS,
    loopEveryMs: value.DIM_LOOP_EVERY_MS,
    chaosAllowed: value.DIM_CHAOS,
    syntheticLoad: value.DIM_SYNTHETIC_LOAD,
    logLevel: value.DIM_LOG_LEVEL,
    consoleDirectory: [path.resolve(import.meta.dirname, '../../console/build')].find((directory) => existsSync(directory)) ?? null,
  };
}
