import { z } from 'zod';
import { partWords } from '../domain/objective-words.ts';
import { replicaStates } from '../domain/replica.ts';
import { tierClasses } from '../domain/target.ts';
import { costParts, policyView } from './datasets.ts';

/** What is minimised for one copy at one place, by part, US dollars per month; the parts add up to its objective. */
export const objectiveParts = z.object({
  storagePerMonth: z.number(),
  requestsPerMonth: z.number(),
  retrievalPerMonth: z.number(),
  egressPerMonth: z.number(),
  /** What readers' waiting is worth; nobody bills it. */
  waitingPerMonth: z.number(),
  /** What losing it with its drives is expected to cost. */
  riskPerMonth: z.number(),
  /** What the way there costs once, spread over the horizon. */
  wayTherePerMonth: z.number(),
  /** What copying costs those who use both places meanwhile, and the life of the drive, spread likewise. */
  copyingPerMonth: z.number(),
  /** What hysteresis asks a move to save besides. */
  restPerMonth: z.number(),
});
export type ObjectiveParts = z.infer<typeof objectiveParts>;
/** A part without a word does not compile. */
partWords satisfies Record<keyof ObjectiveParts, string>;

/** One other place a copy could be, and what would be different there; positive differences are dearer or slower there. */
export const alternative = z.object({
  targetId: z.string(),
  allowed: z.boolean(),
  /** The rules that forbid it, by name, and each in words. */
  violates: z.array(z.string()),
  because: z.array(z.string()),
  cost: costParts,
  parts: objectiveParts,
  objectivePerMonth: z.number(),
  objectiveDifferencePerMonth: z.number(),
  /** What would be billed there, and against here. */
  totalPerMonth: z.number(),
  differencePerMonth: z.number(),
  latencyP95Ms: z.number().nullable(),
  latencyDifferenceMs: z.number().nullable(),
  /** Until what it saves has paid the way there; null where it saves nothing. */
  paybackDays: z.number().nullable(),
});
export type Alternative = z.infer<typeof alternative>;

export const flip = z.object({
  of: z.enum(['storage-price', 'latency-slo', 'reads']),
  /** Whose price. */
  targetId: z.string().nullable(),
  direction: z.enum(['above', 'below']),
  /** US dollars per GB and month, milliseconds, or reads per month; null for a latency that is not promised. */
  now: z.number().nullable(),
  at: z.number(),
  kind: z.enum(['stays', 'goes', 'hands-over', 'let-go', 'nowhere']),
  /** Where the copy is beyond it; null where no place is left. */
  becomes: z.string().nullable(),
  text: z.string(),
});
export type Flip = z.infer<typeof flip>;

/** Why one copy is where it is. */
export const copyExplanation = z.object({
  replicaId: z.string(),
  targetId: z.string(),
  siteId: z.string(),
  tier: z.enum(tierClasses),
  state: z.enum(replicaStates),
  primary: z.boolean(),
  why: z.string(),
  cost: costParts,
  parts: objectiveParts,
  objectivePerMonth: z.number(),
  latencyP95Ms: z.number().nullable(),
  readBytesPerSec: z.number().nullable(),
  writeBytesPerSec: z.number().nullable(),
  /** What the next plan would do with it while all others stay, and where it is then. */
  choice: z.enum(['stays', 'goes', 'hands-over', 'let-go', 'nowhere']),
  chosenTargetId: z.string().nullable(),
  /** What keeps it from a cheaper place that is allowed; `why` says it too. */
  hold: z.object({ by: z.enum(['way', 'margin', 'work', 'place', 'rest', 'advisory', 'certainty']), text: z.string() }).nullable(),
  /** The one rule without which it would be at a better place. */
  binding: z
    .object({ rule: z.string(), opens: z.string(), savesPerMonth: z.number().nullable(), missingBytes: z.number().nullable(), text: z.string() })
    .nullable(),
  /** The binding rule in words, or why none binds. */
  bindingText: z.string(),
  /** The best five: allowed ones first. */
  alternatives: z.array(alternative),
  placesAllowed: z.number().int(),
  placesInAll: z.number().int(),
  flips: z.array(flip),
});
export type CopyExplanation = z.infer<typeof copyExplanation>;

/** A policy that places can not meet: `never` by what the fleet is, `now` for want of room or of what can not be used at the moment. */
export const policyVerdict = z.object({ when: z.enum(['never', 'now']), rules: z.array(z.string()), text: z.string(), cheapestWayOut: z.string() });
export type PolicyVerdictView = z.infer<typeof policyVerdict>;
/** The global policy as it was set. */
export const changedPolicy = policyView.extend({ warning: policyVerdict.optional() });

const billedCopies = z.object({ copies: z.number().int(), perMonth: z.number() });

export const datasetExplanation = z.object({
  datasetId: z.string(),
  asOfMs: z.number(),
  sizeBytes: z.number(),
  /** What is expected of the coming month, and so decides. */
  readsPerMonth: z.number(),
  readBytesPerMonth: z.number(),
  /** What that is made of: what was counted over so many days, null where too little is known; what the last hours forecast; and how much that weighs, 0 to 1. */
  use: z.object({
    past: z.object({ readsPerMonth: z.number(), readBytesPerMonth: z.number(), days: z.number() }).nullable(),
    forecast: z.object({ readsPerMonth: z.number(), readBytesPerMonth: z.number() }),
    forecastShare: z.number(),
  }),
  /** A way there is spread over this, and must be paid back within it. */
  horizonDays: z.number(),
  /** What is minimised: the sum over its copies of the current version. Its bill is `billed.minimised`; the rest of it nobody bills. */
  objectivePerMonth: z.number(),
  /** The same with each copy where the next plan would have it while the others stay, and its share of what it is now: 1 is as good as it gets. */
  bestObjectivePerMonth: z.number(),
  score: z.number(),
  /** All that is billed now: the sum of `billed`. */
  costPerMonth: z.number(),
  /** For whom: the copies that `objectivePerMonth` is about; copies of other versions until they leave; and what is broken or in the trash. */
  billed: z.object({ minimised: billedCopies, otherVersions: billedCopies, unusable: billedCopies }),
  impossible: policyVerdict.nullable(),
  copies: z.array(copyExplanation),
});
export type DatasetExplanation = z.infer<typeof datasetExplanation>;
