import { goto } from '$app/navigation';
import { page } from '$app/state';

/** Put filters into the address, so that a page can be sent to somebody; what is empty leaves it. */
export function setInAddress(values: Readonly<Record<string, string | null>>): void {
  const next = new URL(page.url.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === '') next.searchParams.delete(name);
    else next.searchParams.set(name, value);
  }
  void goto(`${next.pathname}${next.search}`, { replace: true, reset: false });
}

/** A filter from the address; empty when it is not there. */
export function inAddress(name: string): string {
  return page.url.searchParams.get(name) ?? '';
}
