import { z } from 'zod';
import { conditionFault, numberParameter, onThisNode } from './fault.ts';

const mostAddedMs = 120_000;

export const linkDelay = conditionFault(
  z.object({ addedMs: z.number() }),
  (order, world) => {
    onThisNode(order, world);
    return { addedMs: numberParameter(order, 'addedMs', 0, mostAddedMs) };
  },
  ({ addedMs }) => ({ link: { addedMs } }),
);
