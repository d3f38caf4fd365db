import { systemClock } from '@data-in-motion/shared/clock';
import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import { artifactHash } from '@data-in-motion/shared/model-identity';
import type { AgentRecord } from '@data-in-motion/shared/protocol/records';
import { newPrivateKeyPem, type SigningKey, signBody, signingKey } from '@data-in-motion/shared/signature';
import { smallModel } from '@data-in-motion/shared/testdata/small-model';
import { expect, test } from 'vitest';
import { FleetModel } from './fleet-model.ts';

const key = signingKey(newPrivateKeyPem());
const first = smallModel();
const second = smallModel({ base: -4 });

interface Change {
  readonly by?: SigningKey;
  readonly issuedAtMs?: number;
  readonly hash?: string;
  readonly version?: string;
}
const signed = (model: FailureModel | null, { by = key, issuedAtMs = 1, ...change }: Change = {}) => {
  const hash = change.hash ?? (model === null ? null : artifactHash(JSON.stringify(model)));
  const version = change.version ?? model?.version ?? null;
  return signBody(JSON.stringify({ v: 1, kind: 'model', issuedAtMs, version, artifactHash: hash, artifact: model }), by);
};

/** An agent's model over a journal of one row, which outlives it. */
function open(kept: { text: string | null } = { text: null }, pinned: { pem: string | null } = { pem: key.publicKeyPem }) {
  const told: AgentRecord[] = [];
  const troubles: string[] = [];
  const model = new FleetModel({
    meta: { read: () => ({ publicKeyPem: pinned.pem }) as never },
    models: {
      kept: () => kept.text,
      keep(text) {
        kept.text = text;
      },
      forget() {
        kept.text = null;
      },
    },
    tell: (records) => void told.push(...records),
    clock: systemClock,
    onTrouble: (code, what) => void troubles.push(`${code}: ${what}`),
  });
  return { model, told, troubles, kept, pinned };
}

test('a model that the pinned key signed judges from then on, is told once, and is there again after a restart', () => {
  const { model, told, troubles, kept } = open();
  expect([model.current(), model.version]).toEqual([null, null]);
  model.receive(signed(first));
  model.receive(signed(first, { issuedAtMs: 2 }));
  expect(model.current()?.model).toEqual(first);
  expect(told.map((record) => record.type === 'model-running' && record.version)).toEqual([first.version]);
  expect(troubles).toEqual([]);
  const again = open(kept);
  expect(again.model.version).toBe(first.version);
  expect(again.told).toEqual([]);
});

test('what is tampered with, signed by another, cut or not to be run here is refused in words, and the last good one stays', () => {
  const { model, told, troubles, kept } = open();
  model.receive(signed(first));
  const forged = signed(second);
  const strange = smallModel({ features: ['smart5', 'smart5.moonPhase'] });
  for (const [message, says] of [
    [{ ...forged, body: forged.body.replace('-4', '-9') }, /not by the pinned key/],
    [signed(second, { by: signingKey(newPrivateKeyPem()) }), /not by the pinned key/],
    [signed(second, { hash: artifactHash('another') }), /hash is not the one/],
    [signed({ ...second, base: 9 }), /not what its name says/],
    [signed(second, { version: '0123456789ab' }), /not what its name says/],
    [signed(null, { version: second.version }), /hash/],
    [signed(strange), /smart5\.moonPhase/],
    [signBody('{"v":1', key), /does not parse/],
    [signBody('{"v":1,"nodeId":"node-a","rev":1}', key), /does not parse/],
  ] as const) {
    model.receive(message);
    expect(troubles.pop()).toMatch(says);
    expect(model.version).toBe(first.version);
  }
  expect(told).toHaveLength(1);
  expect(open(kept).model.current()?.model).toEqual(first);
});

test('a model that came before the key of its signer is looked at when that is known', () => {
  const { model, pinned, troubles } = open({ text: null }, { pem: null });
  model.receive(signed(first));
  expect([model.version, troubles]).toEqual([null, []]);
  pinned.pem = key.publicKeyPem;
  model.keyKnown();
  expect(model.version).toBe(first.version);
  // The operator named another key: the bus told what it signed before the welcome that shows it.
  const next = signingKey(newPrivateKeyPem());
  model.receive(signed(second, { by: next, issuedAtMs: 2 }));
  expect(model.version).toBe(first.version);
  pinned.pem = next.publicKeyPem;
  model.keyKnown();
  expect(model.version).toBe(second.version);
});

test('a model that the bus held back does not replace a later one; when there is none any more, rules judge', () => {
  const { model, told, kept } = open();
  model.receive(signed(second, { issuedAtMs: 20 }));
  model.receive(signed(first, { issuedAtMs: 10 }));
  expect(model.version).toBe(second.version);
  model.receive(signed(null, { issuedAtMs: 30 }));
  expect([model.current(), kept.text]).toEqual([null, null]);
  expect(told.at(-1)).toMatchObject({ type: 'model-running', version: null });
});

test('what an agent of another release kept and this one can not run is told, and rules judge', () => {
  const { model, troubles } = open({ text: JSON.stringify(smallModel({ features: ['smart5', 'of.tomorrow'] })) });
  expect(model.current()).toBeNull();
  expect(troubles).toEqual([expect.stringMatching(/model\.refused.*of\.tomorrow; the rules judge/)]);
});
