import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';

const lookEveryMs = 50;

/**
 * Refuse a port that somebody else listens on, before anything is started, and name the setting that changes it.
 *
 * @param patienceMs how long a port that is taken may take to come free
 */
export async function assertPortFree(port: number, variable: string, patienceMs: number): Promise<void> {
  const untilMs = systemClock.monotonicMs() + patienceMs;
  for (;;) {
    const error = await listenOnce(port).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) return;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE' && systemClock.monotonicMs() < untilMs) {
      await systemClock.sleep(lookEveryMs);
      continue;
    }
    const because =
      code === 'EADDRINUSE' ? 'is taken by another program' : code === 'EACCES' ? 'may not be used without more rights' : `can not be opened (${code})`;
    throw new Failure('refused', {
      code: 'port.taken',
      message: `Port ${port} on 127.0.0.1 ${because}.`,
      hint: `Set ${variable} to another port, for example ${variable}=${port < 60_000 ? port + 1000 : 20_000} npm start`,
    });
  }
}

/** Below the ports that systems hand out by themselves (from 32,768 on Linux, from 49,152 by RFC 6335). */
const [lowest, highest] = [10_000, 32_767] as const;
const tries = 50;

/**
 * A port that is free now, of those that nobody is given unasked: kept by nobody, but it is likely to be free still when whoever listens on it was killed and
 * comes back.
 */
export async function freePort(): Promise<number> {
  for (let left = tries; left > 0; left--) {
    const port = await listenOnce(randomInt(lowest, highest + 1)).catch(() => null);
    if (port !== null) return port;
  }
  return listenOnce(0);
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
