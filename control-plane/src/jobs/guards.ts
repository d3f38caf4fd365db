import type { NodeId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import type { JobPurpose } from '@data-in-motion/shared/domain/job';
import type { Spread } from '@data-in-motion/shared/domain/policy';
import type { ReplicaState, VerificationLevel } from '@data-in-motion/shared/domain/replica';

/** What the guards look at: one copy of a dataset, where it is and whether its place can be relied on. */
export interface CopyFacts {
  readonly replicaId: ReplicaId;
  readonly versionId: VersionId | null;
  readonly targetId: TargetId;
  readonly state: ReplicaState;
  readonly verifiedRoot: string | null;
  readonly verifiedLevel: VerificationLevel | null;
  readonly verifiedAtMs: number | null;
  /** Its node is not lost, its target can be reached and none of its devices is at risk. */
  readonly reliable: boolean;
  /** Policy allows copies there. */
  readonly allowed: boolean;
  /** What it shares its fate with, by the dataset's spread. */
  readonly domain: string;
}

export interface PointerFacts {
  readonly versionId: VersionId;
  readonly replicaId: ReplicaId;
  readonly rev: number;
}

export interface LeaveFacts {
  readonly purpose: JobPurpose;
  readonly leaving: CopyFacts;
  /** It was found corrupt or missing, also when it is on its way out since. */
  readonly leavingIsBad: boolean;
  readonly others: readonly CopyFacts[];
  readonly pointer: PointerFacts | null;
  /** Files that could not be read when the version that the pointer names was made. */
  readonly unreadable: number;
  readonly copiesWanted: number;
  /** The destination of a move; null for a copy that leaves without one coming. */
  readonly arrived: ReplicaId | null;
  readonly switchedAtMs: number | null;
  /** When a switch of the pointer, of whatever job, last sent readers away from the leaving copy; null when none ever did. */
  readonly readersLeftAtMs: number | null;
  readonly recheckedAtMs: number | null;
  /** The last switch of the pointer can not be lost: the agents have journaled its certificate, or the database survives power loss. */
  readonly switchIsDurable: boolean;
  readonly trashedAtMs: number | null;
  readonly targetFrozen: boolean;
  readonly graceMs: number;
  readonly trashMs: number;
  readonly nowMs: number;
}

export interface SwitchFacts {
  readonly arriving: CopyFacts;
  /** Of the version, from its immutable row. */
  readonly root: string;
  readonly expectedRev: number;
  readonly pointer: PointerFacts | null;
}

/** Why a step must not be taken now; null when nothing speaks against it. */
export type Objection = string | null;

/** The domain of a place for a spread: two copies in one domain are lost together. */
export function spreadDomain(place: { targetId: TargetId; nodeId: NodeId; siteId: string; provider: string }, spread: Spread): string {
  return { target: place.targetId, node: place.nodeId, site: place.siteId, provider: place.provider }[spread];
}

const counts = (copy: CopyFacts, versionId: VersionId | null): boolean =>
  copy.state === 'verified' && copy.verifiedLevel === 'L2' && copy.versionId === versionId && copy.reliable && copy.allowed;

/** Copies that stand in for one that leaves: read back leaf by leaf, of the version the pointer names. */
export function standIns(facts: LeaveFacts): CopyFacts[] {
  const wanted = facts.pointer?.versionId ?? facts.leaving.versionId;
  return facts.others.filter((copy) => counts(copy, wanted));
}

/**
 * Each rule of the protocol that keeps data, by the name it has in the model of the protocol. A rule looks at plain facts that were read
 * in the same transaction, under the lock on the dataset; taking one away must make a test fail.
 */
export const protocolGuards = {
  /** An old lease changes nothing. */
  fence: (facts: { epoch: number; currentEpoch: number }): Objection =>
    facts.epoch === facts.currentEpoch ? null : `it belongs to lease ${facts.epoch}, the present one is ${facts.currentEpoch}`,

  /** What was read back is the version, whole. */
  manifestMatch: (facts: { root: string; objects: number; bytes: number; version: { root: string; objects: number; sizeBytes: number } }): Objection =>
    facts.root === facts.version.root && facts.objects === facts.version.objects && facts.bytes === facts.version.sizeBytes
      ? null
      : 'what was read back is not the version: root or counts differ',

  /** The pointer is where it was when the job was made. */
  cas: (facts: SwitchFacts): Objection =>
    (facts.pointer?.rev ?? 0) === facts.expectedRev ? null : `the pointer is at ${facts.pointer?.rev ?? 0}, the job was made at ${facts.expectedRev}`,

  /** Only a copy that was verified with the version's own root is ever switched to. */
  switchToVerified: (facts: SwitchFacts): Objection =>
    facts.arriving.state === 'verified' && facts.arriving.verifiedRoot === facts.root ? null : 'the new copy is not verified',

  /** A copy leaves only after the switch, and after its readers had time to go. */
  graceAfterSwitch: (facts: LeaveFacts): Objection => {
    if (facts.arrived !== null && facts.switchedAtMs === null) return 'the switch has not happened';
    const sinceMs = Math.max(facts.arrived === null ? 0 : facts.switchedAtMs!, facts.readersLeftAtMs ?? 0);
    return facts.nowMs >= sinceMs + facts.graceMs ? null : 'readers of the old copy still have time';
  },

  /** A switch that the store could still lose must not hide the old copy. */
  durableSwitch: (facts: LeaveFacts): Objection => (facts.switchIsDurable ? null : 'the switch is not durable yet'),

  /** The new copy was read back again after the switch. */
  destRecheck: (facts: LeaveFacts): Objection =>
    facts.arrived === null || (facts.recheckedAtMs !== null && facts.recheckedAtMs >= (facts.switchedAtMs ?? Infinity))
      ? null
      : 'the new copy was not read back after the switch',

  /** The copy that readers are sent to stays. */
  notPrimary: (facts: LeaveFacts): Objection => (facts.pointer?.replicaId === facts.leaving.replicaId ? 'readers are still sent to it' : null),

  /** A target that a person froze gives nothing away. */
  notFrozen: (facts: LeaveFacts): Objection => (facts.targetFrozen ? 'nothing leaves a frozen target' : null),

  /**
   * As many others as policy asks for stay, read back, in places that can be relied on, and as far apart as before.
   * A bad or missing copy protects nothing: it may leave when one good copy is there.
   */
  enoughCopies: (facts: LeaveFacts): Objection => {
    const stay = standIns(facts);
    const needed = facts.leavingIsBad ? 1 : Math.max(1, facts.copiesWanted);
    if (stay.length < needed) return `${stay.length} of ${needed} verified copies would stay`;
    if (facts.leavingIsBad || facts.leaving.versionId !== (facts.pointer?.versionId ?? null)) return null;
    const domains = (copies: readonly CopyFacts[]): number => new Set(copies.map((copy) => copy.domain)).size;
    const before = Math.min(needed, domains(facts.others.filter((copy) => stay.includes(copy)).concat(facts.leaving)));
    return domains(stay) >= before ? null : 'the copies that stay would be closer together than before';
  },

  /** A version that files are missing from never takes the place of another: those files may be in no other copy. */
  wholeVersion: (facts: LeaveFacts): Objection =>
    facts.unreadable === 0 || facts.leaving.versionId === (facts.pointer?.versionId ?? null)
      ? null
      : `the present version is not whole: ${facts.unreadable} ${facts.unreadable === 1 ? 'file was' : 'files were'} unreadable`,

  /** Before bytes go for good, the trash time is over and what stands in was read back again since. */
  purgeConfirm: (facts: LeaveFacts): Objection => {
    if (facts.trashedAtMs === null || facts.nowMs < facts.trashedAtMs + facts.trashMs) return 'its time in the trash is not over';
    const since = facts.trashedAtMs;
    const fresh = standIns(facts).filter((copy) => (copy.verifiedAtMs ?? 0) >= since);
    const needed = Math.max(1, facts.copiesWanted);
    return fresh.length >= needed ? null : `${fresh.length} of ${needed} copies were read back since it left`;
  },
} as const;
export type Guards = { readonly [Name in keyof typeof protocolGuards]: (typeof protocolGuards)[Name] };

/** The first objection to letting a copy leave (T10); null grants the permit. */
export function retireObjection(facts: LeaveFacts, guards: Guards = protocolGuards): Objection {
  return (
    guards.notFrozen(facts) ??
    guards.notPrimary(facts) ??
    guards.wholeVersion(facts) ??
    guards.graceAfterSwitch(facts) ??
    guards.durableSwitch(facts) ??
    guards.destRecheck(facts) ??
    guards.enoughCopies(facts)
  );
}

/** The first objection to deleting what lies in the trash (T12); null grants the second permit. */
export function purgeObjection(facts: LeaveFacts, guards: Guards = protocolGuards): Objection {
  return guards.notFrozen(facts) ?? guards.notPrimary(facts) ?? guards.wholeVersion(facts) ?? guards.durableSwitch(facts) ?? guards.purgeConfirm(facts);
}
