import { z } from 'zod';
import { listOf } from './fleet.ts';

/** Versions with one Merkle root: the same paths, bytes, modes and times. */
export const duplicateGroup = z.object({
  root: z.string(),
  objects: z.number().int(),
  sizeBytes: z.number(),
  /** The one that would be kept first: what readers see, then what has most copies. */
  members: z.array(
    z.object({
      datasetId: z.string(),
      owner: z.string(),
      versionId: z.string(),
      isCurrent: z.boolean(),
      /** Copies that are paid for. */
      copies: z.number().int(),
      bytes: z.number(),
      storagePerMonth: z.number(),
    }),
  ),
  /** What all but the first hold, and what storing it costs, US dollars per month. */
  extraBytes: z.number(),
  extraPerMonth: z.number(),
});
export type DuplicateGroupView = z.infer<typeof duplicateGroup>;

export const duplicatesQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
  /** `next` of the page before. */
  before: z.string().max(200).optional(),
});

/** GET /v1/duplicates. Groups with most bytes too many first; the sums are of all of them. */
export const duplicatesView = listOf(duplicateGroup).extend({
  groups: z.number().int(),
  extraBytes: z.number(),
  extraPerMonth: z.number(),
  /** Files inside of a version that repeat others of it, as its scan counted them. */
  inside: z.object({
    /** Present versions with such files, and such whose agent did not count. */
    datasets: z.number().int(),
    notCounted: z.number().int(),
    bytes: z.number(),
    /** In every copy. */
    storagePerMonth: z.number(),
    /** Those with most bytes. */
    most: z.array(
      z.object({ datasetId: z.string(), owner: z.string(), versionId: z.string(), objects: z.number().int(), bytes: z.number(), storagePerMonth: z.number() }),
    ),
  }),
  /** Files that several datasets have, each once more than needed for each further dataset; of equal trees only one is looked at. */
  across: z.object({
    /** Datasets that have files of others that were looked at before, and such whose agent told no sample. */
    datasets: z.number().int(),
    notSampled: z.number().int(),
    bytes: z.number(),
    /** Of these, what is known to the byte; the rest is estimated from samples. */
    exactBytes: z.number(),
    /** The sum is off by more than this in one of twenty cases. */
    errorBytes: z.number(),
    /** In every copy. */
    storagePerMonth: z.number(),
    /** Those with most bytes. */
    most: z.array(
      z.object({
        datasetId: z.string(),
        owner: z.string(),
        versionId: z.string(),
        /** The dataset that has most of them too. */
        mostWith: z.string(),
        files: z.number(),
        bytes: z.number(),
        exactBytes: z.number(),
        errorBytes: z.number(),
        storagePerMonth: z.number(),
      }),
    ),
  }),
});
export type DuplicatesView = z.infer<typeof duplicatesView>;
