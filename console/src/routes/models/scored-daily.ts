import type { Pace } from '../../lib/state/watched.svelte.ts';

/** What follows from daily scores need not be added up with every event: over a large fleet that is work. */
export const scoredDaily: Pace = { everyMs: 300_000, atMostEveryMs: 60_000 };
