import { readFileSync } from 'node:fs';
import path from 'node:path';
import { locationKinds, type TargetDescription, tierClasses } from '@data-in-motion/shared/domain/target';
import { Failure } from '@data-in-motion/shared/failure';
import { bytes, deviceId, nodeId, siteId, targetId } from '@data-in-motion/shared/protocol/fields';
import { z } from 'zod';
import { type Failpoint, parseFailpoint } from './faults/failpoint.ts';

const busUrl = z.string().regex(/^(mqtt|mqtts|ws|wss):\/\/[^\s]+$/, 'an address such as mqtt://host:1883 or mqtts://host:8883');
const directory = z.string().min(1);

const target = z.strictObject({
  targetId: targetId.describe('name of the target, unique in the fleet: lower case letters, digits, dot, dash, underscore'),
  store: z.literal('posix').default('posix').describe('kind of store; a directory of this host'),
  root: directory.describe('directory that the agent may fill; it belongs to the agent alone'),
  tier: z.enum(tierClasses).describe('how fast it is: hot, warm or cold'),
  locationKind: z.enum(locationKinds).default('on-premises').describe('whose machine it stands on: on-premises, private-cloud or public-cloud'),
  provider: z.string().min(1).max(200).default('own').describe('who runs it, as the price book names it'),
  region: z.string().min(1).max(200).default('local').describe('region that policies allow or forbid'),
  failureDomain: z.string().max(200).default('').describe('what fails together below the node (rack, enclosure); the node itself when empty'),
  encryptedAtRest: z.boolean().default(false).describe('whether the medium encrypts what lies on it'),
  priceClass: z.string().min(1).max(200).default('onprem').describe('line of the price book that says what it costs'),
  capacityBytes: bytes.nullable().default(null).describe('most bytes the agent may use; null uses the whole file system'),
  reserveBytes: bytes.default(1_000_000_000).describe('bytes that always stay free'),
  deviceIds: z.array(deviceId).max(1_000).default([]).describe('drives it stands on, by the names the agent tells of them'),
  requestsPerSec: z
    .number()
    .positive()
    .max(1e9)
    .nullable()
    .default(null)
    .describe('most requests a second that readers may send it; null where no limit is known'),
  addedLatencyMs: z.number().min(0).max(3_600_000).default(0).describe('milliseconds to add to measured latency, for a place that is simulated on one machine'),
});

const replay = z.strictObject({
  driveFiles: z.array(z.string().min(1)).max(20).default([]).describe('recordings in the Drive Stats format, one row per drive and day'),
  changePoints: z
    .strictObject({
      drivesFile: z.string().min(1).describe('one row per drive'),
      eventsFile: z.string().min(1).describe('one row per change of a counter'),
      firstDate: z.iso.date().describe('date of day 0, as 2013-04-10'),
    })
    .nullable()
    .default(null)
    .describe('a recording as a pair of files: drives, and changes of their counters'),
  drives: z.array(z.string().min(1)).max(10_000).nullable().default(null).describe('serial numbers of the drives to play; null plays all of a recording'),
  secondsPerDay: z.number().positive().max(86_400).default(20).describe('seconds that one recorded day takes'),
  startDay: z.iso.date().nullable().default(null).describe('recorded day to begin with, as 2013-04-10; null begins with the first'),
});

