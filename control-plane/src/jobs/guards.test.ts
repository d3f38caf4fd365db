import type { ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CopyFacts, type Guards, type LeaveFacts, protocolGuards, purgeObjection, retireObjection, standIns } from './guards.ts';

const version = 'v1' as VersionId;
const copy = (name: string, more: Partial<CopyFacts> = {}): CopyFacts => ({
  replicaId: name as ReplicaId,
  versionId: version,
  targetId: `t-${name}` as TargetId,
  state: 'verified',
  verifiedRoot: 'r',
  verifiedLevel: 'L2',
  verifiedAtMs: 5_000,
  reliable: true,
  allowed: true,
  domain: name,
  ...more,
});
/** A move whose old copy may leave: everything that must have happened has. */
const mayLeave: LeaveFacts = {
  purpose: 'move',
  leaving: copy('old'),
  leavingIsBad: false,
  others: [copy('new'), copy('third')],
  pointer: { versionId: version, replicaId: 'new' as ReplicaId, rev: 2 },
  unreadable: 0,
  copiesWanted: 2,
  arrived: 'new' as ReplicaId,
  switchedAtMs: 1_000,
  readersLeftAtMs: 1_000,
  recheckedAtMs: 2_000,
  switchIsDurable: true,
  trashedAtMs: 4_000,
  targetFrozen: false,
  graceMs: 500,
  trashMs: 1_000,
  nowMs: 10_000,
};
const without = (name: keyof Guards): Guards => ({ ...protocolGuards, [name]: () => null });

describe('an old copy', () => {
  test('may leave, and be deleted, when nothing speaks against it', () => {
    expect(retireObjection(mayLeave)).toBeNull();
    expect(purgeObjection(mayLeave)).toBeNull();
  });

  const cases: readonly [keyof Guards, string, Partial<LeaveFacts>][] = [
    ['graceAfterSwitch', 'before the switch', { switchedAtMs: null, recheckedAtMs: 2_000 }],
    ['graceAfterSwitch', 'while readers still have time', { graceMs: 60_000 }],
    [
      'graceAfterSwitch',
      'while readers whom another job sent away have time',
      { purpose: 'retire', arrived: null, switchedAtMs: null, readersLeftAtMs: 9_800 },
    ],
    ['durableSwitch', 'while the switch can still be lost', { switchIsDurable: false }],
    ['destRecheck', 'before the new copy was read back again', { recheckedAtMs: null }],
    ['notPrimary', 'while readers are sent to it', { pointer: { versionId: version, replicaId: 'old' as ReplicaId, rev: 2 } }],
    ['notFrozen', 'from a frozen target', { targetFrozen: true }],
    ['wholeVersion', 'when files of the present version could not be read', { leaving: copy('old', { versionId: 'v0' as VersionId }), unreadable: 2 }],
    ['enoughCopies', 'when too few verified ones would stay', { others: [copy('new')] }],
    ['enoughCopies', 'when another is only doubted', { others: [copy('new'), copy('third', { state: 'suspect' })] }],
    ['enoughCopies', 'when another is on a place that can not be relied on', { others: [copy('new'), copy('third', { reliable: false })] }],
    ['enoughCopies', 'when another is where policy forbids copies', { others: [copy('new'), copy('third', { allowed: false })] }],
    ['enoughCopies', 'when another was never read back leaf by leaf', { others: [copy('new'), copy('third', { verifiedLevel: 'L1' })] }],
    ['enoughCopies', 'when another is of an older version', { others: [copy('new'), copy('third', { versionId: 'v0' as VersionId })] }],
    ['enoughCopies', 'when those that stay would be closer together', { others: [copy('new', { domain: 'a' }), copy('third', { domain: 'a' })] }],
  ];
  test.each(cases)('stays by the guard %s: %s', (guard, _, facts) => {
    // For the switch that has not happened, a recheck at any time is no recheck.
    const given = { ...mayLeave, ...facts };
    expect(retireObjection(given)).not.toBeNull();
    const left = retireObjection(given, without(guard));
    expect(left === null || (facts.switchedAtMs === null && left.includes('read back'))).toBe(true);
  });

  test.each([
    ['before the trash time is over', { trashMs: 60_000 }],
    ['before those that stay were read back since it left', { others: [copy('new', { verifiedAtMs: 3_999 }), copy('third')] }],
    ['when one of those that stay is gone', { others: [copy('new')] }],
  ] satisfies [string, Partial<LeaveFacts>][])('is not deleted by the guard purgeConfirm: %s', (_, facts) => {
    expect(purgeObjection({ ...mayLeave, ...facts })).not.toBeNull();
    expect(purgeObjection({ ...mayLeave, ...facts }, without('purgeConfirm'))).toBeNull();
  });

  test('of an older version is not deleted while the present one is not whole', () => {
    const partial = { ...mayLeave, leaving: copy('old', { versionId: 'v0' as VersionId }), unreadable: 1 };
    expect(purgeObjection(partial)).toContain('1 file was unreadable');
    expect(purgeObjection({ ...partial, unreadable: 0 })).toBeNull();
  });

  test('that is corrupt may leave when one good copy is there', () => {
    const bad = {
      ...mayLeave,
      purpose: 'retire' as const,
      arrived: null,
      leaving: copy('old', { state: 'corrupt' }),
      leavingIsBad: true,
      others: [copy('new')],
    };
    expect(retireObjection(bad)).toBeNull();
    expect(retireObjection({ ...bad, others: [] })).not.toBeNull();
  });
});

