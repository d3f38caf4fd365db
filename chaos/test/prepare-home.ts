import path from 'node:path';
import { layEmptyDatabase } from '../../control-plane/test/empty-database.ts';
import { openHome } from '../src/fleet/home.ts';

/**
 * Make `directory` the home of a fleet whose database is there already: making one takes most of a fleet's first start,
 * and only the suite of `npm start` is about that.
 */
export async function prepareHome(directory: string): Promise<void> {
  openHome(directory).release();
  await layEmptyDatabase(path.join(directory, 'database'));
}
