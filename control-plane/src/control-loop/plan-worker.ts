import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { parentPort } from 'node:worker_threads';
import type { Heat } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import type { DecisionSettings } from '../fleet/decision-settings.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { fleetHeats } from '../heat/classify-heat.ts';
import { placeFleet, workFor } from '../placement/place-fleet.ts';
import { PlacementMemory } from '../placement/placement-memory.ts';
import type { Plan } from '../placement/plan.ts';
import { fleetNeeds, type Need } from '../reconcile/needs.ts';
import { pairedWhereLarge, prepareToPair } from './paired-pass.ts';
import { solveDeadline } from './solve-deadline.ts';

/**
 * What crosses to the thread that solves; plain data. Datasets come ahead of the request, in parts, and only those that are not what they were: the thread keeps
 * the others. Heats do not cross: the same snapshot gives the same ones, and there is one for each dataset.
 */
export type ToSolver =
  | { readonly kind: 'datasets'; readonly changed: readonly DatasetFacts[]; readonly gone: readonly DatasetId[] }
  | ({ readonly kind: 'ahead' } & Asked)
  | ({ readonly kind: 'solve'; readonly id: number; readonly needs: readonly Need[]; readonly only: ReadonlySet<DatasetId> | null } & Asked);

interface Asked {
  readonly snapshot: Omit<FleetSnapshot, 'datasets'>;
  readonly settings: DecisionSettings;
}

/** Who answers agents and people comes first where there are too few cores, and the rest is shared with other processes. */
const behind = 5;

/** On Linux a thread has a priority of its own, by the number that /proc tells, and those that it starts have the same. */
function standBehind(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), behind);
  } catch {
    // Elsewhere it competes as before.
  }
}
standBehind();

/** A plan of the whole fleet begins where the one before ended; one of some datasets asks something else. */
const memory = new PlacementMemory();

const kept = new Map<DatasetId, DatasetFacts>();
/** Every part brings its own copies of the same few policies. */
const policies = new Map<string, Policy>();

function keep(changed: readonly DatasetFacts[]): void {
  const texts = new Map<Policy, string>();
  for (const facts of changed) {
    const text = texts.get(facts.policy) ?? JSON.stringify(facts.policy);
    texts.set(facts.policy, text);
    const policy = policies.get(text) ?? facts.policy;
    policies.set(text, policy);
    kept.set(facts.datasetId, Object.assign(facts, { policy }));
  }
}

/** Processor time of this thread. */
function spentMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** The answer to a request that is certain to come, begun while who will ask still looks at the fleet; the same snapshot has the same needs. */
let ahead: { readonly takenAtMs: number; readonly answer: Promise<{ readonly needs: readonly Need[]; readonly plan: Plan }> } | null = null;

function beginAhead(asked: Asked): void {
  const answer = answerAll(asked);
  // Whoever asks for it is told what went wrong.
  answer.catch(() => {});
  ahead = { takenAtMs: asked.snapshot.takenAtMs, answer };
}

async function answerAll(asked: Asked): Promise<{ readonly needs: readonly Need[]; readonly plan: Plan }> {
  const { snapshot, heats } = look(asked);
  const needs = fleetNeeds(snapshot, heats, asked.settings);
  return { needs, plan: await place(snapshot, heats, needs, null, asked.settings) };
}

async function solve({ needs, only, ...asked }: Extract<ToSolver, { kind: 'solve' }>): Promise<Plan> {
  const begun = ahead;
  ahead = null;
  if (begun !== null && only === null && begun.takenAtMs === asked.snapshot.takenAtMs) {
    const answer = await begun.answer;
    if (isDeepStrictEqual(answer.needs, needs)) return answer.plan;
  }
  const { snapshot, heats } = look(asked);
  return place(snapshot, heats, needs, only, asked.settings);
}

function look({ snapshot: rest, settings }: Asked): { readonly snapshot: FleetSnapshot; readonly heats: ReadonlyMap<DatasetId, Heat> } {
  const snapshot = { ...rest, datasets: [...kept.values()].sort((a, b) => (a.datasetId < b.datasetId ? -1 : 1)) };
  return { snapshot, heats: fleetHeats(snapshot, settings.heat) };
}

function place(
  snapshot: FleetSnapshot,
  heats: ReadonlyMap<DatasetId, Heat>,
  needs: readonly Need[],
  only: ReadonlySet<DatasetId> | null,
  settings: DecisionSettings,
): Promise<Plan> {
  prepareToPair(snapshot.datasets.length, snapshot.targets.length);
  const isOver = solveDeadline(settings.placement.timeLimitMs, { spentMs, nowMs: () => performance.now() });
  const work = { ...workFor(settings.placement, only === null ? memory : undefined), isOver, passOver: pairedWhereLarge };
  return placeFleet(snapshot, needs, heats, settings.placement, settings, only ?? undefined, work);
}

parentPort?.on('message', (message: ToSolver) => {
  if (message.kind === 'ahead') return beginAhead(message);
  if (message.kind === 'datasets') {
    ahead = null;
    keep(message.changed);
    for (const datasetId of message.gone) kept.delete(datasetId);
    return;
  }
  solve(message).then(
    (plan) => parentPort?.postMessage({ id: message.id, plan }),
    (error: unknown) => parentPort?.postMessage({ id: message.id, error: error instanceof Error ? error.message : String(error) }),
  );
});