const schema = z.strictObject({
  nodeId: nodeId.describe('name of this node, unique in the fleet; also its user name on the bus'),
  siteId: siteId.describe('site that the node stands in'),
  mqttUrl: busUrl.nullable().default(null).describe('address of the bus; null takes the one from the credentials file'),
  password: z.string().min(1).max(1_000).nullable().default(null).describe('password on the bus; better kept in the credentials file'),
  credentialsFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('file that "enroll" wrote (mode 600): password, address of the bus, key of the control plane'),
  stateDirectory: directory.describe('directory for what must survive a crash; one per agent'),
  importRoots: z.array(directory).max(100).default([]).describe('directories below which datasets may be imported from'),
  transfer: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('address to serve replicas on'),
      port: z.number().int().min(0).max(65_535).default(0).describe('port to serve replicas on; 0 takes any free one'),
      advertisedUrl: z.url().max(300).nullable().default(null).describe('address under which other agents reach it, where it differs from host and port'),
    })
    .default({ host: '127.0.0.1', port: 0, advertisedUrl: null })
    .describe('where other agents pull replicas from'),
  targets: z.array(target).max(1_000).default([]).describe('places on this node that data may live in'),
  telemetry: z
    .strictObject({
      smartctl: z
        .union([z.enum(['auto', 'off']), z.string().regex(/^\//, 'auto, off, or the absolute path of the program')])
        .default('auto')
        .describe('auto reads the drives of this host with smartmontools; a path names the program'),
      sysfsDirectory: directory.default('/sys').describe("where sysfs is mounted, for the kernel's own counters of each drive"),
      replay: replay.nullable().default(null).describe('recorded drives to play beside or in place of real ones'),
      deviceEveryMs: z.number().int().min(100).default(600_000).describe('how often a real drive is read'),
      targetEveryMs: z.number().int().min(100).default(15_000).describe('how often space and latency of the targets are measured'),
      targetToldEveryMs: z.number().int().min(100).default(60_000).describe('longest time until what did not change on a target is told again'),
      fileTimesEveryMs: z.number().int().min(100).default(60_000).describe('how often the access times of watched datasets are looked at'),
    })
    .prefault({})
    .describe('what is measured'),
  quietMs: z.number().int().min(0).default(5_000).describe('a file changed more recently than this is still being written'),
  bytesPerSecPerTarget: z
    .number()
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('read and write rate that moves may take of each target; null for as fast as it goes'),
  faultsAllowed: z.boolean().default(false).describe('whether the control plane may arm faults here, for tests of resilience'),
  controlPlaneKeyId: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'the 32 hexadecimal digits that "dim status" shows')
    .nullable()
    .default(null)
    .describe('thumbprint of the only key to trust; null trusts the one of the credentials file, or the first seen'),
  reconnect: z
    .strictObject({
      firstDelayMs: z.number().int().min(1).describe('bound of the first random pause'),
      longestDelayMs: z.number().int().min(1).describe('bound that the doubling pauses end at'),
    })
    .nullable()
    .default(null)
    .describe('pauses between attempts to connect; null: 1 s to 60 s, and 50 ms to 2 s for a bus on this same machine'),
  ballastBytes: z
    .number()
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(32 * 1024 * 1024)
    .describe('bytes kept beside the journal, to be given back when the disk is full'),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('how much is logged'),
});

const credentials = z.object({
  password: z.string().min(1),
  mqttUrl: busUrl.optional(),
  keyId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
});

type Settings = z.infer<typeof schema>;
export interface AgentConfig extends Omit<Settings, 'mqttUrl' | 'password' | 'credentialsFile' | 'targets' | 'reconnect'> {
  readonly mqttUrl: string;
  readonly password: string;
  readonly targets: readonly TargetDescription[];
  readonly reconnect: { readonly firstDelayMs: number; readonly longestDelayMs: number };
  readonly failpoint: Failpoint | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Environment variables that stand over the file, for what differs from start to start. */
const overrides = {
  MQTT_URL: 'mqttUrl',
  MQTT_PASSWORD: 'password',
  DIM_NODE: 'nodeId',
  DIM_SITE: 'siteId',
  DIM_STATE: 'stateDirectory',
  DIM_LOG_LEVEL: 'logLevel',
} as const;

/**
 * Read the settings once. Relative paths are taken from the directory of the file.
 *
 * @throws Failure `refused` with one line per problem: the field, what is wrong, what the field is for
 */
export function readConfig(file: string, environment: Environment): AgentConfig {
  const given = { ...readJson(file), ...overridesIn(environment) };
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw unusable(file, parsed.error.issues.map(problemOf));

  const base = path.dirname(path.resolve(file));
  const settings = withAbsolutePaths(parsed.data, base);
  const known = readCredentials(settings.credentialsFile);
  const mqttUrl = settings.mqttUrl ?? (known === 'missing' ? undefined : known?.mqttUrl);
  const password = settings.password ?? (known === 'missing' ? undefined : known?.password);
  const problems = [
    ...targetProblems(settings.targets),
    ...(known === 'missing' ? [`credentialsFile: there is no usable file ${settings.credentialsFile}. Run "enroll" for this node first.`] : []),
    ...(mqttUrl === undefined && known !== 'missing' ? ['mqttUrl: is missing. Give it here, in MQTT_URL or by enrolling the agent.'] : []),
    ...(password === undefined && known !== 'missing' ? ['password: is missing. Enrol the agent and name its credentialsFile, or give it here.'] : []),
  ];
  if (problems.length > 0 || mqttUrl === undefined || password === undefined) throw unusable(file, problems);

  return {
    ...settings,
    mqttUrl,
    password,
    targets: settings.targets.map((each) => ({ ...each, failureDomain: each.failureDomain === '' ? settings.nodeId : each.failureDomain })),
    controlPlaneKeyId: settings.controlPlaneKeyId ?? (known === 'missing' ? null : (known?.keyId ?? null)),
    reconnect: settings.reconnect ?? defaultReconnect(mqttUrl),
    failpoint: environment.DIM_FAILPOINT ? parseFailpoint(environment.DIM_FAILPOINT) : null,
  };
}

/** What "enroll" needs to know of a settings file that is not complete yet. */
export function readEnrolmentSettings(file: string, environment: Environment): { nodeId: string; credentialsFile: string } {
  const given = { ...readJson(file), ...overridesIn(environment) };
  const parsed = z.object({ nodeId: schema.shape.nodeId, credentialsFile: z.string().min(1) }).safeParse(given);
  if (!parsed.success) throw unusable(file, parsed.error.issues.map(problemOf));
  return { nodeId: parsed.data.nodeId, credentialsFile: path.resolve(path.dirname(path.resolve(file)), parsed.data.credentialsFile) };
}

function readJson(file: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return z.record(z.string(), z.unknown()).parse(parsed);
  } catch (thrown) {
    throw unusable(file, [
      `the file can not be read as a JSON object: ${thrown instanceof z.ZodError ? 'it holds something else' : (thrown as Error).message}`,
    ]);
  }
}

