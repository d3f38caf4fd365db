import fs from 'node:fs';
import { promisify } from 'node:util';
import { Failure } from '@data-in-motion/shared/failure';

const fsRead = promisify(fs.read);
const fsWrite = promisify(fs.write);

/** Fill `into` from the file at `position`. @returns bytes read: fewer only at the end of the file */
export async function readFully(fd: number, into: Buffer, position: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await fsRead(fd, into, done, into.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

export async function writeFully(fd: number, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await fsWrite(fd, bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw new Failure('exhausted', { code: 'disk.full', message: 'the file system took no more bytes' });
    done += bytesWritten;
  }
}
