import { z } from 'zod';

const money = z.number().min(0).max(1e9);

/** US dollars; a GB is 10^9 bytes, a month 730 hours. */
export const prices = z.object({
  storagePerGbMonth: money,
  readsPer1000: money,
  writesPer1000: money,
  egressPerGb: money,
  retrievalPerGb: money,
  minimumDays: z.number().min(0).max(36_500),
  minimumObjectBytes: z.number().int().min(0).max(1e12),
});

const priceEntry = z.object({
  priceClass: z.string().min(1).max(120),
  /** A line counts from here on, until a later one of its class begins. */
  validFromMs: z.number().int().min(0),
  source: z.string().max(400),
  prices,
});
export const pricesView = z.object({ rev: z.number().int(), entries: z.array(priceEntry) });
export type PricesView = z.infer<typeof pricesView>;
export type PriceEntryView = PricesView['entries'][number];

/** PUT /v1/prices: the whole book. What was added to prices later may be left out and is 0 then. */
export const priceBook = z.strictObject({
  entries: z
    .array(
      z.strictObject({
        ...priceEntry.shape,
        prices: z.strictObject({
          ...prices.shape,
          retrievalPerGb: prices.shape.retrievalPerGb.default(0),
          minimumObjectBytes: prices.shape.minimumObjectBytes.default(0),
        }),
      }),
    )
    .min(1)
    .max(10_000)
    .superRefine((entries, check) => {
      const seen = new Set<string>();
      for (const [i, { priceClass, validFromMs }] of entries.entries()) {
        const line = `${validFromMs} ${priceClass}`;
        if (seen.has(line)) check.addIssue({ code: 'custom', path: [i], message: `${priceClass} has two lines that are valid from ${validFromMs}` });
        seen.add(line);
      }
    }),
});
