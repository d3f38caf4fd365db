import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { WrittenAnswer } from './written-answer.ts';

const text = JSON.stringify({ items: Array.from({ length: 2_000 }, (_, at) => `set-${at}, “by far”`) });
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('a large answer goes packed to who takes that, and as it is to all others', async () => {
  const answer = await WrittenAnswer.of(text);
  for (const accepted of ['gzip', 'gzip, deflate, br', 'br;q=1.0, gzip;q=0.5', 'deflate,gzip', 'GZIP ; q=0.8']) {
    const { bytes, headers } = answer.sentTo(accepted);
    expect(headers, accepted).toMatchObject({ 'Content-Encoding': 'gzip', 'Content-Type': 'application/json', Vary: 'Accept-Encoding' });
    expect(bytes.length).toBeLessThan(text.length / 3);
    expect(textOf(gunzipSync(bytes))).toBe(text);
  }
  for (const accepted of [undefined, '', 'identity', 'br', 'x-gzip-not', 'gzip;q=0', 'gzip; q=0.0, br']) {
    const { bytes, headers } = answer.sentTo(accepted);
    expect(headers['Content-Encoding'], accepted).toBeUndefined();
    expect(headers['Vary']).toBe('Accept-Encoding');
    expect(textOf(bytes)).toBe(text);
  }
});

test('a small answer is not packed', async () => {
  const { bytes, headers } = (await WrittenAnswer.of('{"moves":[]}')).sentTo('gzip');
  expect(headers['Content-Encoding']).toBeUndefined();
  expect(textOf(bytes)).toBe('{"moves":[]}');
});
