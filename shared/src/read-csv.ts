import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { Failure } from './failure.ts';

/** One line by the names of the header. */
export interface CsvRow {
  /** The cell under a name; the empty string when the cell is empty or the column absent. */
  cell(column: string): string;
  readonly columns: readonly string[];
}

/**
 * Walk through a CSV file line by line (`.gz` is unpacked on the way), whatever its size.
 * For machine-written tables: no quoted cells, no line breaks in cells; other columns than the wanted ones may come and go.
 *
 * @throws Failure `refused` when the file can not be read or lacks a wanted column
 */
export async function* readCsv(file: string, wanted: readonly string[]): AsyncGenerator<CsvRow> {
  const bytes = createReadStream(file);
  const packed = file.endsWith('.gz');
  const text = packed ? bytes.pipe(createGunzip()) : bytes;
  // An error of the first stream does not travel through the pipe.
  if (packed) bytes.on('error', (error) => text.destroy(error));
  const lines = createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY });
  let header: string[] | undefined;
  let places = new Map<string, number>();
  try {
    for await (const line of lines) {
      const cells = line.replace(/^\uFEFF/, '').split(',');
      if (header === undefined) {
        header = cells.map((name) => name.trim());
        places = new Map(header.map((name, i) => [name, i]));
        const missing = wanted.filter((name) => !places.has(name));
        if (missing.length > 0)
          throw new Failure('refused', {
            code: 'replay.format',
            message: `${file} has no column ${missing.join(', ')}`,
            hint: 'see the formats in the README of the agent',
          });
      } else if (line !== '') {
        yield { columns: header, cell: (column) => cells[places.get(column) ?? -1]?.trim() ?? '' };
      }
    }
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw new Failure('refused', { code: 'replay.unreadable', message: `${file} can not be read: ${(thrown as Error).message}`, cause: thrown });
  } finally {
    lines.close();
    bytes.destroy();
  }
}

/** A number, or undefined for an empty cell or anything else that is none. */
export function numberIn(cell: string): number | undefined {
  if (cell === '') return undefined;
  const value = Number(cell);
  return Number.isFinite(value) ? value : undefined;
}
