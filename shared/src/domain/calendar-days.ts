const dayMs = 86_400_000;

/** The day number since 1970-01-01 of `YYYY-MM-DD`; NaN when it is no date. */
export function dayOfDate(date: string): number {
  return /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) / dayMs : Number.NaN;
}

/** `YYYY-MM-DD` of a day number; fractions fall to the day that they are in. */
export function dateOfDay(day: number): string {
  return new Date(Math.floor(day) * dayMs).toISOString().slice(0, 10);
}
