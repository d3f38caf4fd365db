import { type JobView, jobView } from '@data-in-motion/shared/api/decisions';
import type { Command } from 'commander';
import { age, bytes, duration, moment, percent, rate } from './figures.ts';
import { followJobs } from './follow.ts';
import { noun, verb } from './session.ts';
import { facts, table } from './table.ts';

export function addJobs(program: Command): void {
  const jobs = noun(program, 'jobs', 'what is being moved, and what waits or failed');
  verb<{ state?: string; dataset?: string }>(jobs, {
    usage: 'list',
    isDefault: true,
    says: 'all jobs, newest first',
    examples: ['jobs', 'jobs list --state dead-letter', 'jobs list --dataset photos'],
    options: (command) => command.option('--state <state>', 'only jobs in this state').option('--dataset <name>', 'only jobs of this dataset'),
    async run(session, _args, options) {
      const list = await session.api.list('jobs', jobView, {
        ...(options.state === undefined ? {} : { state: options.state }),
        ...(options.dataset === undefined ? {} : { dataset: options.dataset }),
      });
      session.answer(list, () => jobTable(list.items, list.asOfMs));
    },
  });
  verb(jobs, {
    usage: 'show <job>',
    says: 'one job with its history',
    examples: ['jobs show 01JD0000000000000000000000'],
    async run(session, [jobId = '']) {
      const job = await session.api.call('job', jobView, { path: { jobId } });
      session.answer(job, () => jobText(job, Date.now()));
    },
  });
  verb<{ wait: boolean }>(jobs, {
    usage: 'retry <job>',
    says: 'try a job again that was given up or waits, and follow it',
    examples: ['jobs retry 01JD0000000000000000000000', 'jobs retry 01JD0000000000000000000000 --no-wait'],
    options: (command) => command.option('--no-wait', 'do not follow it'),
    async run(session, [jobId = ''], options) {
      let job = await session.api.call('retryJob', jobView, { path: { jobId }, body: {} });
      if (options.wait) [job = job] = await followJobs(session, [jobId]);
      session.answer(job, () => `Job ${jobId}: ${job.state}.`);
    },
  });
  verb(jobs, {
    usage: 'cancel <job>',
    says: 'stop a job before its switch; the source keeps every byte',
    examples: ['jobs cancel 01JD0000000000000000000000'],
    async run(session, [jobId = '']) {
      const job = await session.api.call('cancelJob', jobView, { path: { jobId }, body: {} });
      session.answer(job, () => `Job ${jobId}: ${job.state}.`);
    },
  });
}

export function jobTable(jobs: readonly JobView[], asOfMs: number): string {
  return table(
    jobs,
    [
      { title: 'job', of: (row) => row.jobId },
      { title: 'dataset', of: (row) => row.datasetId },
      { title: 'purpose', of: (row) => row.purpose },
      { title: 'state', of: (row) => row.state },
      { title: 'from', of: (row) => row.fromTargetId ?? '–' },
      { title: 'to', of: (row) => row.toTargetId ?? '–' },
      { title: 'size', align: 'right', of: (row) => bytes(row.sizeBytes) },
      { title: 'done', align: 'right', of: done },
      { title: 'rate', align: 'right', of: (row) => (row.progress === null || row.endedAtMs !== null ? '–' : rate(row.progress.bytesPerSec)) },
      { title: 'made', of: (row) => age(row.createdAtMs, asOfMs) },
      { title: 'because', of: (row) => row.waitingBecause ?? row.error?.message ?? row.reason },
    ],
    'No jobs.',
  );
}

/** The last progress that was told is older than the end. */
function done(job: JobView): string {
  if (job.state === 'done') return '100 %';
  return job.progress === null || job.progress.bytesTotal === 0 ? '–' : percent(job.progress.bytesDone / job.progress.bytesTotal);
}

function jobText(job: JobView, nowMs: number): string {
  return [
    facts([
      ['job', `${job.jobId}, attempt ${job.attempt}, epoch ${job.epoch}`],
      [
        'does',
        `${job.purpose} of ${job.datasetId}${job.fromTargetId === null ? '' : ` from ${job.fromTargetId}`}${job.toTargetId === null ? '' : ` to ${job.toTargetId}`}, ${bytes(job.sizeBytes)}`,
      ],
      ['because', job.reason],
      [
        'state',
        `${job.state}${job.waitingBecause === null ? '' : `: ${job.waitingBecause}`}${job.notBeforeMs === null || job.notBeforeMs < nowMs ? '' : `, again in ${duration(job.notBeforeMs - nowMs)}`}`,
      ],
      ['agent', job.agentNodeId ?? 'none yet'],
      ['moved', `${bytes(job.movedBytes)}${job.startedAtMs === null ? '' : ` in ${duration((job.endedAtMs ?? nowMs) - job.startedAtMs)}`}`],
      ...(job.error === null
        ? []
        : ([
            ['error', `${job.error.message} (${job.error.class}, ${job.error.code})`],
            ['what to do', job.error.hint ?? `dim jobs retry ${job.jobId}, or dim jobs cancel ${job.jobId}`],
          ] as const)),
    ]),
    (job.transitions ?? []).map((one) => `  ${moment(one.atMs, nowMs)}  ${one.from} -> ${one.to}  (${one.event})`).join('\n'),
  ]
    .join('\n\n')
    .trimEnd();
}
