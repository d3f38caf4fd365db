import type { PriceEntry, Prices } from '@data-in-motion/shared/domain/price';

const free: Prices = { storagePerGbMonth: 0, readsPer1000: 0, writesPer1000: 0, egressPerGb: 0, retrievalPerGb: 0, minimumDays: 0, minimumObjectBytes: 0 };
const kib = 1024;
const inRange = 'example: in the range of public list prices, 2025';

/**
 * The price book of a new store. `onprem-…`, `private-…` and `cloud-…` are examples, there to be edited: made-up shelves written off over five years, and
 * clouds in the range of the list prices. The others are what the providers publish, as published: first step of what is staged (50 TB stored, 10 TB out),
 * no free quota, no discount. Providers count 2^30 bytes in a GB, we 10^9: taken as they are, their prices per GB are 7 % too high here.
 *
 * Classes that answer in hours (S3 Glacier Flexible Retrieval and Deep Archive, Azure Archive) are left out: a target of theirs would be taken for one
 * that readers can use. Left out is also what we do not know to the last digit (Azure Cold).
 */
export const firstPrices: readonly PriceEntry[] = [
  example('onprem-nvme', 'example: own flash shelf', { storagePerGbMonth: 0.045 }),
  example('onprem-hdd', 'example: own disk shelf', { storagePerGbMonth: 0.011 }),
  example('onprem-archive', 'example: own shelf of large, slow disks', { storagePerGbMonth: 0.006 }),
  example('private-ssd', 'example: hosted private cloud', { storagePerGbMonth: 0.06, readsPer1000: 0.0002, writesPer1000: 0.0008, egressPerGb: 0.01 }),
  example('private-hdd', 'example: hosted private cloud', { storagePerGbMonth: 0.016, readsPer1000: 0.0002, writesPer1000: 0.0008, egressPerGb: 0.01 }),
  example('cloud-block', inRange, { storagePerGbMonth: 0.08, egressPerGb: 0.09 }),
  example('cloud-standard', inRange, { storagePerGbMonth: 0.023, readsPer1000: 0.0004, writesPer1000: 0.005, egressPerGb: 0.09 }),
  example('cloud-infrequent', inRange, {
    storagePerGbMonth: 0.0125,
    readsPer1000: 0.001,
    writesPer1000: 0.01,
    egressPerGb: 0.09,
    retrievalPerGb: 0.01,
    minimumDays: 30,
  }),
  example('cloud-archive', inRange, {
    storagePerGbMonth: 0.004,
    readsPer1000: 0.01,
    writesPer1000: 0.02,
    egressPerGb: 0.09,
    retrievalPerGb: 0.02,
    minimumDays: 90,
  }),

  aws('aws-s3-standard', 'S3 Standard', { storagePerGbMonth: 0.023, readsPer1000: 0.0004, writesPer1000: 0.005 }),
  aws('aws-s3-standard-ia', 'S3 Standard-Infrequent Access', {
    storagePerGbMonth: 0.0125,
    readsPer1000: 0.001,
    writesPer1000: 0.01,
    retrievalPerGb: 0.01,
    minimumDays: 30,
    minimumObjectBytes: 128 * kib,
  }),
  aws('aws-s3-one-zone-ia', 'S3 One Zone-Infrequent Access', {
    storagePerGbMonth: 0.01,
    readsPer1000: 0.001,
    writesPer1000: 0.01,
    retrievalPerGb: 0.01,
    minimumDays: 30,
    minimumObjectBytes: 128 * kib,
  }),
  aws('aws-s3-glacier-instant', 'S3 Glacier Instant Retrieval', {
    storagePerGbMonth: 0.004,
    readsPer1000: 0.01,
    writesPer1000: 0.02,
    retrievalPerGb: 0.03,
    minimumDays: 90,
    minimumObjectBytes: 128 * kib,
  }),
  aws('aws-ebs-gp3', 'EBS gp3 with its 3,000 operations and 125 MB a second', { storagePerGbMonth: 0.08 }),

  azure('azure-blob-hot', 'Blob Storage Hot', { storagePerGbMonth: 0.0208, readsPer1000: 0.0004, writesPer1000: 0.005 }),
  azure('azure-blob-cool', 'Blob Storage Cool', {
    storagePerGbMonth: 0.0152,
    readsPer1000: 0.001,
    writesPer1000: 0.01,
    retrievalPerGb: 0.01,
    minimumDays: 30,
  }),

  google('gcs-standard', 'Standard', { storagePerGbMonth: 0.02, readsPer1000: 0.0004, writesPer1000: 0.005 }),
  google('gcs-nearline', 'Nearline', { storagePerGbMonth: 0.01, readsPer1000: 0.001, writesPer1000: 0.01, retrievalPerGb: 0.01, minimumDays: 30 }),
  google('gcs-coldline', 'Coldline', { storagePerGbMonth: 0.004, readsPer1000: 0.01, writesPer1000: 0.02, retrievalPerGb: 0.02, minimumDays: 90 }),
  google('gcs-archive', 'Archive', { storagePerGbMonth: 0.0012, readsPer1000: 0.05, writesPer1000: 0.05, retrievalPerGb: 0.05, minimumDays: 365 }),
];

/** Holds from the beginning, so that a fleet of any time has a price. */
function example(priceClass: string, source: string, prices: Partial<Prices>): PriceEntry {
  return { priceClass, validFromMs: 0, source, prices: { ...free, ...prices } };
}

function aws(priceClass: string, name: string, prices: Partial<Prices>): PriceEntry {
  return published(priceClass, `AWS price list, us-east-1, 2025: ${name}`, { egressPerGb: 0.09, ...prices });
}

function azure(priceClass: string, name: string, prices: Partial<Prices>): PriceEntry {
  return published(priceClass, `Azure price list, East US, locally redundant, 2025: ${name}`, { egressPerGb: 0.087, ...prices });
}

function google(priceClass: string, name: string, prices: Partial<Prices>): PriceEntry {
  return published(priceClass, `Google Cloud Storage price list, us-central1, 2025: ${name}`, { egressPerGb: 0.12, ...prices });
}

/** Known for 2025; what was asked before is not claimed. */
function published(priceClass: string, source: string, prices: Partial<Prices>): PriceEntry {
  return { priceClass, validFromMs: Date.UTC(2025, 0, 1), source, prices: { ...free, ...prices } };
}
