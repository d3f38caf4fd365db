import { systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import { recordedProcesses } from '../fleet/home.ts';
import { signalProcess } from '../fleet/process-identity.ts';

/** A process that has just been killed is started again within this. */
const backWithinMs = 30_000;
const lookEveryMs = 50;

/**
 * End processes of a local fleet as kill -9 does, by the records that their supervisor keeps; it starts them again.
 * One that is down at this moment is waited for: a scenario that kills again and again means each time.
 *
 * @param names of the processes, `control-plane` or a node's; `everything` is all of them in one moment
 * @returns the names that were ended
 */
export async function killProcesses(home: string, names: readonly string[] | 'everything'): Promise<string[]> {
  const untilMs = systemClock.monotonicMs() + backWithinMs;
  for (;;) {
    const recorded = recordedProcesses(home);
    const chosen = names === 'everything' ? [...recorded.keys()] : names;
    if (chosen.length > 0 && chosen.every((name) => recorded.has(name))) return chosen.filter((name) => signalProcess(recorded.get(name)!, 'SIGKILL'));
    if (systemClock.monotonicMs() > untilMs) {
      throw new Failure('refused', {
        code: 'process.none',
        message: `No process ${chosen.join(', ')} of a fleet is recorded below ${home}.`,
        hint: 'Processes can only be killed in a local fleet, on its own machine: set DIM_HOME to its directory.',
      });
    }
    await systemClock.sleep(lookEveryMs);
  }
}
