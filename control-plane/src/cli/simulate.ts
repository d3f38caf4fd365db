import { burstAnswer } from '@data-in-motion/shared/api/operations';
import type { Command } from 'commander';
import { counted } from './figures.ts';
import { noun, verb } from './session.ts';
import { collect, parseCount } from './units.ts';

const defaultEvents = 1_000;

export function addSimulate(program: Command): void {
  const simulate = noun(program, 'simulate', 'made-up use, for trying things out');
  verb<{ events: number; dataset?: string[]; moves?: true; seed?: number }>(simulate, {
    usage: 'burst',
    isDefault: true,
    says: 'a burst of accesses, and with --moves the plan that follows from it, carried out',
    examples: ['simulate --events 5000', 'simulate burst --events 500 --dataset photos --moves'],
    options: (command) =>
      command
        .option('--events <n>', 'how many accesses', parseCount, defaultEvents)
        .option('--dataset <name>', 'only on this dataset; again for more', collect)
        .option('--moves', 'plan and move afterwards')
        .option('--seed <n>', 'the same seed makes the same burst', parseCount),
    async run(session, _args, options) {
      const answer = await session.api.call('burst', burstAnswer, {
        body: {
          events: options.events,
          include_moves: options.moves ?? false,
          ...(options.dataset === undefined ? {} : { dataset_ids: options.dataset }),
          ...(options.seed === undefined ? {} : { seed: options.seed }),
        },
      });
      session.answer(
        answer,
        () =>
          `${counted(answer.events, 'access', 'accesses')} on ${counted(answer.datasets, 'dataset')}${answer.planId === null ? '' : `; plan ${answer.planId} started ${counted(answer.jobs, 'job')}`}.`,
      );
    },
  });
}
