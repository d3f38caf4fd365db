import { createContext } from 'svelte';

/** The moment that ages are told from; the layout gives it, so that one clock ticks for the whole page. */
export const [now, giveNow] = createContext<() => number>();
