/** The console runs in the browser alone; the control plane serves one page for every address. */
export const ssr = false;
export const prerender = false;
