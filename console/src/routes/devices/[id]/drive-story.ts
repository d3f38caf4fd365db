import type { DeviceHistory } from '@data-in-motion/shared/api/fleet';
import { bytes } from '../../../lib/format/bytes.ts';
import { counted, percent } from '../../../lib/format/number.ts';
import { stateWord, type Tone } from '../../../lib/format/state-words.ts';
import { changesOf, momentOf } from './drive-life.ts';

/** Something that befell a drive, or was done about it. */
export interface Entry {
  /** On the drive's own calendar, as the chart has it. */
  readonly momentMs: number;
  /** By the clock. */
  readonly atMs: number;
  /** Of a life that is replayed. */
  readonly recordedDay: string | null;
  /** In the chart; an alarm has its number there. */
  readonly letter: string;
  readonly tone: Tone;
  readonly title: string;
  readonly text: string;
  readonly certificateId: string | null;
}

const dayMs = 86_400_000;
const isAlarm = (level: string | null): boolean => level === 'at-risk' || level === 'failing';

/** What befell a drive and what was done about it, oldest first: alarms, the acknowledgement that stands, evacuations, and what became of it. */
export function driveStory(history: DeviceHistory): Entry[] {
  const alarms = changesOf(history.assessments).flatMap((change): Entry[] => {
    if (!isAlarm(change.to) || isAlarm(change.from)) return [];
    const probability = change.probability === null ? '' : `${percent(change.probability)} to fail within 30 days, `;
    const { word, tone } = stateWord('risk', change.to);
    return [
      entry(history, change, {
        letter: '',
        tone,
        title: `Alarm: ${word}`,
        text: `${probability}by the ${change.judge.kind} ${change.judge.name} ${change.judge.version}`,
      }),
    ];
  });
  const told = [...alarms, ...acknowledged(history), ...history.evacuations.flatMap((one) => emptied(history, one)), ...became(history, alarms)];
  return told.sort((a, b) => a.momentMs - b.momentMs);
}

type Told = Pick<Entry, 'letter' | 'tone' | 'title' | 'text'> & { readonly certificateId?: string };

function entry(history: DeviceHistory, { atMs, recordedDay }: { atMs: number; recordedDay?: string | null }, told: Told): Entry {
  const dated = { atMs, recordedDay: recordedDay ?? dayOfLife(history, atMs) };
  return { momentMs: momentOf(dated), ...dated, certificateId: null, ...told };
}

/** The day of a life that is replayed on which a moment of the clock falls: that of the last reading before it. */
function dayOfLife({ readings }: DeviceHistory, atMs: number): string | null {
  return (readings.findLast((reading) => reading.atMs <= atMs) ?? readings[0])?.recordedDay ?? null;
}

function acknowledged(history: DeviceHistory): Entry[] {
  const said = history.device.acknowledged;
  if (said === null) return [];
  const text = `by ${said.by}${said.note === null ? '' : `: ${said.note}`}; judged is what comes on top`;
  return [entry(history, said, { letter: 'A', tone: 'idle', title: 'Counters acknowledged', text })];
}

function emptied(history: DeviceHistory, evacuation: DeviceHistory['evacuations'][number]): Entry[] {
  const { certificateId, state, openedAtMs, emptyAtMs, replicas, bytes: size } = evacuation;
  const left = `${counted(replicas, 'copy', 'copies')}, ${bytes(size)}`;
  const begun = entry(
    history,
    { atMs: openedAtMs },
    { letter: 'L', tone: 'busy', title: 'Its copies began to leave', text: state === 'open' ? `${left} so far; more are leaving` : left, certificateId },
  );
  if (emptyAtMs === null) return [begun];
  return [
    begun,
    entry(history, { atMs: emptyAtMs }, { letter: 'E', tone: 'ok', title: 'Empty', text: `${left}, had left; its certificate shows where to`, certificateId }),
  ];
}

const becameWords = { failed: ['It failed', 'bad'], removed: ['It was removed', 'idle'], alive: ['It works', 'ok'] } as const;

function became(history: DeviceHistory, alarms: readonly Entry[]): Entry[] {
  const { outcome } = history;
  if (outcome === null) return [];
  const recorded = history.evacuations.find((one) => one.outcome?.state === 'failed')?.outcome?.recordedDay ?? null;
  const [title, tone] = becameWords[outcome.outcome];
  const how = { died: 'it stopped answering while others did', answers: 'it answers again', reported: `said by ${outcome.by}` }[outcome.how];
  const letter = outcome.outcome === 'failed' ? 'F' : outcome.outcome === 'removed' ? 'R' : 'W';
  const end = entry(history, { atMs: outcome.atMs, recordedDay: outcome.outcome === 'failed' ? recorded : null }, { letter, tone, title, text: '' });
  const text = [how, ...(outcome.note === null ? [] : [outcome.note]), ...(outcome.outcome === 'failed' ? [leadWords(alarms, end.momentMs)] : [])].join('; ');
  return [{ ...end, text }];
}

/** `14 days after its first alarm`; a drive that gave none says so. */
export function leadWords(alarms: readonly Pick<Entry, 'momentMs'>[], failedMs: number): string {
  const first = alarms.find((alarm) => alarm.momentMs <= failedMs);
  if (first === undefined) return 'no alarm came before';
  const days = Math.floor((failedMs - first.momentMs) / dayMs);
  return days < 1 ? 'within a day of its first alarm' : `${counted(days, 'day')} after its first alarm`;
}