describe('whatever the fleet looks like', () => {
  const anyCopy = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    state: fc.constantFrom<CopyFacts['state']>('joining', 'verified', 'suspect', 'corrupt', 'missing', 'retiring', 'trashed'),
    reliable: fc.boolean(),
    allowed: fc.boolean(),
    level: fc.constantFrom<CopyFacts['verifiedLevel']>('L1', 'L2', null),
    old: fc.boolean(),
  });
  const anyCopies = fc.uniqueArray(anyCopy, { selector: (one) => one.name, minLength: 1, maxLength: 5 });
  const factsOf = (
    copies: { name: string; state: CopyFacts['state']; reliable: boolean; allowed: boolean; level: CopyFacts['verifiedLevel']; old: boolean }[],
  ): CopyFacts[] =>
    copies.map((one) =>
      copy(one.name, {
        state: one.state,
        reliable: one.reliable,
        allowed: one.allowed,
        verifiedLevel: one.level,
        versionId: one.old ? ('v0' as VersionId) : version,
      }),
    );

  test('a copy leaves only when a good one stays, and a good one only when as many as wanted stay', () => {
    fc.assert(
      fc.property(anyCopies, fc.integer({ min: 1, max: 4 }), (copies, copiesWanted) => {
        const [leaving, ...others] = factsOf(copies);
        const facts: LeaveFacts = {
          ...mayLeave,
          purpose: 'retire',
          arrived: null,
          pointer: { versionId: version, replicaId: 'primary' as ReplicaId, rev: 1 },
          leaving: leaving!,
          leavingIsBad: ['corrupt', 'missing'].includes(leaving!.state),
          others,
          copiesWanted,
        };
        if (retireObjection(facts) !== null) return;
        expect(standIns(facts).length).toBeGreaterThanOrEqual(['corrupt', 'missing'].includes(leaving!.state) ? 1 : copiesWanted);
      }),
    );
  });

  test('no order of permits lets the last verified copy go', () => {
    fc.assert(
      fc.property(anyCopies, fc.array(fc.nat(4), { maxLength: 12 }), (copies, wishes) => {
        let standing = factsOf(copies);
        const good = (): number => standing.filter((one) => one.state === 'verified' && one.versionId === version).length;
        const before = good();
        for (const wish of wishes) {
          const leaving = standing[wish % Math.max(1, standing.length)];
          if (leaving === undefined) break;
          const facts: LeaveFacts = {
            ...mayLeave,
            purpose: 'retire',
            arrived: null,
            pointer: { versionId: version, replicaId: 'primary' as ReplicaId, rev: 1 },
            leaving,
            leavingIsBad: ['corrupt', 'missing'].includes(leaving.state),
            others: standing.filter((one) => one !== leaving),
            copiesWanted: 1,
          };
          if (retireObjection(facts) === null) standing = standing.map((one) => (one === leaving ? { ...one, state: 'retiring' } : one));
        }
        if (before > 0) expect(good()).toBeGreaterThan(0);
      }),
    );
  });
});
