/** What went wrong, by what to do about it: the table of `agent/README.md`. */
export const errorClasses = [
  'transient',
  'throttle',
  'clock',
  'auth',
  'permanent',
  'source-changed',
  'file-growing',
  'space',
  'integrity',
  'device',
  'conflict',
  'ambiguous',
] as const;
export type ErrorClass = (typeof errorClasses)[number];
