/**
 * What the receiver of a failure should do; see the table in the style guide of this package's README.
 * `unavailable` retry with back-off · `exhausted` wait for capacity · `refused` tell the asker, never retry ·
 * `corrupt` quarantine and copy from elsewhere · `defect` our own invariant is broken: stop, the journal resumes.
 */
export type FailureKind = 'unavailable' | 'exhausted' | 'refused' | 'corrupt' | 'defect';

export interface FailureDetail {
  /** Stable and dotted, `replica.checksum-mismatch`: what programs and tests compare. */
  readonly code: string;
  readonly message: string;
  /** What to find the thing by: `{ jobId, targetId }`. */
  readonly ids?: Readonly<Record<string, string | number>>;
  /** What a person can do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Thrown only at edges and caught only at doors (message handler, HTTP handler, loop pass). */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  readonly code: string;
  readonly ids: Readonly<Record<string, string | number>>;
  readonly hint: string | undefined;

  constructor(kind: FailureKind, detail: FailureDetail) {
    super(detail.message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.kind = kind;
    this.code = detail.code;
    this.ids = detail.ids ?? {};
    this.hint = detail.hint;
  }
}

/** For people, in one line: what went wrong and, where it is known, what they can do about it. */
export function wordsOf({ message, hint }: Failure): string {
  return hint === undefined ? message : `${message}: ${hint}`;
}

/** The other side can not be reached now: its process, its name or the way there. */
const networkCodes = [
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'UND_ERR_SOCKET'],
  ...['EAI_AGAIN', 'ENOTFOUND', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
];

/** Turn anything thrown into a Failure; what is not one already is a `defect` unless the system says the resource was away or full. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const systemCode = (error as { code?: unknown }).code;
  const code = typeof systemCode === 'string' ? systemCode : '';
  if (['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(code)) return new Failure('exhausted', { code: 'disk.full', message: error.message, cause: error });
  if (networkCodes.includes(code)) {
    return new Failure('unavailable', { code: `network.${code.toLowerCase()}`, message: error.message, cause: error });
  }
  return new Failure('defect', { code: code === '' ? 'defect' : `system.${code.toLowerCase()}`, message: error.message, cause: error });
}
