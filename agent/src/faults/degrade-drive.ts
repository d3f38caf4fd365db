import { z } from 'zod';
import { defineFault, numberParameter, refusedFault } from './fault.ts';

const mostPace = 1_000;

export const degradeDrive = defineFault({
  plan: z.object({ deviceId: z.string(), pace: z.number() }),
  prepare: (order) => ({ deviceId: order.subject, pace: numberParameter(order, 'pace', 1, mostPace) }),
  make(_, { deviceId, pace }, world) {
    if (!world.drives.degrade(deviceId, pace)) throw refusedFault(`this node replays no drive "${deviceId}"`);
  },
  takeBack(_, { deviceId }, world) {
    world.drives.restore(deviceId);
    return 'the drive plays its recording again';
  },
});
