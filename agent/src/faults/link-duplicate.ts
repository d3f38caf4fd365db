import { z } from 'zod';
import { conditionFault, numberParameter, onThisNode } from './fault.ts';

export const linkDuplicate = conditionFault(
  z.object({ probability: z.number() }),
  (order, world) => {
    onThisNode(order, world);
    return { probability: numberParameter(order, 'probability', 0, 1) };
  },
  ({ probability }) => ({ link: { duplicateProbability: probability } }),
);
