import type { Ballast } from '../src/journal/ballast.ts';

/** Nothing that could be given back. */
export const noBallast: Ballast = { restore: () => false, release: () => false };
