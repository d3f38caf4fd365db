import { z } from 'zod';

/** What has changed of all that a plan rests on, since it was made. */
export const planDifference = z.object({
  kind: z.enum(['dataset', 'copy', 'target', 'price', 'policy', 'heat', 'job', 'settings', 'plan']),
  /** Of what changed: a dataset, a replica, a target, a job, another plan; for settings their name. */
  id: z.string(),
  /** Which of its facts: `version`, `primary`, `state`, `room`, a field of the policy, a price … */
  what: z.string(),
  /** Null: it was not there. */
  before: z.union([z.string(), z.number(), z.boolean()]).nullable(),
  after: z.union([z.string(), z.number(), z.boolean()]).nullable(),
  text: z.string(),
});
export type PlanDifference = z.infer<typeof planDifference>;
