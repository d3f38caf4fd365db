/** What became of a drive: `failed` it will not answer again · `removed` a person took it away while it worked · `alive` it works. */
export const outcomes = ['failed', 'removed', 'alive'] as const;
export type Outcome = (typeof outcomes)[number];

/** How that is known: `died` it stopped answering while others did · `answers` it answers again · `reported` a person said so, which stands. */
export const outcomeSources = ['died', 'answers', 'reported'] as const;
export type OutcomeSource = (typeof outcomeSources)[number];
