/** Who made a drive, as far as it matters for what its counters mean. */
export const driveMakers = ['seagate', 'hgst', 'wdc', 'toshiba', 'samsung', 'other'] as const;
export type DriveMaker = (typeof driveMakers)[number];

/** Beginnings of model names, after the maker's own name; the longest names first. Source: the makers' model number guides, Backblaze Drive Stats. */
const modelNames: readonly (readonly [RegExp, DriveMaker])[] = [
  [/^(hgst|hitachi|h[ud][cst]\d)/i, 'hgst'],
  [/^(wdc|wd|western digital)/i, 'wdc'],
  [/^(seagate|st\d)/i, 'seagate'],
  [/^(toshiba|mg0\d|md0\d|hdw)/i, 'toshiba'],
  [/^samsung/i, 'samsung'],
];

/** The maker of a drive by its model name; `other` when the name tells none. */
export function driveMaker(model: string): DriveMaker {
  return modelNames.find(([name]) => name.test(model.trim()))?.[1] ?? 'other';
}
