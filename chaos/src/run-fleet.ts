import { systemClock } from '@data-in-motion/shared/clock';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import type { Settings } from './config.ts';
import type { Fleet } from './fleet/fleet.ts';
import { watchableLife } from './fleet/life-settings.ts';
import { startFleet } from './fleet/local-fleet.ts';
import type { ProcessExit } from './fleet/supervised-process.ts';

/** A terminal's Ctrl-C and the same signal forwarded by a parent arrive together; a second one later is a person who does not want to wait. */
const secondSignalAfterMs = 1_000;

/** `npm start`: the local fleet in this terminal, until Ctrl-C. Answers the exit code. */
export async function runFleet(settings: Settings, options: { readonly fresh: boolean }): Promise<number> {
  const beganAtMs = settings.DIM_STARTED_AT_MS ?? Date.now();
  const say = (text: string): void => console.log(`  ${((Date.now() - beganAtMs) / 1000).toFixed(1).padStart(5)} s  ${text}`);
  const stopping = stopSignal();
  const givenUp = new AbortController();
  void stopping.signal.then(() => givenUp.abort());

  const starting = startFleet({
    home: settings.DIM_HOME,
    fresh: options.fresh,
    signal: givenUp.signal,
    httpPort: settings.DIM_HTTP_PORT,
    mqttPort: settings.DIM_MQTT_PORT,
    environment: settings.environment,
    controlPlane: {
      ...watchableLife,
      ...settings.controlPlane,
      ...given({ DATABASE_URL: settings.DATABASE_URL, MQTT_URL: settings.MQTT_URL, DIM_SYNTHETIC_LOAD: settings.DIM_SYNTHETIC_LOAD }),
    },
    secondsPerDay: settings.DIM_SECONDS_PER_DAY,
    onStep: say,
    onExit: (exit) => sayExit(exit, say),
  });
  let fleet: Fleet;
  try {
    fleet = await starting;
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'fleet.given-up')) throw error;
    say('stopped before it was ready; the next start goes on where this was');
    return 0;
  }
  if (!stopping.asked())
    console.log(`\nData in Motion is ready: ${await fleet.loginUrl()}\n(The address is good once; another: npx dim console. Ctrl-C stops everything.)`);

  await stopping.signal;
  console.log('');
  say('stopping the agents, then the control plane');
  stopping.onSecond(() => {
    void fleet.killEverything();
  });
  await fleet.stop();
  say('stopped; the next start goes on where this was');
  return 0;
}

/** Print a failure as a person wants it: what, and what to do. */
export function explain(thrown: unknown): string {
  const failure = thrown instanceof Failure ? thrown : asFailure(thrown);
  const trace = failure.kind === 'defect' && !(thrown instanceof Failure) && thrown instanceof Error ? `\n${thrown.stack ?? ''}` : '';
  return `${failure.message}${failure.hint === undefined ? '' : `\n${failure.hint}`}${trace}`;
}

function sayExit(exit: ProcessExit, say: (text: string) => void): void {
  if (exit.restartInMs === null) return;
  const how = exit.signal === null ? `ended with code ${exit.code}` : `was ended by ${exit.signal}`;
  say(`${exit.name} ${how}; starting it again in ${(exit.restartInMs / 1000).toFixed(1)} s`);
}

function stopSignal(): { readonly signal: Promise<void>; asked(): boolean; onSecond(act: () => void): void } {
  let asked = false;
  let firstAtMs = 0;
  let second = (): void => {};
  const signal = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (asked && systemClock.monotonicMs() - firstAtMs > secondSignalAfterMs) second();
        if (!asked) firstAtMs = systemClock.monotonicMs();
        asked = true;
        resolve();
      });
    }
  });
  return { signal, asked: () => asked, onSecond: (act) => (second = act) };
}

function given(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
