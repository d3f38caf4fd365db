import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The longest time between two turns of the event loop of the main thread, milliseconds. */
export interface HeldUp {
  readonly cpuMs: number;
  readonly wallMs: number;
}

const eventLoop = monitorEventLoopDelay({ resolution: 5 });

/** Look how long the main thread is held up, until the returned function is called. */
export async function watchHoldUps(): Promise<() => Promise<HeldUp>> {
  eventLoop.enable();
  eventLoop.reset();
  let cpuMs = 0;
  let last = process.threadCpuUsage();
  const look = (): void => {
    const now = process.threadCpuUsage();
    cpuMs = Math.max(cpuMs, (now.user + now.system - last.user - last.system) / 1e3);
    last = now;
  };
  const turns = setInterval(look, 2);
  // It counts from its first look on.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return async () => {
    // The timer that looks for delays must come round once more to see the last one.
    await new Promise((resolve) => setTimeout(resolve, 20));
    clearInterval(turns);
    eventLoop.disable();
    return { cpuMs, wallMs: eventLoop.max / 1e6 };
  };
}

/** The largest resident memory of this process so far. */
export function peakMb(): number {
  return process.resourceUsage().maxRSS / 1024;
}
