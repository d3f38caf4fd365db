import { existsSync } from 'node:fs';
import { datasetView } from '@data-in-motion/shared/api/datasets';
import { eventView } from '@data-in-motion/shared/api/decisions';
import { listOf, targetView } from '@data-in-motion/shared/api/fleet';
import { consistencyView } from '@data-in-motion/shared/api/operations';
import type { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import type { Clock } from '@data-in-motion/shared/clock';
import { asFailure } from '@data-in-motion/shared/failure';
import { seededRandom } from '@data-in-motion/shared/random';
import { undoAll } from '../faults/arm-fault.ts';
import { type InvariantName, invariants } from '../invariants/catalogue.ts';
import type { KnownDataset, KnownTarget, Witness } from '../invariants/invariant.ts';
import { patiently, runStep, type Stage } from './run-step.ts';
import type { PlainStep, Scenario, ScenarioStep } from './scenario.ts';

export interface PlayParts {
  readonly api: RouteCaller;
  /** DIM_HOME of the fleet; null when it is not one of this machine, whose processes we could end. */
  readonly home: string | null;
  readonly seed: number;
  /** Makes the names of this run's datasets its own. */
  readonly mark: string;
  readonly clock: Clock;
  readonly onLine: (text: string) => void;
}

export interface StepRecord {
  readonly atMs: number;
  readonly says: string;
}

export interface PromiseRecord {
  readonly name: string;
  readonly says: string;
  readonly holds: boolean;
  readonly detail: string;
  /** How long after the last step it held; null when it did not, or was only checked on the way. */
  readonly healedAfterMs: number | null;
}

export interface Played {
  readonly scenario: string;
  readonly says: string;
  readonly seed: number;
  readonly startedAtMs: number;
  readonly tookMs: number;
  readonly steps: readonly StepRecord[];
  readonly promises: readonly PromiseRecord[];
  /** Why the steps could not be played to their end; null when they were. */
  readonly stopped: string | null;
  readonly held: boolean;
}

const lookAgainMs = 500;

/** Play the steps, check on the way what must always hold, let the fleet heal, and check the rest. Faults are undone however it ends. */
export async function playScenario(scenario: Scenario, parts: PlayParts): Promise<Played> {
  const { api, clock } = parts;
  const stage: Stage = { ...parts, random: seededRandom(parts.seed), experimentIds: [], datasetIds: [] };
  const startedAtMs = clock.nowMs();
  const beganAtMs = clock.monotonicMs();
  const sinceSeq = (await api.call('events', listOf(eventView), { query: { limit: '1' } })).items[0]?.seq ?? 0;
  const consistencyBefore = await api.call('consistency', consistencyView);
  const promised = scenario.holds as InvariantName[];
  const steps: StepRecord[] = [];
  const broken = new Map<InvariantName, string>();
  let targets = await knownTargets(api);
  let known: readonly KnownDataset[] = [];
  let stopped: string | null = null;

  const say = (says: string): void => {
    steps.push({ atMs: clock.monotonicMs() - beganAtMs, says });
    parts.onLine(says);
  };
  const witness = (): Witness => ({ api, known, targets, experimentIds: stage.experimentIds, datasetIds: stage.datasetIds, sinceSeq, consistencyBefore });
  const look = async (): Promise<void> => {
    known = await knownDatasets(api).catch(() => known);
    targets = await knownTargets(api).catch(() => targets);
    for (const name of promised) {
      if (invariants[name].when !== 'always' || broken.has(name)) continue;
      const finding = await invariants[name].check(witness());
      if (!finding.holds) {
        broken.set(name, finding.detail);
        say(`${name} does NOT hold: ${finding.detail}`);
      }
    }
  };

  try {
    for (const step of flatten(scenario.steps)) {
      say(await runStep(step, stage));
      await look();
    }
  } catch (error) {
    stopped = asFailure(error).message;
    say(stopped);
  }
  await patiently(stage, () => undoAll(api)).catch((error: unknown) => say(`The faults could not be undone: ${asFailure(error).message}`));
  await look();
  const promises = await healed(scenario, stage, witness, look, broken);
  const held = stopped === null && promises.every((one) => one.holds);
  return {
    scenario: scenario.name,
    says: scenario.says,
    seed: parts.seed,
    startedAtMs,
    tookMs: clock.monotonicMs() - beganAtMs,
    steps,
    promises,
    stopped,
    held,
  };
}

/** Look again and again until every promise holds or the time is over: what heals late is told apart from what does not heal. */
async function healed(
  scenario: Scenario,
  stage: Stage,
  witness: () => Witness,
  look: () => Promise<void>,
  broken: ReadonlyMap<InvariantName, string>,
): Promise<PromiseRecord[]> {
  const { clock } = stage;
  const fromMs = clock.monotonicMs();
  const untilMs = fromMs + scenario.healedWithinSeconds * 1_000;
  const records = new Map<InvariantName, PromiseRecord>();
  for (;;) {
    for (const name of scenario.holds as InvariantName[]) {
      const invariant = invariants[name];
      if (records.get(name)?.holds) continue;
      const finding = broken.has(name)
        ? { holds: false, detail: broken.get(name)! }
        : await patiently(stage, () => invariant.check(witness())).catch((error: unknown) => ({
            holds: false,
            detail: `it could not be checked: ${asFailure(error).message}`,
          }));
      records.set(name, {
        name,
        says: invariant.says,
        ...finding,
        healedAfterMs: finding.holds && invariant.when === 'healed' ? clock.monotonicMs() - fromMs : null,
      });
    }
    const open = [...records.values()].filter((one) => !one.holds && !broken.has(one.name as InvariantName));
    if (open.length === 0 || clock.monotonicMs() > untilMs) return [...records.values()];
    await clock.sleep(lookAgainMs);
    await look();
  }
}

async function knownDatasets(api: RouteCaller): Promise<KnownDataset[]> {
  const { items } = await api.list('datasets', datasetView);
  return items.flatMap(({ datasetId, root, versionId, primary }) =>
    root === null || versionId === null || primary === null ? [] : [{ datasetId, root, versionId }],
  );
}

/** Only what lies on this machine can be read from here. */
async function knownTargets(api: RouteCaller): Promise<KnownTarget[]> {
  const { items } = await api.list('targets', targetView);
  return items.filter((target) => existsSync(target.root)).map(({ targetId, nodeId, root }) => ({ targetId, nodeId, root }));
}

function flatten(steps: readonly ScenarioStep[]): PlainStep[] {
  return steps.flatMap((step) => ('repeat' in step ? Array.from({ length: step.repeat.times }, () => step.repeat.steps).flat() : [step]));
}
