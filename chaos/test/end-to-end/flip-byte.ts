import { closeSync, openSync, readdirSync, readSync, statSync, utimesSync, writeSync } from 'node:fs';
import path from 'node:path';
import { pick, randomInt, seededRandom } from '@data-in-motion/shared/random';

/** Turn one bit of one file below a directory, as a bad disk would: size and times stay as they were. Answers which file. */
export function flipByte(directory: string, seed: number): string {
  const random = seededRandom(seed);
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size > 0)
    .sort();
  const file = pick(random, files);
  const { size, atime, mtime } = statSync(file);
  const at = randomInt(random, 0, size);
  const byte = Buffer.alloc(1);
  const descriptor = openSync(file, 'r+');
  readSync(descriptor, byte, 0, 1, at);
  byte[0]! ^= 1 << randomInt(random, 0, 8);
  writeSync(descriptor, byte, 0, 1, at);
  closeSync(descriptor);
  utimesSync(file, atime, mtime);
  return file;
}
