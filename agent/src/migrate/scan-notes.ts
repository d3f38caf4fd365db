import { amount } from '@data-in-motion/shared/domain/amount';
import { DuplicateCount, mostFilesRemembered } from './duplicate-count.ts';
import { FileSampler } from './file-sampler.ts';
import type { ManifestEntry } from './manifest-entry.ts';
import { printable } from './raw-path.ts';

/** Why an entry is not in the version, as its manifest says it; beside these there are `unreadable…` and what changed meanwhile. */
export const whyLeftOut = {
  mounted: 'another file system is mounted here',
  special: 'no file: a pipe, socket or device',
} as const;

/** What a person should know of a scan, bounded. */
export class ScanNotes {
  unreadable = 0;
  readonly duplicates = new DuplicateCount();
  readonly files = new FileSampler();
  #special = 0;
  #mounted = 0;
  #changed = 0;
  #outside = 0;
  readonly #examples: string[] = [];

  saw(entry: ManifestEntry): void {
    if (entry.kind === '!') {
      if (entry.why.startsWith('unreadable')) this.unreadable++;
      else if (entry.why === whyLeftOut.special) this.#special++;
      else if (entry.why === whyLeftOut.mounted) this.#mounted++;
      else this.#changed++;
      if (this.#examples.length < 10) this.#examples.push(`${printable(entry.path)}: ${entry.why}`);
    }
    if (entry.kind === 'f') {
      this.duplicates.saw(entry.sha256, entry.sizeBytes);
      this.files.saw(entry.sha256, entry.sizeBytes);
    }
    if (entry.kind === 'l' && (entry.to.startsWith('/') || entry.to.startsWith('..'))) this.#outside++;
  }

  texts(): string[] {
    const counted: [number, string, string][] = [
      [this.unreadable, 'entry could not be read and was left out', 'entries could not be read and were left out'],
      [this.#special, 'pipe, socket or device was left out', 'pipes, sockets or devices were left out'],
      [this.#mounted, 'directory was left out: another file system is mounted there', 'directories were left out: other file systems are mounted there'],
      [this.#changed, 'entry changed its kind during the scan and was left out', 'entries changed their kind during the scan and were left out'],
      [
        this.#outside,
        'symbolic link is absolute or leads upwards; it is kept as it is',
        'symbolic links are absolute or lead upwards; they are kept as they are',
      ],
    ];
    const least = this.duplicates.isExact
      ? []
      : [`files with the same bytes were looked for among the first ${amount(mostFilesRemembered)} different ones only: there may be more`];
    return [...counted.filter(([n]) => n > 0).map(([n, one, many]) => `${n} ${n === 1 ? one : many}`), ...least, ...this.#examples];
  }
}
