import { heatWindows, type WindowCounts } from '@data-in-motion/shared/domain/heat';

/** Of most datasets nobody used anything lately: they share these. */
export const noAccesses: readonly WindowCounts[] = heatWindows.map(({ name }) => ({ window: name, reads: 0, writes: 0, readBytes: 0, writtenBytes: 0 }));

/** Whether every window is there and empty. */
export function areNone(windows: readonly WindowCounts[]): boolean {
  return windows.length === noAccesses.length && windows.every(({ reads, writes, readBytes, writtenBytes }) => reads + writes + readBytes + writtenBytes === 0);
}
