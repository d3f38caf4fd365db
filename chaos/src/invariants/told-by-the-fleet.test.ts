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
])('of a fault of which %s was the last word, that it is undone is %s', async (state, expected) => {
  const told = events([{ type: `fault.${state}`, experimentId: 'mine', seq: 11 }]);
  expect((await holds(faultsUndone, told, { experimentIds: ['mine'] })).holds).toBe(expected);
});

test('a fault of which nobody said a word is not undone, whatever was said of others', async () => {
  const told = events([{ type: 'fault.undone', experimentId: 'another', seq: 11 }]);
  expect(await holds(faultsUndone, told, { experimentIds: ['mine'] })).toMatchObject({ holds: false, detail: expect.stringContaining('mine') });
});

type Stream = ConsistencyView['streams'][number];

type Told = Partial<Stream> & { quarantined?: number; unreadableAtMs?: number[] };

function telemetry({ quarantined = 2, unreadableAtMs = [900, 800], ...stream }: Told): ConsistencyView {
  const calm = { nodeId: 'berlin', incarnation: 2, watermark: 7, highestSeen: 7, holes: 0, lostBefore: 4, desiredRev: 1, observedRev: 1, lastBatchAtMs: 1 };
  const quarantine = unreadableAtMs.map((atMs) => ({ id: String(atMs), atMs, topic: 't', because: 'no JSON', bytes: 1 }));
  return { asOfMs: 1_000, streams: [{ ...calm, ...stream }], quarantined, quarantine } as ConsistencyView;
}

test.each<[string, ConsistencyView, string]>([
  ['less than was seen', telemetry({ highestSeen: 9, holes: 2 }), 'berlin is stored to 7 of 9, 2 missing'],
  ['a life that ended with a hole', telemetry({ lostBefore: 5 }), 'berlin lost 1 batches with its journal'],
  ['an unreadable message of the run', telemetry({ quarantined: 3, unreadableAtMs: [1_001, 900, 800] }), '1 messages were unreadable'],
])('telemetry with %s is not whole', async (_, view, detail) => {
  expect(await holds(telemetryWhole, () => view, {})).toEqual({ holds: false, detail });
});

test('telemetry is whole when all that was seen is stored, also when old unreadable messages were forgotten meanwhile', async () => {
  for (const view of [telemetry({}), telemetry({ quarantined: 1, unreadableAtMs: [900] })])
    expect((await holds(telemetryWhole, () => view, {})).holds).toBe(true);
});

test('one more unreadable message is found where a thousand are kept at most and were there before', async () => {
  const consistencyBefore = telemetry({ quarantined: 1_000 });
  const view = telemetry({ quarantined: 1_000, unreadableAtMs: [1_500, 900, 800] });
  expect(await holds(telemetryWhole, () => view, { consistencyBefore })).toEqual({ holds: false, detail: '1 messages were unreadable' });
});
