import type { PlanDifference } from '@data-in-motion/shared/api/plan-difference';
import type { DatasetId, JobId, ReplicaId, TargetId } from '@data-in-motion/shared/domain/ids';
import type { Policy } from '@data-in-motion/shared/domain/policy';
import type { Prices } from '@data-in-motion/shared/domain/price';
import type { ReplicaState } from '@data-in-motion/shared/domain/replica';
import { freeBytes, indexOf } from '../fleet/lookup.ts';
import { heldBytes } from '../fleet/plan-holds.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';
import { bytesText } from '../fleet/words.ts';
import type { Move } from './plan.ts';
import type { CopyBasis, DatasetBasis, PlanBasis, TargetBasis } from './plan-basis.ts';

/** What a plan has done itself so far: its jobs, and the copies that these make or replace. It is no difference. */
export interface OwnWork {
  readonly jobs: ReadonlySet<JobId>;
  readonly replicas: ReadonlySet<ReplicaId>;
}
export const noOwnWork: OwnWork = { jobs: new Set(), replicas: new Set() };

/** What has changed of all that one move rests on. Empty: the move is what it was when it was shown. */
export function moveDifferences(then: PlanBasis, now: PlanBasis, move: Move, own: OwnWork = noOwnWork): PlanDifference[] {
  const before = then.datasets[move.datasetId];
  const after = now.datasets[move.datasetId];
  if (before === undefined || after === undefined)
    return [tell('dataset', move.datasetId, 'presence', before === undefined ? null : 'there', after === undefined ? null : 'there')];
  const found = [
    ...datasetDifferences(then, now, move, before, after, own),
    ...copyDifferences(move, before, after, own),
    ...jobDifferences(move.datasetId, before, after, own),
    ...settingDifferences(then, now, move),
    ...riskDifferences(then, now, move),
  ];
  if (move.toTargetId !== null) found.push(...targetDifferences(then, now, move.toTargetId), ...latencyDifferences(then, now, move, after));
  if (move.fromTargetId !== null) found.push(...targetDifferences(then, now, move.fromTargetId));
  if (move.action === 'retire') found.push(...othersDifferences(then, now, move, before));
  return found;
}

/** The same of many moves, each thing told once. */
export function planDifferences(then: PlanBasis, now: PlanBasis, moves: readonly Move[], own: OwnWork = noOwnWork): PlanDifference[] {
  return told(moves.flatMap((move) => moveDifferences(then, now, move, own)));
}

/** Each difference once, in the order of the first that was found. */
export function told(differences: readonly PlanDifference[]): PlanDifference[] {
  return [...new Map(differences.map((one) => [`${one.kind} ${one.id} ${one.what}`, one])).values()];
}

/**
 * Targets that have no room any more for all that these moves bring, beside what is promised to jobs and held for other plans; safety takes what is held.
 * However full a target has become, while the moves fit it is no difference.
 *
 * @param arriving moves of the same plan that are under way. Their bytes are promised and measured at the same time, so they are not held against it
 */
export function roomDifferences(snapshot: FleetSnapshot, then: PlanBasis, moves: readonly Move[], arriving: readonly Move[] = []): PlanDifference[] {
  const held = heldBytes(snapshot);
  const bytesTo = (list: readonly Move[], targetId: TargetId): number =>
    list.reduce((sum, move) => sum + (move.toTargetId === targetId ? move.sizeBytes : 0), 0);
  const targetIds = [...new Set(moves.flatMap((move) => move.toTargetId ?? []))];
  return targetIds.flatMap((targetId): PlanDifference[] => {
    const target = indexOf(snapshot).targets.get(targetId);
    if (target === undefined) return [];
    const wanted = bytesTo(moves, targetId);
    const isSafety = moves.every((move) => move.toTargetId !== targetId || move.priority === 0);
    const free = Math.max(0, freeBytes(target) + bytesTo(arriving, targetId) - (isSafety ? 0 : (held.get(targetId) ?? 0)));
    if (wanted <= free) return [];
    const text = `${targetId} has ${bytesText(free)} left beside what is promised to others, the moves bring ${bytesText(wanted)}`;
    return [{ kind: 'target', id: targetId, what: 'room', before: then.measured[targetId]?.freeBytes ?? null, after: free, text }];
  });
}

