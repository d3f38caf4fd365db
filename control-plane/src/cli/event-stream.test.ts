import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventStreamParser } from './event-stream.ts';

const stream = 'retry: 5\n: a comment\n\nid: 1\nevent: event\ndata: one\ndata: more\n\nid: 2\r\ndata:two\r\n\r\nevent: ping\n\ndata: {"a":"ü"}\n\n';
const messages = [
  { event: 'event', data: 'one\nmore', id: '1' },
  { event: 'message', data: 'two', id: '2' },
  { event: 'message', data: '{"a":"ü"}', id: '2' },
];

test('messages are the same wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 12 }), (cuts) => {
      const parser = new EventStreamParser();
      const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
      expect(places.slice(1).flatMap((end, i) => parser.feed(stream.slice(places[i], end)))).toEqual(messages);
    }),
  );
});

test('a line without an end is refused before it fills the memory', () => {
  expect(() => new EventStreamParser().feed('x'.repeat(1_000_001))).toThrow(/without an end/);
});
