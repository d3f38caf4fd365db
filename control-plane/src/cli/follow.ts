import { type DatasetDetail, datasetDetail } from '@data-in-motion/shared/api/datasets';
import { type JobView, jobView, type PlanView, planView } from '@data-in-motion/shared/api/decisions';
import { systemClock } from '@data-in-motion/shared/clock';
import { hasNoPlace } from '@data-in-motion/shared/domain/job';
import { Failure } from '@data-in-motion/shared/failure';
import { counted, sentence } from './figures.ts';
import { Progress } from './progress.ts';
import type { Session } from './session.ts';

const lookEveryMs = 400;
/** A server that restarts is back within this; longer, and the person is told. */
const longestSilenceMs = 60_000;
/** A job that no place is allowed for waits for a person, who is told this long after it began to. */
const longestHomelessMs = 5_000;
/** From `switched` on the new copy counts, from `grace` on its agent has named it; what remains then is the old one's grace and trash, which nobody needs to wait for. */
const settled: readonly string[] = ['done', 'cancelled', 'conflict', 'dead-letter', 'grace', 'retiring', 'trashed', 'purged'];
const failed: readonly string[] = ['cancelled', 'conflict', 'dead-letter'];

/** Watch a dataset until as many verified copies are there as its policy wants. Throws `refused` when that will not come by itself. */
export async function followDataset(session: Session, datasetId: string): Promise<DatasetDetail> {
  const progress = new Progress(session);
  let before: ReadonlySet<string> | undefined;
  let homelessSinceMs: number | undefined;
  try {
    for (let last = ''; ; ) {
      const detail = await patiently(() => session.api.call('dataset', datasetDetail, { path: { datasetId } }));
      const all = (await patiently(() => session.api.list('jobs', jobView, { dataset: datasetId }))).items.filter((job) => job.datasetId === datasetId);
      before ??= new Set(all.filter((job) => settled.includes(job.state)).map((job) => job.jobId));
      const jobs = all.filter((job) => !before?.has(job.jobId));
      progress.show(jobs);
      const homeless = jobs.find(hasNoPlace);
      homelessSinceMs = homeless === undefined ? undefined : (homelessSinceMs ?? systemClock.monotonicMs());
      if (homeless !== undefined && systemClock.monotonicMs() - homelessSinceMs! > longestHomelessMs) throw noPlace(homeless);
      const { dataset } = detail;
      const standing = `  ${dataset.copiesVerified} of ${counted(dataset.copiesWanted, 'verified copy', 'verified copies')}`;
      if (dataset.versionId !== null && standing !== last) progress.say(standing);
      if (dataset.versionId !== null) last = standing;
      if (dataset.policyState === 'met' && dataset.copiesVerified >= dataset.copiesWanted) return detail;
      const working = jobs.some((job) => !settled.includes(job.state));
      const given = all.find((job) => job.purpose === 'import' && failed.includes(job.state));
      if (given !== undefined && !working) throw jobFailure(given);
      if (dataset.policyState === 'infeasible' && !working) throw infeasible(detail);
      await systemClock.sleep(lookEveryMs);
    }
  } finally {
    progress.end();
  }
}

/** Watch jobs until each has ended or has only its old copy's grace left. Throws `refused` for the first that needs a person. */
export async function followJobs(session: Session, jobIds: readonly string[]): Promise<JobView[]> {
  const progress = new Progress(session);
  try {
    for (;;) {
      const jobs: JobView[] = [];
      for (const jobId of jobIds) jobs.push(await patiently(() => session.api.call('job', jobView, { path: { jobId } })));
      progress.show(jobs);
      if (jobs.every((job) => settled.includes(job.state))) {
        const bad = jobs.find((job) => failed.includes(job.state));
        if (bad !== undefined) throw jobFailure(bad);
        return jobs;
      }
      await systemClock.sleep(lookEveryMs);
    }
  } finally {
    progress.end();
  }
}

