/** Why moves are made, in five groups: needs of one group look alike in a drawing. The most urgent first. */
export const needGroups = ['safety', 'rules', 'use', 'cost', 'clean-up'] as const;
export type NeedGroup = (typeof needGroups)[number];

const groups: Record<string, NeedGroup> = {
  'add-copy': 'safety',
  'replace-bad-copy': 'safety',
  'evacuate-device': 'safety',
  'leave-forbidden-place': 'rules',
  'follow-heat': 'use',
  'cheaper-place': 'cost',
  'drop-copy': 'clean-up',
  'drop-stale-copy': 'clean-up',
};
const words: Record<NeedGroup, string> = {
  safety: 'safety: copies that are missing or at risk',
  rules: 'rules: copies where policy does not want them',
  use: 'use: nearer to their readers',
  cost: 'cost: cheaper where they go',
  'clean-up': 'clean-up: copies too many',
};

export function needGroup(need: string): NeedGroup {
  return Object.hasOwn(groups, need) ? groups[need]! : 'cost';
}

export function groupWords(group: NeedGroup): string {
  return words[group];
}
