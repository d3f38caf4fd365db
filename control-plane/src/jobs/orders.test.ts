import type { DatasetId, JobId, NodeId, PermitId, ReplicaId, TargetId, VersionId } from '@data-in-motion/shared/domain/ids';
import { jobPurposes, jobStates } from '@data-in-motion/shared/domain/job';
import { order as orderSchema } from '@data-in-motion/shared/protocol/messages';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OrderFacts, ordersFor } from './orders.ts';

const id = (last: string): string => `01ARZ3NDEKTSV4RRFFQ69G5FA${last}`;
const here = 'here' as NodeId;
const there = 'there' as NodeId;
const place = (name: string, nodeId: NodeId) => ({
  replicaId: id(name) as ReplicaId,
  targetId: `t-${nodeId}` as TargetId,
  nodeId,
  transferUrl: `http://${nodeId}.test:1`,
});
const move: OrderFacts = {
  jobId: id('J') as JobId,
  purpose: 'move',
  state: 'leased',
  epoch: 2,
  datasetId: 'photos' as DatasetId,
  version: { versionId: id('V') as VersionId, root: 'a'.repeat(64), objects: 1, sizeBytes: 10 },
  import: null,
  from: place('F', there),
  to: place('T', here),
  read: place('F', there),
  switched: { rev: 4, certificate: '{}' },
  activated: false,
  witnessed: false,
  rechecked: false,
  permit: { permitId: id('P') as PermitId, kind: 'retire' },
  resting: false,
};
const kinds = (nodeId: NodeId, facts: Partial<OrderFacts>) => ordersFor(nodeId, [{ ...move, ...facts }]).map((order) => order.kind);

describe('an agent is ordered', () => {
  test('to pull a copy from the other node, by address and with room for a token', () => {
    expect(ordersFor(here, [move])).toMatchObject([
      { kind: 'copy', source: { kind: 'remote', nodeId: there, url: `http://there.test:1/v1/sources/${id('F')}`, token: '' } },
    ]);
    expect(ordersFor(there, [move])).toEqual([]);
  });
  test('to read a copy on its own node where it lies', () => {
    expect(ordersFor(here, [{ ...move, read: place('F', here) }])).toMatchObject([{ kind: 'copy', source: { kind: 'local-replica', replicaId: id('F') } }]);
  });
  test('to scan an import, and to copy it once its version is committed', () => {
    const imported: Partial<OrderFacts> = {
      purpose: 'import',
      from: null,
      read: null,
      import: { nodeId: there, transferUrl: 'http://there.test:1', source: { kind: 'sample', bytes: 5, seed: 1 } },
    };
    expect(kinds(there, { ...imported, version: null, to: null })).toEqual(['scan']);
    expect(kinds(here, imported)).toEqual(['copy']);
    expect(ordersFor(here, [{ ...move, ...imported } as OrderFacts])).toMatchObject([
      { source: { kind: 'remote', url: `http://there.test:1/v1/sources/${id('J')}` } },
    ]);
  });
  test('to let a copy go that was found bad, and is told so; of another copy nothing is said', () => {
    const leaving: OrderFacts = { ...move, purpose: 'retire', state: 'retiring', to: null };
    expect(ordersFor(there, [{ ...leaving, fromIsBad: true }])).toMatchObject([{ kind: 'retire', knownBad: true }]);
    expect(ordersFor(there, [leaving])[0]).not.toHaveProperty('knownBad');
  });
  test('to keep the certificate of a switch on both sides, until each has', () => {
    expect(kinds(here, { state: 'switched' })).toEqual(['activate']);
    expect(kinds(there, { state: 'switched' })).toEqual(['witness']);
    expect(kinds(here, { state: 'switched', activated: true })).toEqual([]);
    expect(kinds(there, { state: 'switched', witnessed: true })).toEqual([]);
  });
  test('to read the new copy back after the switch, once', () => {
    expect(kinds(here, { state: 'grace' })).toEqual(['verify']);
    expect(kinds(here, { state: 'grace', rechecked: true })).toEqual([]);
  });
  test('to let a copy go only with the permit for just that', () => {
    expect(kinds(there, { state: 'retiring' })).toEqual(['retire']);
    expect(kinds(there, { state: 'retiring', permit: null })).toEqual([]);
    expect(kinds(there, { state: 'trashed' })).toEqual([]);
    expect(kinds(there, { state: 'trashed', permit: { permitId: id('P') as PermitId, kind: 'purge' } })).toEqual(['purge']);
  });
  test('to read a copy that is to become the primary, not to copy it', () => {
    expect(kinds(here, { purpose: 'copy', from: place('T', here), to: place('T', here) })).toEqual(['verify']);
  });
  test('nothing while a failed step rests', () => {
    expect(kinds(there, { state: 'retiring', resting: true })).toEqual([]);
  });
});

test('every order of every state is one that agents can read, and none but a permitted one removes anything', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...jobPurposes),
      fc.constantFrom(...jobStates),
      fc.constantFrom(here, there),
      fc.boolean(),
      (purpose, state, nodeId, permitted) => {
        for (const order of ordersFor(nodeId, [{ ...move, purpose, state, permit: permitted ? move.permit : null }])) {
          expect(orderSchema.safeParse(order).error).toBeUndefined();
          if (order.kind === 'retire' || order.kind === 'purge') expect(permitted && state === 'retiring').toBe(true);
        }
      },
    ),
  );
});
