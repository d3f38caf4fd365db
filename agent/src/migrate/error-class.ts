import type { ErrorClass } from '@data-in-motion/shared/domain/error-class';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import { errnoOf } from './directory.ts';

export interface ClassifiedError {
  readonly class: ErrorClass;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly retryAfterMs: number | null;
}

/** What an errno means for a copy, by what to do about it. */
const errnoClasses: Readonly<Record<string, ErrorClass>> = {
  ENOSPC: 'space',
  EDQUOT: 'space',
  EIO: 'device',
  ENXIO: 'device',
  ENODEV: 'device',
  EUCLEAN: 'device',
  ENAMETOOLONG: 'permanent',
  EROFS: 'permanent',
  ELOOP: 'permanent',
  EXDEV: 'permanent',
  EACCES: 'permanent',
  EPERM: 'permanent',
  ENOTDIR: 'permanent',
  EISDIR: 'permanent',
  EINVAL: 'permanent',
  EMFILE: 'transient',
  ENFILE: 'transient',
  ENOMEM: 'transient',
  EAGAIN: 'transient',
  EBUSY: 'transient',
  ESTALE: 'transient',
  ETIMEDOUT: 'transient',
};

/** Our own codes whose class does not follow from the kind of failure. */
const codeClasses: Readonly<Record<string, ErrorClass>> = {
  'source.file-growing': 'file-growing',
  'source.changed': 'source-changed',
  'source.gone': 'source-changed',
  'source.unreadable': 'device',
  'transfer.broken': 'transient',
  'transfer.unauthorised': 'auth',
  'transfer.expired': 'clock',
  'disk.sync-failed': 'device',
  // Our own disk, not the target's: the copy stays as it is until there is room to write down how far it is.
  'journal.disk-full': 'transient',
  'state.no-space': 'transient',
  'place.taken': 'conflict',
  'permit.expired': 'conflict',
  'permit.reused': 'conflict',
};

const hints: Partial<Record<ErrorClass, string>> = {
  space: 'free space on the target, or lower its reserve',
  device: 'look at the health of the devices under the target',
  'file-growing': 'somebody is writing to the source: it is tried again when it has been quiet',
  integrity: 'the bytes at the source differ from its manifest: copy from another replica',
};

/** How long to leave a source alone that somebody was writing to. */
const growingRetryMs = 30_000;

/** Sort anything that a step threw into the table of errors; the message is for people, bounded and without control characters. */
export function classifyError(thrown: unknown): ClassifiedError {
  const failure = asFailure(thrown);
  const errorClass = codeClasses[failure.code] ?? classOfErrno(failure.cause) ?? classOfErrno(thrown) ?? classOfKind(failure.kind);
  return {
    class: errorClass,
    code: failure.code,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what must not reach a terminal
    message: failure.message.replace(/[\x00-\x1f\x7f]/g, ' ').slice(0, 1_000),
    hint: failure.hint ?? hints[errorClass] ?? null,
    retryAfterMs: errorClass === 'file-growing' ? growingRetryMs : null,
  };
}

/** What writing below the state directory threw: the disk that is full is our own there, and nobody is to free space on a target for it. */
export function ofStateDisk(thrown: unknown, message: string): unknown {
  return classOfErrno(thrown) === 'space' ? noStateSpace(message, thrown) : thrown;
}

export function noStateSpace(message: string, cause?: unknown): Failure {
  return new Failure('exhausted', { code: 'state.no-space', message, hint: 'free some space on the disk that holds the state directory', cause });
}

/** The system said that the medium did not give its bytes; anything else is not the medium's fault. */
export function isUnreadable(thrown: unknown): boolean {
  return ['EIO', 'ENXIO', 'ENODEV', 'EUCLEAN', 'EACCES', 'EPERM'].includes(errnoOf(thrown));
}

function classOfErrno(thrown: unknown): ErrorClass | undefined {
  return errnoClasses[errnoOf(thrown)];
}

function classOfKind(kind: ReturnType<typeof asFailure>['kind']): ErrorClass {
  switch (kind) {
    case 'unavailable':
      return 'transient';
    case 'exhausted':
      return 'space';
    case 'corrupt':
      return 'integrity';
    case 'refused':
      return 'permanent';
    // Our own mistake does not get better by trying at once, and may by a later version: a person looks at it.
    case 'defect':
      return 'permanent';
  }
}
