import { type PriceEntryView, type PricesView, pricesView } from '@data-in-motion/shared/api/prices';
import { dateOfDay } from '@data-in-motion/shared/domain/calendar-days';
import { lineAt, withLine } from '@data-in-motion/shared/domain/price';
import { Failure } from '@data-in-motion/shared/failure';
import type { Command } from 'commander';
import { bytes, unitPrice, whole } from './figures.ts';
import { noun, verb } from './session.ts';
import { table } from './table.ts';
import { parseCount, parseDate, parseMoney, parseSize } from './units.ts';

interface SetOptions {
  storage?: number;
  reads?: number;
  writes?: number;
  egress?: number;
  retrieval?: number;
  minimumDays?: number;
  minimumObject?: number;
  from?: number;
  source?: string;
}

const dayMs = 86_400_000;

export function addPrices(program: Command): void {
  const prices = noun(program, 'prices', 'the price book: what each class of place costs, from when on, and who says so');
  verb(prices, {
    usage: 'show [class]',
    isDefault: true,
    says: 'the lines of the price book, of one class or of all',
    examples: ['prices', 'prices show aws-s3-standard', 'prices --json'],
    async run(session, [priceClass]) {
      const book = await session.api.call('prices', pricesView);
      const entries = book.entries.filter((entry) => priceClass === undefined || entry.priceClass === priceClass);
      if (entries.length === 0) throw unknownClass(priceClass ?? '', 'See the classes: dim prices');
      session.answer({ ...book, entries }, () => priceTable(entries, book, Date.now()));
    },
  });
  verb<SetOptions>(prices, {
    usage: 'set <class>',
    says: 'what a class costs from a day on; what is not given stays as it is then (needs an admin key)',
    examples: [
      'prices set onprem-hdd --storage 0.012 --source "shelf bought in March"',
      'prices set aws-s3-standard --storage 0.021 --from 2027-01-01 --source "AWS price list, us-east-1"',
      'prices set tape --storage 0.002 --retrieval 0.01 --minimum-object 128KiB --source "own library"',
    ],
    options: (command) =>
      command
        .option('--storage <dollars>', 'per GB (10^9 bytes) and month', parseMoney)
        .option('--reads <dollars>', 'per 1,000 reads', parseMoney)
        .option('--writes <dollars>', 'per 1,000 writes', parseMoney)
        .option('--egress <dollars>', 'per GB that leaves the site or the provider', parseMoney)
        .option('--retrieval <dollars>', 'per GB that is read out of the class', parseMoney)
        .option('--minimum-days <n>', 'bytes deleted earlier are billed up to here', parseCount)
        .option('--minimum-object <size>', 'every object is billed at least as so large, such as 128KiB', parseSize)
        .option('--from <date>', 'the day from which it holds, UTC; now when it is not given', parseDate)
        .requiredOption('--source <text>', 'who says so: whose list, which region, when it was read'),
    async run(session, [priceClass = ''], options) {
      const book = await session.api.call('prices', pricesView);
      const entries = withLine(book.entries, newLine(book, priceClass, options, Date.now()));
      const written = await session.api.call('putPrices', pricesView, { body: { entries }, ifMatch: `"${book.rev}"` });
      const shown = written.entries.filter((entry) => entry.priceClass === priceClass);
      session.answer(written, () => priceTable(shown, written, Date.now()));
    },
  });
}

function newLine(book: PricesView, priceClass: string, options: SetOptions, nowMs: number): PriceEntryView {
  const validFromMs = options.from ?? nowMs;
  const before = lineAt(book.entries, priceClass, validFromMs)?.prices;
  const storagePerGbMonth = options.storage ?? before?.storagePerGbMonth;
  if (storagePerGbMonth === undefined) throw unknownClass(priceClass, 'A new class needs at least --storage.');
  return {
    priceClass,
    validFromMs,
    source: options.source ?? '',
    prices: {
      storagePerGbMonth,
      readsPer1000: options.reads ?? before?.readsPer1000 ?? 0,
      writesPer1000: options.writes ?? before?.writesPer1000 ?? 0,
      egressPerGb: options.egress ?? before?.egressPerGb ?? 0,
      retrievalPerGb: options.retrieval ?? before?.retrievalPerGb ?? 0,
      minimumDays: options.minimumDays ?? before?.minimumDays ?? 0,
      minimumObjectBytes: options.minimumObject ?? before?.minimumObjectBytes ?? 0,
    },
  };
}

function unknownClass(priceClass: string, hint: string): Failure {
  return new Failure('refused', { code: 'prices.unknown-class', message: `The price book does not know "${priceClass}" then.`, hint });
}

function priceTable(entries: readonly PriceEntryView[], book: PricesView, nowMs: number): string {
  const sorted = [...entries].sort((a, b) => (a.priceClass < b.priceClass ? -1 : a.priceClass > b.priceClass ? 1 : a.validFromMs - b.validFromMs));
  const counts = (row: PriceEntryView): boolean => lineAt(book.entries, row.priceClass, nowMs)?.validFromMs === row.validFromMs;
  return table(
    sorted,
    [
      { title: 'class', of: (row) => row.priceClass },
      { title: 'from', of: (row) => (row.validFromMs === 0 ? 'always' : dateOfDay(row.validFromMs / dayMs)) },
      { title: 'counts', of: (row) => (counts(row) ? 'now' : row.validFromMs > nowMs ? 'later' : 'no more') },
      { title: '$/GB month', align: 'right', of: (row) => unitPrice(row.prices.storagePerGbMonth) },
      { title: '1,000 reads', align: 'right', of: (row) => unitPrice(row.prices.readsPer1000) },
      { title: '1,000 writes', align: 'right', of: (row) => unitPrice(row.prices.writesPer1000) },
      { title: 'GB read', align: 'right', of: (row) => unitPrice(row.prices.retrievalPerGb) },
      { title: 'GB out', align: 'right', of: (row) => unitPrice(row.prices.egressPerGb) },
      { title: 'days', align: 'right', of: (row) => whole(row.prices.minimumDays) },
      { title: 'least object', align: 'right', of: (row) => bytes(row.prices.minimumObjectBytes) },
      { title: 'source', of: (row) => row.source },
    ],
    'The price book is empty.',
  );
}
