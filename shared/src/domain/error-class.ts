/** What went wrong, by what to do about it: the agent says which it is (`migrate/error-class.ts`), the control plane answers it (`jobs/advance.ts`). */
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
