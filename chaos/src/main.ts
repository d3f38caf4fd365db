import { Command, InvalidArgumentError } from 'commander';
import { readSettings } from './config.ts';
import { explain, runFleet } from './run-fleet.ts';
import { type RunOptions, runScenario } from './run-scenario.ts';
import { ownScenarios } from './scenarios/scenario.ts';

const program = new Command('chaos').description('The local fleet, and what may happen to a fleet.').showHelpAfterError();

program
  .command('fleet')
  .description('run a control plane and three agents here until Ctrl-C')
  .option('--fresh', 'forget the state first', false)
  .action(async (options: { fresh: boolean }) => {
    process.exitCode = await runFleet(readSettings(), options);
  });

program
  .command('run <scenario>')
  .description(`play a scenario and check that what it promises holds; ours are ${ownScenarios().join(', ')}`)
  .option('--seed <n>', 'what is left to chance follows from it', wholeNumber, 1)
  .option('--own-fleet', 'start a fleet for it, in a temporary directory', false)
  .option('--url <url>', 'the fleet to play it on; otherwise the local one')
  .option('--report <file>', 'write the report there, and a .json beside it')
  .option('--json', 'print JSON alone', false)
  .action(async (scenario: string, options: RunOptions) => {
    process.exitCode = await runScenario(readSettings(), scenario, options);
  });

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is wanted.');
  return Number(text);
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(`\n${explain(error)}`);
  process.exitCode = 1;
}
