/** At most `longest` UTF-16 units of a text from outside, without what PostgreSQL's `text` and `jsonb` refuse: NUL and halves of surrogate pairs become U+FFFD. */
export function storableText(text: string, longest = text.length): string {
  return text.slice(0, longest).replaceAll('\0', '\uFFFD').toWellFormed();
}
