import { asFailure, Failure, type FailureKind } from '@data-in-motion/shared/failure';

/**
 * SQLSTATE classes (PostgreSQL 15 documentation, appendix A) by what to do about them; what is not here is a defect, ours or of who keeps the server.
 * Only what is `refused` speaks of the values: whatever else it is, the same values may be stored later.
 */
const kindByClass: Readonly<Record<string, FailureKind>> = {
  '08': 'unavailable',
  '22': 'refused',
  '23': 'refused',
  '25': 'unavailable',
  '26': 'unavailable',
  '28': 'unavailable',
  '3D': 'unavailable',
  '40': 'unavailable',
  '53': 'exhausted',
  '54': 'refused',
  '55': 'unavailable',
  '57': 'unavailable',
  '58': 'unavailable',
};
/** What the driver says. Of what the system does the most is known to everybody; here a Unix socket that is away is `ENOENT`, or a refusal where its folder is not ours to read. */
const lostConnection = ['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT', 'ENOENT', 'EACCES'];

/** The innermost error that carries a code: Drizzle wraps what the driver throws. */
function codedCause(thrown: unknown): { code: string; message: string } | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const code = (error as { code?: unknown }).code;
    if (typeof code === 'string') return { code, message: error.message };
  }
  return undefined;
}

/** What a database said, as a Failure: `unavailable` try again, `refused` these values can never be stored, `exhausted` no room. */
export function asStoreFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const found = codedCause(thrown);
  if (found === undefined) return asFailure(thrown);
  if (lostConnection.includes(found.code)) return new Failure('unavailable', { code: 'database.connection', message: found.message, cause: thrown });
  // Of the system's names `EPIPE` has five characters too, but no digit.
  const kind = /^(?=.*\d)[0-9A-Z]{5}$/.test(found.code) ? (kindByClass[found.code.slice(0, 2)] ?? 'defect') : undefined;
  if (kind !== undefined) return new Failure(kind, { code: `database.${found.code.toLowerCase()}`, message: found.message, cause: thrown });
  return asFailure(Object.assign(new Error(found.message, { cause: thrown }), { code: found.code }));
}
