import type { Problem } from '@data-in-motion/shared/api/fleet';

/** A request that did not do what was asked, in words for the person who asked. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
  /** HTTP status; 0 when no answer came at all. */
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly fix: string | null;
  readonly fields: readonly { readonly field: string; readonly message: string }[];
  /** The whole document, for pages that know more of it. */
  readonly told: Partial<Problem>;

  constructor(told: {
    status: number;
    code: string;
    title: string;
    detail: string;
    fix: string | null;
    fields: readonly { field: string; message: string }[];
    told?: Partial<Problem>;
  }) {
    super(told.detail);
    this.status = told.status;
    this.code = told.code;
    this.title = told.title;
    this.fix = told.fix;
    this.fields = told.fields;
    this.told = told.told ?? {};
  }
}

/** Read a problem document (RFC 9457); anything else that came with a failing status becomes one as well as it can. */
export function failedBy(status: number, body: unknown): RequestFailed {
  const told: Partial<Record<keyof Problem, unknown>> = typeof body === 'object' && body !== null ? body : {};
  const words = (value: unknown, otherwise: string): string => (typeof value === 'string' && value !== '' ? value : otherwise);
  const fields = Array.isArray(told.errors) ? told.errors.filter(isFieldError) : [];
  return new RequestFailed({
    status,
    code: words(told.code, `http.${status}`),
    title: words(told.title, status >= 500 ? 'The control plane failed' : 'The control plane refused'),
    detail: words(told.detail, `It answered with status ${status} and no explanation.`),
    fix: typeof told.fix === 'string' ? told.fix : null,
    fields,
    told: told as Partial<Problem>,
  });
}

/** No answer: the process is away, or the network is. */
export function unreachable(because: string): RequestFailed {
  return new RequestFailed({
    status: 0,
    code: 'network',
    title: 'The control plane does not answer',
    detail: because,
    fix: 'See whether npm start is still running.',
    fields: [],
  });
}

/** Whatever was thrown, as something that can be shown. */
export function asRequestFailed(thrown: unknown): RequestFailed {
  if (thrown instanceof RequestFailed) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RequestFailed({ status: 0, code: 'console', title: 'The console failed', detail: message, fix: null, fields: [] });
}

function isFieldError(value: unknown): value is { field: string; message: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'field' in value &&
    'message' in value &&
    typeof value.field === 'string' &&
    typeof value.message === 'string'
  );
}
