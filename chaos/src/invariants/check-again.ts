/**
 * Copies come and go while they are read: what looked wrong is wrong only when the fleet, asked anew, still says the same of it and it looks wrong again.
 *
 * @param ask what the fleet says now, as the thing to look at; undefined when it claims nothing of it any more
 * @param look what is wrong with it; undefined when nothing is
 * @returns what is wrong with something that is still claimed, or undefined
 */
export async function wrongTwice<Subject>(
  ask: () => Promise<Subject | undefined>,
  look: (subject: Subject) => Promise<string | undefined>,
): Promise<string | undefined> {
  let wrong: string | undefined;
  for (let time = 0; time < 2; time++) {
    const subject = await ask();
    wrong = subject === undefined ? undefined : await look(subject);
    if (wrong === undefined) return undefined;
  }
  return wrong;
}
