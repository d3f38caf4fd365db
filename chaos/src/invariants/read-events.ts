import { type EventView, eventView } from '@data-in-motion/shared/api/decisions';
import { listOf } from '@data-in-motion/shared/api/fleet';
import type { RouteCaller } from '@data-in-motion/shared/api/route-caller';

const pageSize = 1_000;

/** Events of one type after a sequence, oldest first. */
export async function eventsOf(api: RouteCaller, type: string, sinceSeq: number): Promise<EventView[]> {
  const found: EventView[] = [];
  for (let before: string | null = null; ; ) {
    const page: { items: EventView[]; next: string | null } = await api.call('events', listOf(eventView), {
      query: { type, limit: String(pageSize), after: String(sinceSeq), ...(before === null ? {} : { before }) },
    });
    found.push(...page.items.filter((event) => event.seq > sinceSeq));
    if (page.next === null) return found.reverse();
    before = page.next;
  }
}
