import { z } from 'zod';
import { conditionFault, numberParameter, onThisNode } from './fault.ts';

export const linkReorder = conditionFault(
  z.object({ probability: z.number() }),
  (order, world) => {
    onThisNode(order, world);
    return { probability: numberParameter(order, 'probability', 0, 1) };
  },
  ({ probability }) => ({ link: { reorderProbability: probability } }),
);
