import type { DatasetId, TargetId } from '@data-in-motion/shared/domain/ids';
import { afterAll, describe, expect, test } from 'vitest';
import { makePlan } from '../../src/control-loop/decide.ts';
import { defaultLoopSettings, type LeaderWrite, type LoopParts, type Solve } from '../../src/control-loop/parts.ts';
import type { FleetSnapshot, ShadowPrice } from '../../src/fleet/snapshot.ts';
import { placeFleet } from '../../src/placement/place-fleet.ts';
import { loadSnapshot } from '../../src/store/load-snapshot.ts';
import { storeKinds } from '../stores.ts';

const room = (targetId: string, dollarsPerUnit: number): ShadowPrice => ({ targetId: targetId as TargetId, resource: 'bytes', dollarsPerUnit });

describe.each(storeKinds)('shadow prices on $kind', ({ stores }) => {
  const open = stores();
  afterAll(() => open.stop());

  test('of the current plan of the whole fleet, and of no other, are what the next one begins with', async () => {
    const store = await open.open();
    const settings = defaultLoopSettings;
    let found: readonly ShadowPrice[] = [];
    const seen: FleetSnapshot[] = [];
    const solve: Solve = async (snapshot, needs, heats) => {
      seen.push(snapshot);
      return { ...(await placeFleet(snapshot, needs, heats, settings.decisions.placement)), shadowPrices: found };
    };
    const write: LeaderWrite = (work) => store.transaction(async (tx) => work(tx, await store.nowMs(tx)));
    const plan = (prices: readonly ShadowPrice[], dryRun = false, datasetIds: ReadonlySet<DatasetId> | null = null) => {
      found = prices;
      return makePlan({ store, settings, solve } as LoopParts, write, { dryRun, datasetIds });
    };
    const known = async () => (await loadSnapshot(store)).shadowPrices;

    expect(await known()).toEqual([]);
    const first: ShadowPrice[] = [room('rome-disk', 1.2345678901234567e-14), { ...room('paris-disk', 3e-9), resource: 'requests' }, room('paris-disk', 2e-12)];
    await plan(first);
    const sorted = [first[2], first[1], first[0]];
    expect(await known()).toEqual(sorted);
    await plan([room('oslo-disk', 1)], true);
    await plan([room('oslo-disk', 1)], false, new Set(['photos' as DatasetId]));
    expect(await known()).toEqual(sorted);
    await plan([room('oslo-disk', 1)]);
    expect(seen.at(-1)!.shadowPrices).toEqual(sorted);
    expect(await known()).toEqual([room('oslo-disk', 1)]);
    await plan([]);
    expect(await known()).toEqual([]);
  });
});
