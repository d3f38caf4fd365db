type Numbers = Float64Array | Int32Array | Int16Array | Uint16Array | Uint8Array;

/** Numbers of one kind, gathered one by one without an object for each: of a large fleet there are millions. */
export class Growing<List extends Numbers> {
  count = 0;
  #buffer = new ArrayBuffer(1 << 16);
  #list: List;
  readonly #over: (buffer: ArrayBufferLike) => List;

  /** @param over the list that lies over a buffer */
  constructor(over: (buffer: ArrayBufferLike) => List) {
    this.#over = over;
    this.#list = over(this.#buffer);
  }

  add(one: number): void {
    if (this.count === this.#list.length) {
      this.#buffer = this.#buffer.transfer(2 * this.#buffer.byteLength);
      this.#list = this.#over(this.#buffer);
    }
    this.#list[this.count++] = one;
  }

  /** All of them, in memory that threads can share; nothing can be added afterwards. */
  whole(): List {
    const all = this.#over(new SharedArrayBuffer(this.count * this.#list.BYTES_PER_ELEMENT));
    all.set(this.#list.subarray(0, this.count));
    this.#buffer = new ArrayBuffer(0);
    this.#list = this.#over(this.#buffer);
    return all;
  }
}
