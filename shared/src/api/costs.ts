import { z } from 'zod';
import { costParts } from './datasets.ts';

/** US dollars per month of 730 hours, and what is there for them. */
export const costLine = z.object({
  name: z.string(),
  cost: costParts,
  perMonth: z.number(),
  /** Of all that the fleet costs, 0 to 1; 0 when it costs nothing. */
  share: z.number(),
  /** Copies that are paid for, and their bytes as they are; a class that bills small objects as larger ones bills more. */
  copies: z.number().int(),
  bytes: z.number(),
  /** Datasets with such a copy; of an owner all that are its own. */
  datasets: z.number().int(),
  /** Once the moves of the plan are made; null when there is no plan. */
  afterPerMonth: z.number().nullable(),
});
export type CostLineView = z.infer<typeof costLine>;

/** GET /v1/costs. All from one look at the fleet: each split has the sums of `total`. */
export const costsView = z.object({
  asOfMs: z.number(),
  total: costLine,
  tiers: z.array(costLine),
  targets: z.array(costLine),
  owners: z.array(costLine),
  /** The current plan of the whole fleet, which `afterPerMonth` speaks of. */
  plan: z
    .object({
      planId: z.string(),
      madeAtMs: z.number(),
      moves: z.number().int(),
      /** Negative when its moves for safety cost more than its others save. */
      savesPerMonth: z.number(),
      migrationOnce: z.number(),
    })
    .nullable(),
});
export type CostsView = z.infer<typeof costsView>;

const spent = z.object({ storage: z.number(), requests: z.number(), retrieval: z.number(), egress: z.number(), moving: z.number(), total: z.number() });

export const pastCostsQuery = z.object({ days: z.coerce.number().int().min(1).max(366).default(30) });

/** GET /v1/costs/past. US dollars for the whole span. */
export const pastCostsView = z.object({
  asOfMs: z.number(),
  /** Where the span begins: so many days ago, or when the first dataset was made. */
  fromMs: z.number(),
  days: z.number(),
  /** By the ledger of copies, the counted reads and the dates of the present price book. */
  spent,
  /** The datasets for which there are enough places now: what was spent on them, and the least for the same bytes and reads with all wanted copies standing still. */
  compared: z.object({ datasets: z.number().int(), spent, best: spent }),
  /** Datasets whose policy leaves too few places. */
  notCompared: z.number().int(),
  /** The next span of the same length at what the fleet costs now, and once the current plan is carried out. */
  next: z.object({ asItIs: z.number(), afterThePlan: z.number().nullable() }),
  /** Where most was lost against the best places. */
  most: z.array(z.object({ datasetId: z.string(), owner: z.string(), spent: z.number(), best: z.number(), bestTargets: z.array(z.string()) })),
});
export type PastCostsView = z.infer<typeof pastCostsView>;
export type SpentView = PastCostsView['spent'];
