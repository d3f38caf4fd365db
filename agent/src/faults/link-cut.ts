import { z } from 'zod';
import { conditionFault, onThisNode } from './fault.ts';

/** An agent that hears nothing hears no undo either: the time to live ends it. */
export const linkCut = conditionFault(
  z.object({}),
  (order, world) => {
    onThisNode(order, world);
    return {};
  },
  () => ({ link: { cut: true } }),
);
