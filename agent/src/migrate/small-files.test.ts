import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { RawPath } from './raw-path.ts';
import type { DigestTask, SmallAnswer } from './small-file.ts';
import { SmallFileThreads } from './small-files.ts';

test('who works on one disk does not wait for a slow other one', async () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'dim-small-'));
  const threads = new SmallFileThreads();
  const directoryFd = fs.openSync(home, 'r');
  onTestFinished(async () => {
    await threads.close();
    fs.closeSync(directoryFd);
    fs.rmSync(home, { recursive: true });
  });
  const name = 'file' as RawPath;
  fs.writeFileSync(path.join(home, name), 'bytes');
  const digest = (place: string): Promise<SmallAnswer<DigestTask>> => threads.at(place).ask({ task: 'digest', directoryFd, name });
  // Each place has its thread once it was asked often enough.
  for (const place of ['well', 'slow']) {
    for (let i = 0; i < 200; i++) void digest(place);
    await vi.waitFor(async () => expect(await digest(place)).not.toBeNull(), 20_000);
  }
  const length = 64 * 1_024 * 1_024;
  fs.truncateSync(path.join(home, name), length);
  const memory = new SharedArrayBuffer(length);
  const reads = Array.from({ length: 32 }, () => threads.at('slow').ask({ task: 'read', directoryFd, name, into: { memory, offset: 0, length } }));
  const first = await Promise.race([digest('well').then(() => 'well'), ...reads.map((read) => read.then(() => 'slow'))]);
  expect(first).toBe('well');
  await Promise.all(reads);
});
