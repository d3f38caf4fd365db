/** After so long others have their turn: agents and people are listened to. */
const sliceMs = 2;
/** And after so long while somebody waits: a large answer goes out piece by piece, each in a turn of its own. */
const waitedForMs = 0.5;
/** The clock is looked at about this often while items are small: a look costs as much as one of them. */
const betweenLooksMs = 0.1;
const mostItemsPerLook = 32;

/** Those who wait to go on. One of them does in each turn of the event loop, or together they would hold it for as many slices as they are. */
const waiting: (() => void)[] = [];
/** When slices began in this turn of the event loop, whoever's; null while there were none. */
let beganAtMs: number | null = null;

let waitedFor = 0;

/** Somebody waits for an answer, until the returned function is called: slices are shorter meanwhile. */
export function someoneWaits(): () => void {
  waitedFor++;
  let waits = true;
  return () => {
    if (waits) waitedFor--;
    waits = false;
  };
}

function sliceBeganAtMs(): number {
  if (beganAtMs === null) {
    beganAtMs = performance.now();
    setImmediate(() => {
      beganAtMs = null;
    });
  }
  return beganAtMs;
}

/** Resolves in a later turn of the event loop, when those who waited before have had theirs. */
function nextSlice(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(goOn);
  });
}

function goOn(): void {
  beganAtMs = null;
  waiting.shift()!();
  if (waiting.length > 0) setImmediate(goOn);
}

/** `forEach` over a list that may be a large fleet's, which would hold up everything else for a second. */
export async function eachInSlices<Item>(items: readonly Item[], take: (item: Item, at: number) => void): Promise<void> {
  let lookedAtMs = performance.now();
  let perLook = 1;
  let lookAt = 0;
  for (let at = 0; at < items.length; at++) {
    if (at === lookAt) {
      let nowMs = performance.now();
      const tookMs = nowMs - lookedAtMs;
      if (tookMs < betweenLooksMs) perLook = Math.min(2 * perLook, mostItemsPerLook);
      else perLook = Math.max(1, Math.floor((perLook * betweenLooksMs) / tookMs));
      if (nowMs - sliceBeganAtMs() >= (waitedFor > 0 ? waitedForMs : sliceMs)) {
        await nextSlice();
        nowMs = sliceBeganAtMs();
      }
      lookedAtMs = nowMs;
      lookAt = at + perLook;
    }
    take(items[at]!, at);
  }
}

/** `flatMap`, the same way. */
export async function inSlices<Item, Made>(items: readonly Item[], make: (item: Item, at: number) => readonly Made[]): Promise<Made[]> {
  const all: Made[] = [];
  await eachInSlices(items, (item, at) => {
    for (const made of make(item, at)) all.push(made);
  });
  return all;
}
