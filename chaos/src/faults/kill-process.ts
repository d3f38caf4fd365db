import { Failure } from '@data-in-motion/shared/failure';
import { recordedProcesses } from '../fleet/home.ts';
import { signalProcess } from '../fleet/process-identity.ts';

/**
 * End processes of a local fleet as kill -9 does, by the records that their supervisor keeps; it starts them again.
 *
 * @param names of the processes, `control-plane` or a node's; `everything` is all of them in one moment
 * @returns the names that were ended
 */
export function killProcesses(home: string, names: readonly string[] | 'everything'): string[] {
  const recorded = recordedProcesses(home);
  const chosen = names === 'everything' ? [...recorded.keys()] : names;
  const unknown = chosen.find((name) => !recorded.has(name));
  if (unknown !== undefined || chosen.length === 0) {
    throw new Failure('refused', { code: 'process.none', message: `No process ${unknown ?? ''} of a fleet is recorded below ${home}.`, hint: 'Processes can only be killed in a local fleet, on its own machine: set DIM_HOME to its directory.' });
  }
  return chosen.filter((name) => signalProcess(recorded.get(name)!, 'SIGKILL'));
}
