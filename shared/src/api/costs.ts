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
