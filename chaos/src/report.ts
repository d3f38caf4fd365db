import type { Played } from './scenarios/play.ts';

/** The command that plays exactly this again. */
export function repeatCommand(played: Played, file: string, ownFleet: boolean): string {
  return `npx dim chaos run ${file} --seed ${played.seed}${ownFleet ? ' --own-fleet' : ''}`;
}

/** What was done, what held and when, for a person. */
export function markdownReport(played: Played, repeat: string): string {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  return [
    `# ${played.scenario}: ${played.held ? 'held' : 'did NOT hold'}`,
    '',
    played.says,
    '',
    `Seed ${played.seed}, begun ${new Date(played.startedAtMs).toISOString()}, took ${seconds(played.tookMs)}.`,
    ...(played.stopped === null ? [] : ['', `It could not be played to its end: ${played.stopped}`]),
    '',
    '## What happened',
    '',
    '| after | what |',
    '|---:|---|',
    ...played.steps.map((step) => `| ${seconds(step.atMs)} | ${cell(step.says)} |`),
    '',
    '## What was promised',
    '',
    '| promise | holds | healed after | looked at |',
    '|---|---|---:|---|',
    ...played.promises.map(
      (one) =>
        `| ${cell(one.says)} | ${one.holds ? 'yes' : '**NO**'} | ${one.healedAfterMs === null ? '' : seconds(one.healedAfterMs)} | ${cell(one.detail)} |`,
    ),
    '',
    `Repeat: \`${repeat}\``,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
