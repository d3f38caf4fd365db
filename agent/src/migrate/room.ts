import { Failure } from '@data-in-motion/shared/failure';

/** Names and directories take a little beside the bytes. */
const withNames = 1.02;

/** Room that was promised to one copy, and is not written yet. */
export interface Room {
  /** These bytes are being written: the file system itself counts them, now or in a moment. */
  wrote(bytes: number): void;
  /** The copy ended, well or badly. */
  giveBack(): void;
}

/** Where the bytes of a target come from: targets of one file system share them. */
export interface FreeSpace {
  /** The file system's device number. */
  readonly device: bigint;
  readonly freeBytes: number;
}

/** What the copies under way will still write on each file system: two of them must not count on the same free bytes. */
export class Rooms {
  readonly #promised = new Map<bigint, Set<{ bytes: number }>>();

  /** @throws Failure `exhausted` (`target.full`) before a byte is written, rather than in the middle */
  promise(target: { readonly targetId: string; readonly reserveBytes: number }, missingBytes: number, { device, freeBytes }: FreeSpace): Room {
    const { targetId, reserveBytes } = target;
    const here = this.#promised.get(device) ?? new Set();
    const promisedBytes = [...here].reduce((sum, one) => sum + one.bytes, 0);
    if (freeBytes - (promisedBytes + missingBytes) * withNames < reserveBytes) {
      throw new Failure('exhausted', {
        code: 'target.full',
        message: `${missingBytes} bytes do not fit on ${targetId}: ${freeBytes} are free, ${promisedBytes} of them promised to other copies, ${reserveBytes} reserved`,
        ids: { targetId },
      });
    }
    const mine = { bytes: missingBytes };
    here.add(mine);
    this.#promised.set(device, here);
    return {
      wrote: (bytes) => {
        mine.bytes = Math.max(0, mine.bytes - bytes);
      },
      giveBack: () => {
        here.delete(mine);
      },
    };
  }
}
