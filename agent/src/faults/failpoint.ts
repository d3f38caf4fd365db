import { Failure } from '@data-in-motion/shared/failure';

/** `name:kill:n`: end the process at the n-th time that the point is passed. */
export interface Failpoint {
  readonly name: string;
  readonly nth: number;
}

/** @throws Failure `refused` when the text is not of that form */
export function parseFailpoint(text: string): Failpoint {
  const parts = /^([A-Za-z0-9._-]+):kill:([1-9]\d{0,6})$/.exec(text);
  if (parts === null)
    throw new Failure('refused', { code: 'failpoint.form', message: `"${text}" is not a failpoint`, hint: 'name:kill:n, for example C13:kill:3' });
  return { name: parts[1]!, nth: Number(parts[2]) };
}

/** Counts passages of one named point and kills at the wanted one; silent for every other name. */
export function failpointOf(wanted: Failpoint | null, kill: () => void): (name: string) => void {
  if (wanted === null) return () => {};
  let passed = 0;
  return (name) => {
    if (name === wanted.name && ++passed === wanted.nth) kill();
  };
}
