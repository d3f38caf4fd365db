import { costsView, type PastCostsView, pastCostsQuery, pastCostsView } from '@data-in-motion/shared/api/costs';
import { type DuplicatesView, duplicatesQuery, duplicatesView } from '@data-in-motion/shared/api/duplicates';
import { type PricesView, priceBook, pricesView } from '@data-in-motion/shared/api/prices';
import { Failure } from '@data-in-motion/shared/failure';
import { noteConflict } from '../../store/datasets.ts';
import { readPrices, writePrices } from '../../store/prices.ts';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint } from '../endpoint.ts';
import { costsView as viewOf } from '../views/costs-view.ts';
import { duplicatesView as duplicatesOf } from '../views/duplicates-view.ts';
import { pastCostsView as pastOf } from '../views/past-costs-view.ts';
import { sharedFilesView } from '../views/shared-files-view.ts';

/** Adding up what was read walks over all minutes of the span; within this time the same answer is given again. */
const pastKeptMs = 60_000;
/** As the samples of all datasets are walked through. */
const samplesKeptMs = 60_000;

export function costRoutes(app: Api, { store, loop, fleet, clock }: ApiContext): void {
  endpoint(app, 'costs', {
    role: 'viewer',
    says: 'What the fleet costs a month, by tier, target and owner, now and once the current plan is carried out',
    answer: costsView,
    async run({ newest }) {
      return { body: await viewOf(await fleet.show({ newest })) };
    },
  });

  const past = new Map<number, { readonly askedAtMs: number; readonly view: Promise<PastCostsView> }>();
  endpoint(app, 'pastCosts', {
    role: 'viewer',
    says: 'What the last days have cost, what they would have cost at the best places, and what as many days will cost; at most a minute old',
    query: pastCostsQuery,
    answer: pastCostsView,
    async run({ query: { days }, newest }) {
      const known = past.get(days);
      if (known !== undefined && clock.monotonicMs() - known.askedAtMs < pastKeptMs) return { body: await known.view };
      const view = fleet.show({ newest }).then((rows) => pastOf(store.db, rows, days));
      // One span is kept: whoever asks for another looks at something else.
      past.clear();
      past.set(days, { askedAtMs: clock.monotonicMs(), view });
      view.catch(() => past.delete(days));
      return { body: await view };
    },
  });

  let across: { readonly askedAtMs: number; readonly view: Promise<DuplicatesView['across']> } | null = null;
  endpoint(app, 'duplicates', {
    role: 'viewer',
    says: 'Datasets that are the same tree byte for byte, files that repeat others inside of one, and files that several have (estimated where they are many, at most a minute old), with what they cost',
    query: duplicatesQuery,
    answer: duplicatesView,
    async run({ query, newest }) {
      const rows = await fleet.show({ newest });
      if (across === null || clock.monotonicMs() - across.askedAtMs >= samplesKeptMs) {
        const view = sharedFilesView(store.db, rows);
        across = { askedAtMs: clock.monotonicMs(), view };
        view.catch(() => {
          across = null;
        });
      }
      return { body: duplicatesOf(rows, await across.view, query) };
    },
  });

  endpoint(app, 'prices', {
    role: 'viewer',
    says: 'The price book: what each class of place costs, from when on, and who says so',
    answer: pricesView,
    async run() {
      const book = await readPrices(store.db);
      return { body: book as PricesView, rev: book.rev };
    },
  });

  endpoint(app, 'putPrices', {
    role: 'admin',
    says: 'Write the next revision of the price book; the ones before stay',
    body: priceBook,
    answer: pricesView,
    async run({ body, ifMatchRev, caller }) {
      const rev = await writePrices(store, ifMatchRev, body.entries);
      if (rev === undefined) {
        await noteConflict(store, 'the price book', {}, caller.who);
        throw new Failure('refused', {
          code: 'prices.stale',
          message: `The price book is not at revision ${ifMatchRev} any more.`,
          hint: 'Read it again and repeat the change.',
        });
      }
      fleet.forget();
      loop.wake();
      return { body: { rev, entries: body.entries }, rev };
    },
  });
}
