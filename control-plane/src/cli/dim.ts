import { problem } from '@data-in-motion/shared/api/fleet';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { addAgents } from './agents.ts';
import { addCertificate } from './certificate.ts';
import { addChaos } from './chaos.ts';
import { addConsole } from './console.ts';
import { addCosts } from './costs.ts';
import { addDatasets } from './datasets.ts';
import { addDevices } from './devices.ts';
import { addEvents } from './events.ts';
import { addExplain } from './explain.ts';
import { plain } from './figures.ts';
import { addFindings } from './findings.ts';
import { addJobs } from './jobs.ts';
import { addKeys } from './keys.ts';
import { addModels } from './models.ts';
import { addLearning } from './models-learn.ts';
import { addNodes } from './nodes.ts';
import { addPlan } from './plan.ts';
import { addPolicy } from './policy.ts';
import { addPrices } from './prices.ts';
import { addRecovery } from './recovery.ts';
import { addSimulate } from './simulate.ts';
import { addStatus } from './status.ts';
import { addTargets } from './targets.ts';

const wrongUsage = 2;
const interrupted = 130;

function makeProgram(): Command {
  const program = new Command('dim')
    .description('Data in Motion: where data is, whether it is safe, what it costs, and what to do about it.')
    .showHelpAfterError('(--help shows how it is used)');
  for (const add of [
    addStatus,
    addNodes,
    addDevices,
    addTargets,
    addDatasets,
    addExplain,
    addPolicy,
    addPlan,
    addRecovery,
    addFindings,
    addCosts,
    addPrices,
    addJobs,
    addEvents,
    addChaos,
    addSimulate,
    addCertificate,
    (program: Command) => addLearning(addModels(program)),
    addAgents,
    addKeys,
    addConsole,
  ])
    add(program);
  everywhere(program, (command) => command.exitOverride().showHelpAfterError('(--help shows how it is used)'));
  return program;
}

function everywhere(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const child of command.commands) everywhere(child, act);
}

/** What went wrong, and what to do about it; as JSON when the person asked for JSON. */
function tell(failure: Failure): void {
  if (process.argv.includes('--json')) {
    const told = problem.safeParse(failure.cause);
    const { differences, newPlanId } = told.success ? told.data : {};
    const error = { code: failure.code, kind: failure.kind, message: failure.message, fix: failure.hint ?? null };
    console.error(JSON.stringify({ error: differences === undefined ? error : { ...error, differences, newPlanId } }));
    return;
  }
  console.error(`✗ ${failure.message.split('\n').map(plain).join('\n  ')}`);
  if (failure.hint !== undefined) console.error(`  ${plain(failure.hint)}`);
}

// `dim … | head` closes our output: that is an end, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// What was started at the server goes on without us.
process.once('SIGINT', () => process.exit(interrupted));

try {
  await makeProgram().parseAsync();
} catch (error) {
  // Commander has told its own errors already, but not those of arguments that a command looks at itself.
  if (error instanceof InvalidArgumentError) console.error(`error: ${plain(error.message)}`);
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : wrongUsage;
  else {
    const failure = asFailure(error);
    tell(failure);
    process.exitCode = failure.code === 'usage' ? wrongUsage : 1;
  }
}