function datasetDifferences(then: PlanBasis, now: PlanBasis, move: Move, before: DatasetBasis, after: DatasetBasis, own: OwnWork): PlanDifference[] {
  const { datasetId } = move;
  const found: PlanDifference[] = [];
  // A version never changes, so its size is another only with another version; both are told.
  if (before.versionId !== after.versionId) found.push(tell('dataset', datasetId, 'version', before.versionId, after.versionId));
  if (before.sizeBytes !== after.sizeBytes) found.push(tell('dataset', datasetId, 'size', before.sizeBytes, after.sizeBytes));
  // Readers were sent elsewhere: who is the primary decides what a move may do, and what it costs. A switch of the plan's own is none.
  const { primaryReplicaId } = after;
  if (before.primaryReplicaId !== primaryReplicaId && (primaryReplicaId === null || !own.replicas.has(primaryReplicaId)))
    found.push(tell('dataset', datasetId, 'primary', before.primaryReplicaId, primaryReplicaId));
  if (paysForItself(move) && before.heat !== after.heat) found.push(tell('heat', datasetId, 'class', before.heat, after.heat));
  return [...found, ...policyDifferences(move, then.policies[before.policy], now.policies[after.policy])];
}

/** Who applies a plan has decided whatever the mode and the cutoff say. The margin is for moves that must pay. */
function policyDifferences(move: Move, before: Policy | undefined, after: Policy | undefined): PlanDifference[] {
  if (before === undefined || after === undefined) return [];
  const names = Object.keys({ ...before, ...after }) as (keyof Policy)[];
  return names.flatMap((name) => {
    if (name === 'mode' || name === 'probabilityCutoff' || (name === 'forecastMargin' && !paysForItself(move))) return [];
    const [was, is] = [plain(before[name]), plain(after[name])];
    return was === is ? [] : [tell('policy', move.datasetId, name, was, is)];
  });
}

/** Copies of the present version, and the one that the move is about. What a job brings to its end that was under way then was reckoned with. */
function copyDifferences(move: Move, before: DatasetBasis, after: DatasetBasis, own: OwnWork): PlanDifference[] {
  const ids = Object.keys({ ...before.copies, ...after.copies }) as ReplicaId[];
  return ids.flatMap((replicaId): PlanDifference[] => {
    const was = before.copies[replicaId];
    const is = after.copies[replicaId];
    const concerns = replicaId === move.fromReplicaId || (was ?? is)!.versionId === before.versionId || (was ?? is)!.versionId === after.versionId;
    if (!concerns || was?.state === is?.state || wentOn(was, is) || (own.replicas.has(replicaId) && isCourse(is))) return [];
    const at = (was ?? is)!.targetId;
    const text = `the copy of ${move.datasetId} on ${at} is ${is?.state ?? 'not there any more'}, it was ${was?.state ?? 'not there'}`;
    return [{ kind: 'copy', id: replicaId, what: 'state', before: was?.state ?? null, after: is?.state ?? null, text }];
  });
}

/** What was on its way came or left, as it was to be expected. */
const courses: Partial<Record<ReplicaState, readonly (ReplicaState | undefined)[]>> = {
  joining: ['verified'],
  retiring: ['trashed', undefined],
  trashed: [undefined],
};

function wentOn(was: CopyBasis | undefined, is: CopyBasis | undefined): boolean {
  return was !== undefined && courses[was.state]?.includes(is?.state) === true;
}

/** What the plan's own work makes of a copy that it brings or takes away; found bad, it is not its work. */
function isCourse(is: CopyBasis | undefined): boolean {
  return is === undefined || ['joining', 'verified', 'retiring', 'trashed'].includes(is.state);
}

/** Somebody else began to work on it. That a job has ended shows in the copies. */
function jobDifferences(datasetId: DatasetId, before: DatasetBasis, after: DatasetBasis, own: OwnWork): PlanDifference[] {
  return (Object.entries(after.jobs) as [JobId, string][]).flatMap(([jobId, purpose]): PlanDifference[] => {
    if (before.jobs[jobId] !== undefined || own.jobs.has(jobId)) return [];
    return [{ kind: 'job', id: jobId, what: 'presence', before: null, after: purpose, text: `another job for ${datasetId} is under way: ${purpose}` }];
  });
}

function settingDifferences(then: PlanBasis, now: PlanBasis, move: Move): PlanDifference[] {
  if (!paysForItself(move)) return [];
  return (['horizonDays', 'dollarsPerReadSec'] as const).flatMap((name) =>
    then.settings[name] === now.settings[name] ? [] : [tell('settings', name, 'value', then.settings[name], now.settings[name])],
  );
}

function targetDifferences(then: PlanBasis, now: PlanBasis, targetId: TargetId): PlanDifference[] {
  const before = then.targets[targetId];
  const after = now.targets[targetId];
  if (before === undefined && after === undefined) return [];
  if (before === undefined || after === undefined)
    return [tell('target', targetId, 'presence', before === undefined ? null : 'there', after === undefined ? null : 'there')];
  return [...useDifferences(targetId, before, after), ...placeDifferences(targetId, before, after), ...priceDifferences(then, now, targetId)];
}

