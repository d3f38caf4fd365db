import type { ConsistencyView } from '@data-in-motion/shared/api/operations';
import type { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import { expect, test } from 'vitest';
import { faultsUndone } from './faults-undone.ts';
import type { Invariant, Witness } from './invariant.ts';
import { telemetryWhole } from './telemetry-whole.ts';

type Asked = { readonly query?: Readonly<Record<string, string>> };

/** A control plane that answers so. */
function holds(invariant: Invariant, answer: (route: string, asked: Asked) => unknown, witness: Partial<Witness>): Promise<{ holds: boolean; detail: string }> {
  const api = { call: async (route: string, _: unknown, asked: Asked = {}) => answer(route, asked) } as unknown as RouteCaller;
  return invariant.check({ known: [], targets: [], experimentIds: [], datasetIds: [], sinceSeq: 10, consistencyBefore: telemetry({}), ...witness, api });
}

const events =
  (told: readonly { type: string; experimentId: string; seq: number }[]) =>
  (_: string, { query = {} }: Asked) => ({
    items: told.filter(({ type }) => type === query.type).map(({ type, experimentId, seq }) => ({ type, seq, ids: { experimentId } })),
    next: null,
  });

test.each([
  ['undone', true],
  ['refused', true],
  ['armed', false],
  ['expired', false],
])('a fault of which %s was the last word: %s', async (state, expected) => {
  const told = events([{ type: `fault.${state}`, experimentId: 'mine', seq: 11 }]);
  expect((await holds(faultsUndone, told, { experimentIds: ['mine'] })).holds).toBe(expected);
});

test('a fault of which nobody said a word is not undone, whatever was said of others', async () => {
  const told = events([{ type: 'fault.undone', experimentId: 'another', seq: 11 }]);
  expect(await holds(faultsUndone, told, { experimentIds: ['mine'] })).toMatchObject({ holds: false, detail: expect.stringContaining('mine') });
});

type Stream = ConsistencyView['streams'][number];

function telemetry({ quarantined = 2, ...stream }: Partial<Stream> & { quarantined?: number }): ConsistencyView {
  const calm = { nodeId: 'berlin', incarnation: 2, watermark: 7, highestSeen: 7, holes: 0, lostBefore: 4, desiredRev: 1, observedRev: 1, lastBatchAtMs: 1 };
  return { streams: [{ ...calm, ...stream }], quarantined } as ConsistencyView;
}

test.each<[string, ConsistencyView, boolean]>([
  ['all that was seen', telemetry({}), true],
  ['less than was seen', telemetry({ highestSeen: 9, holes: 2 }), false],
  ['a life that ended with a hole', telemetry({ lostBefore: 5 }), false],
  ['an unreadable message of the run', telemetry({ quarantined: 3 }), false],
])('telemetry with %s is whole: %#', async (_, view, expected) => {
  expect((await holds(telemetryWhole, () => view, {})).holds).toBe(expected);
});
