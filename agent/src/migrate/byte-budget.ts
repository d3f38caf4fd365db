/** Memory for bytes in flight, shared by all jobs of an agent; who asks first is served first. */
export class ByteBudget {
  #free: number;
  readonly #size: number;
  #waiting: { bytes: number; go: () => void }[] = [];

  constructor(bytes: number) {
    this.#free = bytes;
    this.#size = bytes;
  }

  /** Hold the bytes while `work` runs. More than the whole budget counts as the whole budget. */
  async within<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const held = Math.min(bytes, this.#size);
    if (this.#waiting.length > 0 || held > this.#free) await new Promise<void>((go) => this.#waiting.push({ bytes: held, go }));
    else this.#free -= held;
    try {
      return await work();
    } finally {
      this.#free += held;
      for (let next = this.#waiting[0]; next !== undefined && next.bytes <= this.#free; next = this.#waiting[0]) {
        this.#waiting.shift();
        this.#free -= next.bytes;
        next.go();
      }
    }
  }
}
