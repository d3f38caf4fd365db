import { readFiles, type SampledFile } from '@data-in-motion/shared/domain/file-sample';
import type { VersionId } from '@data-in-motion/shared/domain/ids';
import { sql } from 'drizzle-orm';
import { type Db, rowsOf } from './database.ts';

export interface VersionSample {
  readonly versionId: VersionId;
  readonly level: number;
  readonly completeFromBytes: number;
  readonly files: readonly SampledFile[];
}

/** A page is some MB of text at most. */
const samplesPerPage = 200;

/** The samples of all versions that readers see, the most complete first, page by page: of a large fleet they do not fit into memory. */
export async function* presentSamples(db: Db): AsyncGenerator<VersionSample> {
  for (let last = { level: -1, versionId: '' }; ; ) {
    const page = await rowsOf<{ versionId: VersionId; level: number; from: number; files: string }>(
      db,
      sql`select f.version_id as "versionId", f.level, f.complete_from_bytes::float8 as "from", f.files from file_sample f
        join pointer p on p.version_id = f.version_id where (f.level, f.version_id) > (${last.level}, ${last.versionId})
        order by f.level, f.version_id limit ${samplesPerPage}`,
    );
    for (const { versionId, level, from, files } of page) yield { versionId, level, completeFromBytes: from, files: readFiles(files) };
    if (page.length < samplesPerPage) return;
    last = page.at(-1)!;
  }
}
