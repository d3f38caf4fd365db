import { z } from 'zod';
import { defineFault, onThisNode } from './fault.ts';

/** Nothing has to be undone: the row in the undo log makes the next start say that the experiment is over, and keeps a repeated message from killing it again. */
export const killAgent = defineFault({
  plan: z.object({}),
  prepare(order, world) {
    onThisNode(order, world);
    return {};
  },
  make: (_, __, world) => world.kill(),
  takeBack: () => 'the agent runs again',
});
