import type { EventView } from '@data-in-motion/shared/api/decisions';

/** How many events the page keeps for showing; older ones are asked for. */
const keptEvents = 500;
/** A stream that says nothing for this long is asked anew by its own retry; until it opens, pages poll. */
const pollEveryMs = 5_000;

type Listener = () => void;

/** The one live connection: the event stream, and polling while it is away. */
class Live {
  /** `open` events arrive · `connecting` first try · `down` pages poll. */
  link = $state<'connecting' | 'open' | 'down'>('connecting');
  downSinceMs = $state<number | null>(null);
  /** When anything last came from the control plane, by any way. */
  lastHeardAtMs = $state<number | null>(null);
  /** Newest first. */
  events = $state.raw<readonly EventView[]>([]);
  readonly #listeners = new Set<Listener>();
  #source: EventSource | null = null;
  #poll: ReturnType<typeof setInterval> | null = null;
  /** The event delivered last, or where the stream stood when it said hello: a new stream goes on after it. */
  #lastId = '';

  /** @returns what ends it */
  start(): () => void {
    this.#open();
    return () => this.#close();
  }

  /** Called when something changed, many times a second perhaps; the listener does its own slowing down. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A request was answered. */
  heard(): void {
    this.lastHeardAtMs = Date.now();
  }

  retry(): void {
    this.#close();
    this.#open();
    this.#tell();
  }

  #open(): void {
    const source = new EventSource(this.#lastId === '' ? '/v1/events' : `/v1/events?after=${this.#lastId}`);
    this.#source = source;
    source.onopen = () => {
      const wasDown = this.link === 'down';
      this.link = 'open';
      this.downSinceMs = null;
      this.heard();
      this.#stopPolling();
      if (wasDown) this.#tell();
    };
    source.addEventListener('hello', (message) => (this.#lastId = message.lastEventId));
    source.addEventListener('event', (message) => this.#receive(message));
    // Sent in quiet times, so that the age of the last number stays true.
    source.addEventListener('ping', () => this.heard());
    source.onerror = () => {
      if (this.link !== 'down') this.downSinceMs = Date.now();
      this.link = 'down';
      this.#startPolling();
      // The browser gives up for good after an answer that is no stream (a proxy's error page, a sign-out): try again ourselves.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#source === source && this.#reopen(), pollEveryMs);
    };
  }

  #reopen(): void {
    this.#source?.close();
    this.#open();
  }

  #close(): void {
    this.#source?.close();
    this.#source = null;
    this.#stopPolling();
  }

  #receive(message: MessageEvent<string>): void {
    this.heard();
    this.#lastId = message.lastEventId;
    const event = parsedEvent(message.data);
    if (event !== undefined && !this.events.some((known) => known.seq === event.seq)) this.events = [event, ...this.events].slice(0, keptEvents);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #startPolling(): void {
    this.#poll ??= setInterval(() => this.#tell(), pollEveryMs);
  }

  #stopPolling(): void {
    if (this.#poll !== null) clearInterval(this.#poll);
    this.#poll = null;
  }
}

export const live = new Live();

/** What does not look like an event is not shown; it still says that something changed. */
function parsedEvent(text: string): EventView | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('seq' in value) || !('text' in value)) return undefined;
    return value as EventView;
  } catch {
    return undefined;
  }
}
