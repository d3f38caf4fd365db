export type ThemeChoice = 'system' | 'light' | 'dark';
const order: readonly ThemeChoice[] = ['system', 'light', 'dark'];
const storedAs = 'dim-theme';

/** Light or dark: the system's choice until the reader makes their own. */
class Theme {
  choice = $state<ThemeChoice>('system');

  restore(): void {
    const stored = localStorage.getItem(storedAs);
    this.#apply(order.find((choice) => choice === stored) ?? 'system');
  }

  next(): void {
    this.#apply(order[(order.indexOf(this.choice) + 1) % order.length]!);
    localStorage.setItem(storedAs, this.choice);
  }

  #apply(choice: ThemeChoice): void {
    this.choice = choice;
    if (choice === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
  }
}

export const theme = new Theme();
