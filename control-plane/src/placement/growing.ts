type Numbers = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Int16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Numbers of one kind, gathered one by one without an object for each: of a large fleet there are millions. */
export class Growing<List extends Numbers> {
  count = 0;
  #list: List;
  readonly #over: (buffer: ArrayBuffer) => List;

  /** @param over the list that lies over a buffer */
  constructor(over: (buffer: ArrayBuffer) => List) {
    this.#over = over;
    this.#list = over(new ArrayBuffer(1 << 16));
  }

  add(one: number): void {
    if (this.count === this.#list.length) this.#list = this.#over(this.#list.buffer.transfer(2 * this.#list.byteLength));
    this.#list[this.count++] = one;
  }

  /** All of them; nothing can be added afterwards. */
  whole(): List {
    return this.#over(this.#list.buffer.transfer(this.count * this.#list.BYTES_PER_ELEMENT));
  }
}