/** Watch a plan that was applied until nothing of it waits or is copied; a drop may wait for its permit by itself. Throws `refused` when it stopped, or a move of it was given up. */
export async function followPlan(session: Session, planId: string): Promise<PlanView> {
  const progress = new Progress(session);
  const ended = new Set<string>();
  let bad: JobView | undefined;
  try {
    for (let last = ''; ; ) {
      const plan = await patiently(() => session.api.call('plan', planView, { path: { planId } }));
      const open = plan.moves.filter((move) => move.jobId !== null && move.progress !== undefined && !ended.has(move.jobId));
      const jobs: JobView[] = [];
      for (const { jobId } of open) jobs.push(await patiently(() => session.api.call('job', jobView, { path: { jobId: jobId! } })));
      progress.show(jobs);
      for (const job of jobs) if (settled.includes(job.state)) ended.add(job.jobId);
      bad ??= jobs.find((job) => failed.includes(job.state));
      const { execution } = plan;
      if (execution === undefined) return plan;
      const standing = `  ${execution.done} of ${counted(plan.moves.length, 'move')} done, ${execution.running} under way, ${execution.waiting} waiting for their turn`;
      if (standing !== last) progress.say(standing);
      last = standing;
      const copying = plan.moves.some((move) => move.progress?.stage === 'running' && move.action !== 'retire');
      if (!copying && execution.waiting === 0) {
        if (execution.state === 'stopped') throw stopped(plan);
        if (execution.state === 'called-off') throw calledOff(plan);
        if (bad !== undefined) throw jobFailure(bad);
        return plan;
      }
      await systemClock.sleep(lookEveryMs);
    }
  } finally {
    progress.end();
  }
}

function stopped({ planId, execution }: PlanView): Failure {
  const { done, leftOut, differences, newPlanId } = execution!;
  return new Failure('refused', {
    code: 'plan.stopped',
    message: `Plan ${planId} stopped after ${counted(done, 'move')}, ${leftOut} were not begun: ${differences[0]?.text ?? ''}.`,
    hint: newPlanId === null ? 'Make a new plan and look at it: dim plan --dry-run' : `Look at the plan that was made instead: dim plan show ${newPlanId}`,
  });
}

function calledOff({ planId, execution }: PlanView): Failure {
  const { done, leftOut, calledOff } = execution!;
  return new Failure('refused', {
    code: 'plan.called-off',
    message: `Plan ${planId} was called off by ${calledOff?.by ?? 'somebody'} after ${counted(done, 'move')}, ${leftOut} were not begun.`,
    hint: 'Make a new plan and look at it: dim plan --dry-run',
  });
}

/** What is watched goes on without us, and a control plane that restarts comes back: only a long silence is a failure. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const untilMs = systemClock.monotonicMs() + longestSilenceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'unavailable' || systemClock.monotonicMs() > untilMs) throw error;
      await systemClock.sleep(lookEveryMs);
    }
  }
}

function noPlace(job: JobView): Failure {
  return new Failure('refused', {
    code: 'policy.infeasible',
    message: `The ${job.purpose} of ${job.datasetId} waits: ${sentence(job.waitingBecause ?? '')}`,
    hint: `It goes on by itself once there is a place: dim datasets policy set ${job.datasetId} …; or give it up: dim jobs cancel ${job.jobId}`,
  });
}

function jobFailure(job: JobView): Failure {
  const why = job.error === null ? '' : `: ${job.error.message.replace(/\.$/, '')}`;
  return new Failure('refused', {
    code: `job.${job.state}`,
    message: `The ${job.purpose} of ${job.datasetId} ended as ${job.state}${why}.`,
    hint: job.error?.hint ?? `See: dim jobs show ${job.jobId}`,
  });
}

function infeasible(detail: DatasetDetail): Failure {
  const findings = detail.findings.filter((finding) => finding.severity === 'error');
  return new Failure('refused', {
    code: 'policy.infeasible',
    message: `No set of targets can hold ${detail.dataset.name} as its policy wants. ${findings.map((finding) => finding.text).join(' ')}`.trim(),
    hint: findings.map((finding) => finding.remedy).join(' ') || `See: dim datasets show ${detail.dataset.name}`,
  });
}
