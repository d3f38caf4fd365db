/** Some moves of a plan, with what they have in common in words. */
export interface Selection {
  readonly label: string;
  readonly moveIds: readonly string[];
}
