import type { JobView } from '@data-in-motion/shared/api/decisions';
import { bytes, duration, percent, plain, rate, whole } from './figures.ts';
import type { Session } from './session.ts';

const barWidth = 24;

/** Shows jobs while they work: a bar that is redrawn on a terminal, otherwise one line for each change of state. */
export class Progress {
  readonly #session: Session;
  readonly #live: boolean;
  readonly #told = new Map<string, string>();
  #drawn = false;

  constructor(session: Session) {
    this.#session = session;
    this.#live = process.stderr.isTTY === true && !session.json;
  }

  show(jobs: readonly JobView[]): void {
    for (const job of jobs) {
      const state = `${job.state}${job.waitingBecause ?? ''}`;
      if (this.#told.get(job.jobId) === state) continue;
      this.#told.set(job.jobId, state);
      this.#line(stateLine(job));
    }
    const busy = jobs.filter((job) => job.progress !== null && ['scanning', 'copying', 'verifying'].includes(job.state));
    if (!this.#live || busy.length === 0) return;
    process.stderr.write(`\r\u001b[2K${bar(busy)}`);
    this.#drawn = true;
  }

  /** A line of its own, above the bar. */
  say(text: string): void {
    this.#line(text);
  }

  end(): void {
    if (this.#drawn) process.stderr.write('\r\u001b[2K');
    this.#drawn = false;
  }

  #line(text: string): void {
    this.end();
    if (!this.#session.json) this.#session.say(plain(text));
  }
}

function stateLine(job: JobView): string {
  const way =
    job.toTargetId === null
      ? ` ${job.fromTargetId ?? ''}`.trimEnd()
      : job.fromTargetId === null
        ? ` to ${job.toTargetId}`
        : ` ${job.fromTargetId} to ${job.toTargetId}`;
  const why = job.waitingBecause ?? (job.error === null ? '' : `${job.error.message}${job.error.hint === null ? '' : ` (${job.error.hint})`}`);
  return `  ${job.purpose.padEnd(6)} ${job.datasetId}${way}: ${job.state}${why === '' ? '' : `, ${why}`}`;
}

function bar(jobs: readonly JobView[]): string {
  const sum = (of: (job: JobView) => number): number => jobs.reduce((total, job) => total + of(job), 0);
  const done = sum((job) => job.progress!.bytesDone);
  const total = sum((job) => job.progress!.bytesTotal);
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const filled = Math.round(share * barWidth);
  const left = Math.max(...jobs.map((job) => job.progress!.remainingMs ?? 0));
  const objects = `${whole(sum((job) => job.progress!.objectsDone))} of ${whole(sum((job) => job.progress!.objectsTotal))} objects`;
  return `  ${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${percent(share).padStart(6)}  ${bytes(done)} of ${bytes(total)}, ${objects}, ${rate(sum((job) => job.progress!.bytesPerSec))}${left > 0 ? `, ${duration(left)} left` : ''}`.slice(
    0,
    (process.stderr.columns ?? 120) - 1,
  );
}