/** What a new copy, or one that is read or taken away, asks of its place. */
function useDifferences(targetId: TargetId, before: TargetBasis, after: TargetBasis): PlanDifference[] {
  return (['state', 'agent'] as const).flatMap((what) => (before[what] === after[what] ? [] : [tell('target', targetId, what, before[what], after[what])]));
}

/** Any signs keep a new copy away. A copy leaves a drive because it is at risk, and not while the observer may be at fault; that its drive is emptied in turn is no difference. */
function riskDifferences(then: PlanBasis, now: PlanBasis, move: Move): PlanDifference[] {
  const told = (targetId: TargetId | null, isWorse: (before: TargetBasis, after: TargetBasis) => boolean): PlanDifference[] => {
    const [before, after] = [then.targets[targetId!], now.targets[targetId!]];
    return before === undefined || after === undefined || !isWorse(before, after) ? [] : [tell('target', targetId!, 'risk', riskWord(before), riskWord(after))];
  };
  return [
    ...told(move.toTargetId, (before, after) => (before.risk === 'none') !== (after.risk === 'none')),
    ...(move.need === 'evacuate-device'
      ? told(move.fromTargetId, (before, after) => before.deviceAtRisk !== after.deviceAtRisk || (before.risk !== 'held' && after.risk === 'held'))
      : []),
  ];
}

function riskWord(target: TargetBasis): string {
  return target.risk === 'none' && target.deviceAtRisk ? 'signs' : target.risk;
}

function placeDifferences(targetId: TargetId, before: TargetBasis, after: TargetBasis): PlanDifference[] {
  const names = Object.keys(before.place) as (keyof TargetBasis['place'])[];
  return names.flatMap((name) => (before.place[name] === after.place[name] ? [] : [tell('target', targetId, name, before.place[name], after.place[name])]));
}

/** Every price of both ends: they are in the cost of the move and in what it costs once. */
function priceDifferences(then: PlanBasis, now: PlanBasis, targetId: TargetId): PlanDifference[] {
  const [before, after] = [then.targets[targetId]?.prices ?? null, now.targets[targetId]?.prices ?? null];
  const names = Object.keys({ ...before, ...after }) as (keyof Prices)[];
  return names.flatMap((name): PlanDifference[] => {
    const [was, is] = [before?.[name] ?? null, after?.[name] ?? null];
    if (was === is) return [];
    const text = `${name} of ${targetId} is ${is ?? 'not known'}, it was ${was ?? 'not known'} (price book ${now.priceRev}, then ${then.priceRev})`;
    return [{ kind: 'price', id: targetId, what: name, before: was, after: is, text }];
  });
}

/** A measured latency is a difference only where it breaks the promise to readers that it kept, or the other way round. */
function latencyDifferences(then: PlanBasis, now: PlanBasis, move: Move, dataset: DatasetBasis): PlanDifference[] {
  const slo = now.policies[dataset.policy]?.latencySloMs ?? null;
  if (slo === null || move.fromReplicaId !== dataset.primaryReplicaId || move.action !== 'move') return [];
  const [before, after] = [then, now].map((basis) => basis.measured[move.toTargetId!]?.latencyP95Ms ?? null) as [number | null, number | null];
  const keeps = (ms: number | null): boolean => ms !== null && ms <= slo;
  return keeps(before) === keeps(after) ? [] : [tell('target', move.toTargetId!, 'latency', before, after)];
}

/** A copy leaves because others stand: whether their places can still be reached. That a drive under one is being emptied makes the drop wait. */
function othersDifferences(then: PlanBasis, now: PlanBasis, move: Move, before: DatasetBasis): PlanDifference[] {
  const places = new Set(Object.values<CopyBasis>(before.copies).map((copy) => copy.targetId));
  return [...places].flatMap((targetId) => {
    const [was, is] = [then.targets[targetId], now.targets[targetId]];
    return targetId === move.fromTargetId || was === undefined || is === undefined ? [] : useDifferences(targetId, was, is);
  });
}

function paysForItself(move: Move): boolean {
  return move.need === 'follow-heat' || move.need === 'cheaper-place';
}

type Plain = PlanDifference['before'];

function plain(value: unknown): Plain {
  return Array.isArray(value) ? value.join(', ') : (value as Plain);
}

function tell(kind: PlanDifference['kind'], id: string, what: string, before: Plain, after: Plain): PlanDifference {
  const words = (value: Plain): string => (value === null ? 'none' : String(value));
  return { kind, id, what, before, after, text: `${what} of ${id} is ${words(after)}, it was ${words(before)}` };
}
