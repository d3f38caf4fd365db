import { type EventView, eventView } from '@data-in-motion/shared/api/decisions';
import { listOf } from '@data-in-motion/shared/api/fleet';
import { systemClock } from '@data-in-motion/shared/clock';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import type { Command } from 'commander';
import { readEventStream } from './event-stream.ts';
import { moment, plain } from './figures.ts';
import { type Session, verb } from './session.ts';
import { parseDuration } from './units.ts';

const pageSize = 500;
const longestHistory = 20_000;
const firstBackOffMs = 200;
const longestBackOffMs = 5_000;

export function addEvents(program: Command): void {
  verb<{ since?: number; follow: boolean; type?: string }>(program, {
    usage: 'events',
    says: 'what happens, as it happens; Ctrl-C ends it',
    examples: ['events', 'events --since 1h', 'events --since 10m --no-follow', 'events --type job. --json'],
    options: (command) =>
      command
        .option('--since <duration>', 'begin with what happened since, such as 10m', parseDuration)
        .option('--no-follow', 'end after what has happened so far')
        .option('--type <prefix>', 'only types that begin so, such as job. or device.'),
    async run(session, _args, options) {
      const print = (event: EventView): void => {
        if (options.type === undefined || event.type.startsWith(options.type))
          process.stdout.write(`${session.json ? JSON.stringify(event) : eventLine(event)}\n`);
      };
      const past = await history(session, options.since ?? (options.follow ? 0 : 3_600_000));
      for (const event of past.events) print(event);
      if (options.follow) await follow(session, past.newestSeq, print);
    },
  });
}

function eventLine(event: EventView): string {
  const sign = { info: ' ', warning: '!', error: '✗' }[event.severity];
  return plain(`${moment(event.atMs, Date.now())} ${sign} ${event.type.padEnd(24)} ${event.text}`);
}

/** The events of the last `sinceMs`, oldest first, and the number from which the stream goes on. */
async function history(session: Session, sinceMs: number): Promise<{ events: EventView[]; newestSeq: number }> {
  const events: EventView[] = [];
  for (let before: string | undefined; events.length < longestHistory; ) {
    const page = await session.api.call('events', listOf(eventView), {
      query: { limit: String(sinceMs === 0 ? 1 : pageSize), ...(before === undefined ? {} : { before }) },
    });
    const newestSeq = events[0]?.seq ?? page.items[0]?.seq ?? 0;
    if (sinceMs === 0) return { events: [], newestSeq };
    const young = page.items.filter((event) => event.atMs >= page.asOfMs - sinceMs);
    events.push(...young);
    if (young.length < page.items.length || page.next === null) return { events: events.reverse(), newestSeq };
    before = page.next;
  }
  return { newestSeq: events[0]?.seq ?? 0, events: events.reverse() };
}

/** Without an end: a connection that breaks is made again from the last event that was seen, so none is missed and none comes twice. */
async function follow(session: Session, fromSeq: number, print: (event: EventView) => void): Promise<void> {
  let lastSeq = fromSeq;
  for (let attempt = 0; ; attempt++) {
    try {
      for await (const message of readEventStream(`${session.api.url}/v1/events`, { ...session.api.identity(), 'last-event-id': String(lastSeq) })) {
        if (attempt > 0) session.say('  connected again');
        attempt = 0;
        if (message.event !== 'event' && message.event !== 'message') continue;
        const event = eventView.safeParse(parseJson(message.data));
        if (!event.success || event.data.seq <= lastSeq) continue;
        lastSeq = event.data.seq;
        print(event.data);
      }
    } catch (error) {
      const failure = asFailure(error);
      if (failure instanceof Failure && failure.kind === 'refused') throw failure;
    }
    if (attempt === 0) session.say('  the connection ended; connecting again');
    await systemClock.sleep(Math.min(longestBackOffMs, firstBackOffMs * 2 ** attempt));
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
