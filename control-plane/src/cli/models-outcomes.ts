import {
  type AlarmOutcome,
  type ModelComparison,
  type ModelOutcome,
  type ModelScores,
  modelComparison,
  modelOutcome,
  modelScores,
} from '@data-in-motion/shared/api/models';
import type { Command } from 'commander';
import { counted, percent, sentence, whole } from './figures.ts';
import { verb } from './session.ts';
import { table } from './table.ts';

interface Beside {
  readonly with?: string;
}

/** What models are worth on this fleet: `dim models outcomes`, `compare` and `scores`. */
export function addModelOutcomes(models: Command): void {
  verb(models, {
    usage: 'outcomes',
    says: 'what came of what each model said of the drives of this fleet',
    examples: ['models outcomes', 'models outcomes --json'],
    async run(session) {
      const list = await session.api.list('modelOutcomes', modelOutcome);
      session.answer(list, () => outcomeText(list.items));
    },
  });
  verb<Beside>(models, {
    usage: 'compare <version>',
    says: 'what came of what a model said beside another one, on the drives and days that both scored',
    examples: ['models compare 0123456789ab', 'models compare 0123456789ab --with ba9876543210'],
    options: withOther,
    async run(session, [version = ''], other) {
      const told = await session.api.call('modelComparison', modelComparison, { path: { version }, query: besideOf(other) });
      session.answer(told, () => comparisonText(told));
    },
  });
  verb<Beside & { limit: string }>(models, {
    usage: 'scores <version>',
    says: 'what a model and another one say of each drive, those that they disagree about most first',
    examples: ['models scores 0123456789ab', 'models scores 0123456789ab --with ba9876543210 --limit 100'],
    options: (command) => withOther(command).option('--limit <drives>', 'so many drives at most', '25'),
    async run(session, [version = ''], { limit, ...other }) {
      const told = await session.api.call('modelScores', modelScores, { path: { version }, query: { ...besideOf(other), limit } });
      session.answer(told, () => scoresText(told));
    },
  });
}

function withOther(command: Command): Command {
  return command.option('--with <version>', 'the other one; otherwise the active one, and beside that the one in the shadow, else the one before it');
}

function besideOf({ with: other }: Beside): Record<string, string> {
  return other === undefined ? {} : { with: other };
}

interface Line {
  readonly outcome: ModelOutcome;
  readonly from: 'at risk' | 'failing';
  readonly alarm: AlarmOutcome;
}

function outcomeText(items: readonly ModelOutcome[]): string {
  const lines = items.flatMap((outcome): Line[] => [
    { outcome, from: 'at risk', alarm: outcome },
    ...(outcome.failing === null ? [] : [{ outcome, from: 'failing' as const, alarm: outcome.failing }]),
  ]);
  const rows = table(
    lines,
    [
      { title: 'version', of: ({ outcome }) => outcome.version },
      { title: 'state', of: ({ outcome }) => outcome.state },
      { title: 'drive-months', align: 'right', of: ({ outcome }) => whole(outcome.decisions) },
      { title: 'failures', align: 'right', of: ({ outcome }) => whole(outcome.failures) },
      { title: 'base rate', align: 'right', of: ({ outcome }) => percent(outcome.baseRate) },
      { title: 'alarm from', of: ({ from }) => from },
      { title: 'alarms', align: 'right', of: ({ alarm }) => whole(alarm.alarms) },
      { title: 'precision', align: 'right', of: ({ alarm }) => inRange(alarm.precision, alarm.precisionRange) },
      { title: 'found', align: 'right', of: ({ alarm }) => whole(alarm.found) },
      { title: 'recall', align: 'right', of: ({ alarm }) => inRange(alarm.recall, alarm.recallRange) },
      { title: 'days ahead', align: 'right', of: ({ alarm }) => (alarm.leadDays === null ? '–' : whole(alarm.leadDays)) },
      { title: 'false per 1,000 months', align: 'right', of: ({ alarm }) => alarm.falseAlarmsPer1000Months?.toFixed(1) ?? '–' },
    ],
    'No model has scored a drive yet: the control plane does so once a day.',
  );
  const words = items.map((row) => `  ${row.version} ${row.says}${row.undecided === 0 ? '' : `; ${whole(row.undecided)} drive-months are not over yet`}`);
  return [rows, ...words].join('\n');
}

/** `40 % (17–69)`: the share, and between which it may well lie. */
function inRange(share: number | null, range: AlarmOutcome['precisionRange']): string {
  return range === null ? percent(share) : `${percent(share)} (${Math.round(range.low * 100)}–${Math.round(range.high * 100)})`;
}

const verdicts: Readonly<Record<ModelComparison['verdict'], string>> = {
  ahead: 'It is ahead',
  behind: 'It falls behind',
  even: 'They can not be told apart',
  'too-few': 'Nothing can be said',
};

function comparisonText({ version, other, drives, from, to, outcomes, verdict, says }: ModelComparison): string {
  if (other === null) return `${version} stands alone: ${says}. To have one score beside it: dim models promote VERSION --to shadow`;
  if (outcomes.length === 0) return `${version} and ${other} have scored no drive on the same day yet: the control plane scores once a day.`;
  return [`On ${counted(drives, 'drive')} that both scored, ${from} to ${to}:`, outcomeText(outcomes), sentence(`${verdicts[verdict]}: ${says}`)].join('\n');
}

function scoresText({ version, other, agreement, items }: ModelScores): string {
  if (other === null) return `${version} stands alone: no other version scores beside it.`;
  const { both, onlyThis, onlyOther, neither } = agreement;
  const rows = table(
    items,
    [
      { title: 'device', of: (row) => row.deviceId },
      { title: 'node', of: (row) => row.nodeId },
      { title: 'day', of: (row) => row.day },
      { title: version, align: 'right', of: ({ score }) => `${percent(score.p30)} ${score.level}` },
      { title: other, align: 'right', of: (row) => `${percent(row.other.p30)} ${row.other.level}` },
      { title: 'outcome', of: ({ outcome }) => outcome ?? '' },
    ],
    'Both have scored no drive on the same day within 30 days.',
  );
  return `${rows}\nAlarms: both of ${counted(both, 'drive')}, ${version} alone of ${whole(onlyThis)}, ${other} alone of ${whole(onlyOther)}, neither of ${whole(neither)}.`;
}
