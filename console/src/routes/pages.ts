import type { IconName } from '../lib/components/Icon.svelte';

export interface Page {
  readonly href: string;
  readonly name: string;
  readonly icon: IconName;
  /** Pressed after `g`. */
  readonly key: string;
}

/** The pages in the order of the menu: what is, what happens, what happened. */
export const pages: readonly Page[] = [
  { href: '/', name: 'Fleet', icon: 'fleet', key: 'f' },
  { href: '/datasets', name: 'Datasets', icon: 'datasets', key: 'd' },
  { href: '/plan', name: 'Plan', icon: 'plan', key: 'p' },
  { href: '/migrations', name: 'Migrations', icon: 'migrations', key: 'm' },
  { href: '/costs', name: 'Cost', icon: 'costs', key: 'b' },
  { href: '/compliance', name: 'Compliance', icon: 'compliance', key: 'o' },
  { href: '/health', name: 'Health', icon: 'health', key: 'h' },
  { href: '/consistency', name: 'Consistency', icon: 'consistency', key: 'c' },
  { href: '/chaos', name: 'Chaos', icon: 'chaos', key: 'x' },
  { href: '/events', name: 'Events', icon: 'events', key: 'e' },
  { href: '/integrations', name: 'Integrations', icon: 'integrations', key: 'i' },
];
