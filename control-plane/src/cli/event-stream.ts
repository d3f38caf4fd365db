import { Failure } from '@data-in-motion/shared/failure';

export interface StreamMessage {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

const longestMessageChars = 1_000_000;

/**
 * Read server-sent events (HTML Living Standard, 9.2) until the connection ends.
 * Throws `refused` when the server does not want us, `unavailable` when it is away.
 */
export async function* readEventStream(url: string, headers: Readonly<Record<string, string>>): AsyncGenerator<StreamMessage> {
  const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, redirect: 'manual' }).catch((cause: unknown) => {
    throw new Failure('unavailable', { code: 'api.no-answer', message: `Nobody answers at ${url}.`, cause });
  });
  if (!response.ok || response.body === null) {
    throw new Failure(response.status >= 500 ? 'unavailable' : 'refused', {
      code: 'events.refused',
      message: `The event stream was refused (${response.status}): ${(await response.text()).slice(0, 300)}`,
    });
  }
  const parser = new EventStreamParser();
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) yield* parser.feed(chunk);
}

/** Turns pieces of text into messages, wherever the pieces are cut. */
export class EventStreamParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;

  feed(chunk: string): StreamMessage[] {
    const messages: StreamMessage[] = [];
    const text = this.#rest + chunk;
    // A carriage return at the very end may be the first half of a line end.
    const complete = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = complete.split(/\r\n|\n|\r/);
    this.#rest = lines.pop()! + text.slice(complete.length);
    if (this.#rest.length > longestMessageChars)
      throw new Failure('corrupt', { code: 'events.too-long', message: 'The event stream sent a line without an end.' });
    for (const line of lines) {
      const message = this.#line(line);
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  #line(line: string): StreamMessage | undefined {
    if (line === '') {
      const message = this.#data.length === 0 ? undefined : { event: this.#event === '' ? 'message' : this.#event, data: this.#data.join('\n'), id: this.#id };
      this.#event = '';
      this.#data = [];
      return message;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
    return undefined;
  }
}
