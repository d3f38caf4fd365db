import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

const compress = promisify(gzip);
/** Below this there is nothing to gain: a connection takes so many bytes at once. */
const worthFromBytes = 64 * 1024;

/** An answer that was written out before it was asked for: megabytes of JSON are made once for all who ask. */
export class WrittenAnswer {
  readonly #plain: Uint8Array<ArrayBuffer>;
  readonly #gzip: Uint8Array<ArrayBuffer> | null;

  private constructor(plain: Uint8Array<ArrayBuffer>, gzipped: Uint8Array<ArrayBuffer> | null) {
    this.#plain = plain;
    this.#gzip = gzipped;
  }

  /** @param json the text of the answer; it is compressed beside the main thread, fast rather than small */
  static async of(json: string): Promise<WrittenAnswer> {
    const plain = new TextEncoder().encode(json);
    return new WrittenAnswer(plain, plain.length < worthFromBytes ? null : await compress(plain, { level: constants.Z_BEST_SPEED }));
  }

  /** The bytes for who accepts these encodings, and which they are in (RFC 9110, section 12.5.3). */
  for(acceptEncoding: string | undefined): { readonly bytes: Uint8Array<ArrayBuffer>; readonly encoding: 'gzip' | null } {
    return this.#gzip !== null && acceptsGzip(acceptEncoding) ? { bytes: this.#gzip, encoding: 'gzip' } : { bytes: this.#plain, encoding: null };
  }
}

function acceptsGzip(acceptEncoding = ''): boolean {
  return acceptEncoding.split(',').some((one) => {
    const [name = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
    return name === 'gzip' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
