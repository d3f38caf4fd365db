const shownMs = 6_000;

export interface Notice {
  readonly id: number;
  readonly text: string;
}

/** Short news in the corner, also read aloud by a screen reader. */
class Notices {
  shown = $state.raw<readonly Notice[]>([]);
  #nextId = 1;

  tell(text: string): void {
    const notice = { id: this.#nextId++, text };
    this.shown = [...this.shown, notice].slice(-4);
    setTimeout(() => {
      this.shown = this.shown.filter((other) => other.id !== notice.id);
    }, shownMs);
  }
}

export const notices = new Notices();
