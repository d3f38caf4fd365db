import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { policyPatch } from '@data-in-motion/shared/api/datasets';
import { type FaultKind, faultKinds } from '@data-in-motion/shared/domain/fault-hooks';
import { jobStates } from '@data-in-motion/shared/domain/job';
import { Failure } from '@data-in-motion/shared/failure';
import { parse } from 'yaml';
import { z } from 'zod';
import { invariantNames } from '../invariants/catalogue.ts';

const seconds = z.number().min(0).max(3_600);
const alias = z.string().regex(/^[a-z][a-z0-9-]{0,20}$/, 'lower case letters, digits and dashes, at most 21');
const subject = z.string().min(1).max(200);
const only = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape);

/** One thing that is done, or waited for. */
const plainSteps = [
  /** A made-up dataset; the name is the scenario's own, the fleet sees it with the run's mark. */
  only({ add: only({ dataset: alias, sizeMb: z.number().positive().max(10_000), policy: policyPatch.default({}) }) }),
  /** Another made-up version of it. */
  only({ import: only({ dataset: alias, sizeMb: z.number().positive().max(10_000) }) }),
  only({ until: only({ dataset: alias, is: z.enum(['copied', 'met', 'off-risky-devices', 'copy-found-bad']), withinSeconds: seconds }) }),
  only({ 'until-job': only({ dataset: alias, state: z.union([z.enum(jobStates), z.array(z.enum(jobStates)).min(1)]), withinSeconds: seconds }) }),
  only({
    arm: only({
      fault: z.enum(Object.keys(faultKinds) as [FaultKind, ...FaultKind[]]),
      subject,
      parameters: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
      seconds: z.number().min(1).max(900),
    }),
  }),
  only({ undo: z.literal('all') }),
  /** `control-plane`, `everything`, or an agent by its node. */
  only({ kill: subject }),
  /** Exactly so long, or up to so long, as the seed says. */
  only({ pause: z.union([only({ seconds }), only({ upToSeconds: seconds })]) }),
  only({ read: only({ dataset: alias, times: z.number().int().min(1).max(100_000) }) }),
  /** Read every byte of every copy again. */
  only({ verify: only({ dataset: alias }) }),
] as const;
const plainStep = z.union(plainSteps);
const scenarioStep = z.union([...plainSteps, only({ repeat: only({ times: z.number().int().min(1).max(1_000), steps: z.array(plainStep).min(1) }) })]);
export type PlainStep = z.infer<typeof plainStep>;
export type ScenarioStep = z.infer<typeof scenarioStep>;

export const scenarioFile = only({
  name: z.string().min(1).max(80),
  /** What happens and what is promised, in a sentence or two. */
  says: z.string().min(1).max(1_000),
  /** How fast replayed drives live, when the scenario has a fleet of its own. */
  secondsPerDay: z.number().min(0.05).max(3_600).default(20),
  steps: z.array(scenarioStep).min(1).max(200),
  holds: z.array(z.enum(invariantNames as [string, ...string[]])).min(1),
  /** Time for the fleet to heal before the promises are checked the last time. */
  healedWithinSeconds: z.number().min(1).max(3_600),
});
export type Scenario = z.infer<typeof scenarioFile>;

export function ownScenarios(): string[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}

/** Read a scenario by its path, or one of ours by its name. @throws `refused` naming every field that is not right */
export function readScenario(nameOrFile: string): Scenario {
  const own = path.join(import.meta.dirname, `${nameOrFile}.yaml`);
  const file = ownScenarios().includes(nameOrFile) ? own : nameOrFile;
  if (!existsSync(file))
    throw new Failure('refused', {
      code: 'scenario.not-found',
      message: `There is no scenario ${nameOrFile}.`,
      hint: `Ours are ${ownScenarios().join(', ')}; a file of yours is given by its path.`,
    });
  return parseScenario(readFileSync(file, 'utf8'), file);
}

export function parseScenario(text: string, file: string): Scenario {
  let raw: unknown;
  try {
    raw = parse(text, { maxAliasCount: 20 });
  } catch (cause) {
    throw new Failure('refused', { code: 'scenario.not-yaml', message: `${file} is no YAML: ${cause instanceof Error ? cause.message : String(cause)}` });
  }
  const parsed = scenarioFile.safeParse(raw);
  if (!parsed.success)
    throw new Failure('refused', {
      code: 'scenario.invalid',
      message: `${file} is no scenario:\n${parsed.error.issues.map((issue) => problemOf(issue, raw)).join('\n')}`,
    });
  return parsed.data;
}

/** A step that fits no kind is told by the kind that it names, not by all that it is not. */
function problemOf(issue: z.core.$ZodIssue, raw: unknown): string {
  const where = issue.path.map(String).join('.') || 'the file';
  if (issue.code !== 'invalid_union') return `  ${where}: ${issue.message}`;
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], raw);
  const named = typeof value === 'object' && value !== null ? Object.keys(value)[0] : undefined;
  const closest = issue.errors.find((errors) => named !== undefined && errors.every((error) => error.path[0] === named));
  if (closest === undefined || closest.length === 0) return `  ${where}: "${named ?? String(value)}" is no step that there is`;
  return closest.map((error) => problemOf({ ...error, path: [...issue.path, ...error.path] } as z.core.$ZodIssue, raw)).join('\n');
}
