import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const packed = promisify(gzip);

/** Smaller ones are a packet or two as they are. */
const worthPackingBytes = 16_384;

/** A JSON answer that many are given, written out once: as it is, and packed for who takes that, which most do. */
export class WrittenAnswer {
  readonly #plain: Uint8Array<ArrayBuffer>;
  readonly #packed: Uint8Array<ArrayBuffer> | null;

  private constructor(plain: Uint8Array<ArrayBuffer>, gzipped: Uint8Array<ArrayBuffer> | null) {
    this.#plain = plain;
    this.#packed = gzipped;
  }

  /** Packs beside this thread. @param json its text */
  static async of(json: string): Promise<WrittenAnswer> {
    const plain = new TextEncoder().encode(json);
    return new WrittenAnswer(plain, plain.length < worthPackingBytes ? null : new Uint8Array(await packed(plain)));
  }

  /** What goes to somebody, with the headers that say how. @param accepted their header Accept-Encoding */
  sentTo(accepted: string | undefined): { readonly bytes: Uint8Array<ArrayBuffer>; readonly headers: Record<string, string> } {
    const headers = { 'Content-Type': 'application/json', Vary: 'Accept-Encoding' };
    if (this.#packed === null || !takesGzip(accepted)) return { bytes: this.#plain, headers };
    return { bytes: this.#packed, headers: { ...headers, 'Content-Encoding': 'gzip' } };
  }
}

/** RFC 9110, 12.5.3: a coding is taken unless its weight is 0. */
function takesGzip(accepted = ''): boolean {
  return accepted.split(',').some((one) => {
    const [coding, weight] = one.split(';').map((part) => part.trim().toLowerCase());
    return coding === 'gzip' && !/^q=0(?:\.0*)?$/.test(weight ?? '');
  });
}
