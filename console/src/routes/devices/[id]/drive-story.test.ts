import type { DeviceHistory } from '@data-in-motion/shared/api/fleet';
import { expect, test } from 'vitest';
import { fixtureHistory } from '../../../../test/fixture/history.ts';
import { fixtureHosts } from '../../../../test/fixture/hosts.ts';
import { driveStory, leadWords } from './drive-story.ts';

const nowMs = 1_000_000_000_000;
const { devices } = fixtureHosts(nowMs, 0);
const failing = fixtureHistory(nowMs, devices[0]!);

test('the story of a drive goes from its alarm over its evacuation to its end, on its own calendar', () => {
  const story = driveStory(failing);
  expect(story.map(({ title, letter, certificateId }) => [title, letter, certificateId])).toEqual([
    ['Alarm: at risk', '', null],
    ['Its copies began to leave', 'L', '01JQC1'],
    ['Empty', 'E', '01JQC1'],
    ['It failed', 'F', null],
  ]);
  expect(story.at(-1)!.text).toBe('it stopped answering while others did; 35 days after its first alarm');
  expect(story.map(({ momentMs }) => new Date(momentMs).getUTCFullYear())).toEqual([2015, 2015, 2015, 2015]);
});

test('a level that goes up within an alarm is no second one; one that comes back is', () => {
  const levels = ['healthy', 'at-risk', 'failing', 'watch', 'at-risk'] as const;
  const judge = { kind: 'model', name: 'm', version: 'v' } as const;
  const assessments = levels.map((level, day) => ({ atMs: day, recordedDay: null, level, probability: null, judge, reasons: [] }));
  expect(driveStory({ ...failing, outcome: null, evacuations: [], assessments }).map(({ title, atMs }) => [title, atMs])).toEqual([
    ['Alarm: at risk', 1],
    ['Alarm: at risk', 4],
  ]);
});

test('an acknowledgement and a word of a person are told with who said them', () => {
  const said = { deviceId: 'd', outcome: 'removed', atMs: nowMs, how: 'reported', by: 'ada', note: 'sold' } as const;
  const seen = { ...fixtureHistory(nowMs, devices[7]!), outcome: said, evacuations: [], assessments: [] } satisfies DeviceHistory;
  expect(driveStory(seen).map(({ title, text }) => [title, text])).toEqual([
    ['Counters acknowledged', 'by operator: seen after the power cut; judged is what comes on top'],
    ['It was removed', 'said by ada; sold'],
  ]);
});

test('an evacuation that goes on has no end yet; a failure that no alarm came before says so', () => {
  const open = { ...failing.evacuations[0]!, state: 'open' as const, emptyAtMs: null };
  expect(driveStory({ ...failing, outcome: null, assessments: [], evacuations: [open] }).map(({ text }) => text)).toEqual([
    '1 copy, 98.0 GB so far; more are leaving',
  ]);
  expect([leadWords([], 5), leadWords([{ momentMs: 9 }], 5), leadWords([{ momentMs: 1 }], 5)]).toEqual([
    'no alarm came before',
    'no alarm came before',
    'within a day of its first alarm',
  ]);
});
