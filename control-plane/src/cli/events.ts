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
      if (options.follow) await follow(session, options.since ?? 0, print);
      else for (const event of await history(session, options.since ?? 3_600_000)) print(event);
    },
  });
}

function eventLine(event: EventView): string {
  const sign = { info: ' ', warning: '!', error: '✗' }[event.severity];
  return plain(`${moment(event.atMs, Date.now())} ${sign} ${event.type.padEnd(24)} ${event.text}`);
}

/** The events of the last `sinceMs`, oldest first. */
async function history(session: Session, sinceMs: number): Promise<EventView[]> {
  const events: EventView[] = [];
  for (let before: string | undefined; events.length < longestHistory; ) {
    const page = await session.api.call('events', listOf(eventView), {
      query: { limit: String(pageSize), ...(before === undefined ? {} : { before }) },
    });
    const young = page.items.filter((event) => event.atMs >= page.asOfMs - sinceMs);
    events.push(...young);
    if (young.length < page.items.length || page.next === null) break;
    before = page.next;
  }
  return events.reverse();
}

/**
 * Without an end. The stream says first where it stands; what was before that is looked up, what comes after it is told, each once. A connection that
 * breaks is made again from the event delivered last, which is not always the highest number: numbers may go down where transactions overlapped.
 */
async function follow(session: Session, sinceMs: number, print: (event: EventView) => void): Promise<void> {
  const told = new Set<number>();
  const tell = (event: EventView): void => {
    if (told.has(event.seq)) return;
    print(event);
    told.add(event.seq);
    if (told.size > longestHistory) told.delete(told.values().next().value!);
  };
  let position: string | undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      const from = position === undefined ? undefined : { 'last-event-id': position };
      for await (const message of readEventStream(`${session.api.url}/v1/events`, { ...session.api.identity(), ...from })) {
        if (attempt > 0) session.say('  connected again');
        attempt = 0;
        if (message.event === 'hello' && position === undefined) {
          if (sinceMs > 0) for (const event of await history(session, sinceMs)) tell(event);
          position = message.id;
        }
        if (message.event !== 'event') continue;
        const event = eventView.safeParse(parseJson(message.data));
        if (!event.success) continue;
        position = String(event.data.seq);
        tell(event.data);
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
