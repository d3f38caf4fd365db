import { Command } from 'commander';
import { readSettings } from './config.ts';
import { explain, runFleet } from './run-fleet.ts';

const program = new Command('chaos').description('The local fleet, and what may happen to a fleet.').showHelpAfterError();

program
  .command('fleet')
  .description('run a control plane and three agents here until Ctrl-C')
  .option('--fresh', 'forget the state first', false)
  .action(async (options: { fresh: boolean }) => {
    process.exitCode = await runFleet(readSettings(), options);
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(`\n${explain(error)}`);
  process.exitCode = 1;
}