function overridesIn(environment: Environment): Record<string, string> {
  const given = Object.entries(overrides).flatMap(([variable, field]) => (environment[variable] ? [[field, environment[variable]]] : []));
  return Object.fromEntries(given) as Record<string, string>;
}

function readCredentials(file: string | null): z.infer<typeof credentials> | 'missing' | undefined {
  if (file === null) return undefined;
  try {
    return credentials.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return 'missing';
  }
}

function withAbsolutePaths(settings: Settings, base: string): Settings {
  const absolute = (name: string): string => path.resolve(base, name);
  const { replay: recorded } = settings.telemetry;
  return {
    ...settings,
    stateDirectory: absolute(settings.stateDirectory),
    credentialsFile: settings.credentialsFile === null ? null : absolute(settings.credentialsFile),
    importRoots: settings.importRoots.map(absolute),
    targets: settings.targets.map((each) => ({ ...each, root: absolute(each.root) })),
    telemetry: {
      ...settings.telemetry,
      sysfsDirectory: absolute(settings.telemetry.sysfsDirectory),
      replay:
        recorded === null
          ? null
          : {
              ...recorded,
              driveFiles: recorded.driveFiles.map(absolute),
              changePoints:
                recorded.changePoints === null
                  ? null
                  : {
                      ...recorded.changePoints,
                      drivesFile: absolute(recorded.changePoints.drivesFile),
                      eventsFile: absolute(recorded.changePoints.eventsFile),
                    },
            },
    },
  };
}

/** Two targets may neither share a name nor lie inside one another. */
function targetProblems(targets: Settings['targets']): string[] {
  return targets.flatMap((one, i) =>
    targets.slice(i + 1).flatMap((other, j) => {
      const field = `targets.${i + 1 + j}`;
      if (one.targetId === other.targetId) return [`${field}.targetId: "${other.targetId}" is used twice. Each target needs its own name.`];
      if (isWithin(one.root, other.root) || isWithin(other.root, one.root))
        return [`${field}.root: ${other.root} and ${one.root} lie inside one another. Give each target a directory of its own.`];
      return [];
    }),
  );
}

function isWithin(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative));
}

function defaultReconnect(mqttUrl: string): AgentConfig['reconnect'] {
  const { hostname } = new URL(mqttUrl);
  const isHere = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  return isHere ? { firstDelayMs: 50, longestDelayMs: 2_000 } : { firstDelayMs: 1_000, longestDelayMs: 60_000 };
}

function problemOf(issue: z.core.$ZodIssue): string {
  const says = descriptionAt(schema, issue.path);
  const field = issue.path.join('.') || 'the file';
  return `${field}: ${issue.message}${says === undefined ? '' : ` (${says})`}`;
}

/** The sentence of the field that a path of an issue leads to. */
function descriptionAt(root: z.ZodType, pathOfIssue: readonly PropertyKey[]): string | undefined {
  let at: unknown = root;
  for (const part of pathOfIssue) {
    at = unwrapped(at);
    if (at instanceof z.ZodObject) at = (at.shape as Record<string, unknown>)[String(part)];
    else if (at instanceof z.ZodArray) at = at.element;
  }
  return at instanceof z.ZodType ? at.description : undefined;
}

function unwrapped(type: unknown): unknown {
  let at = type;
  while (at instanceof z.ZodDefault || at instanceof z.ZodPrefault || at instanceof z.ZodNullable || at instanceof z.ZodOptional) at = at.unwrap();
  return at;
}

function unusable(file: string, problems: readonly string[]): Failure {
  return new Failure('refused', {
    code: 'config.unusable',
    message: `The agent can not start with the settings of ${file}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
  });
}
