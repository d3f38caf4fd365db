import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { runTool } from './run-tool.ts';
import { ToolShells } from './tool-shells.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'tools-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const never = new AbortController().signal;
const shells = new ToolShells();

function program(name: string, script: string): string {
  const file = path.join(scratch, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a program run by a shell that stays', () => {
  test('gets its words and gives its output and status as one that is started for itself', async () => {
    const words = program('words', `for word; do printf '%s|' "$word"; done; exit $#`);
    const word = fc.oneof(fc.string(), fc.constantFrom("'", '"', '$HOME', '`id`', '\\', '\n', ' a  b ', '*', '-n', '--', 'é☃', '\t'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          word.filter((text) => !text.includes('\0')),
          { maxLength: 5 },
        ),
        async (args) => {
          expect(await shells.run(words, args, never)).toEqual(await runTool(words, args, never));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('may print anything: nothing, no last line break, the marks of others, megabytes in pieces', async () => {
    const prints = [
      ':',
      'printf x',
      `printf '\\n\\n0 0\\n'`,
      'head -c 3000000 /dev/zero | tr "\\0" z; sleep 0.05; echo end',
      `printf '\\342'; sleep 0.05; printf '\\202\\254'`,
    ];
    for (const [i, script] of prints.entries()) {
      const command = program(`print-${i}`, script);
      expect(await shells.run(command, [], never)).toEqual(await runTool(command, [], never));
    }
  });

  test('reads nothing of what the next is asked for, and starts in a shell that waits already', async () => {
    const reads = program('reads', 'cat; echo $PPID');
    const parents = [await shells.run(reads, [], never), await shells.run(reads, [], never)];
    expect(parents[0]).toMatchObject({ outcome: 'ended', exitStatus: 0 });
    expect(parents[1]).toEqual(parents[0]);
  });

  test('that is missing or may not be run says so', async () => {
    expect(await shells.run(path.join(scratch, 'nowhere'), [], never)).toMatchObject({ outcome: 'missing' });
    writeFileSync(path.join(scratch, 'plain'), 'text');
    expect(await shells.run(path.join(scratch, 'plain'), [], never)).toMatchObject({ outcome: 'denied' });
  });

  test('that ends with a status by which a shell tells what it could not start is believed', async () => {
    expect(await shells.run(program('odd', 'echo still; exit 127'), [], never)).toEqual({ outcome: 'ended', output: 'still\n', exitStatus: 127 });
  });

  test('that hangs is killed with all that it started, holds up nobody, and the next has a shell again', async () => {
    const hangs = program('hangs', `sleep 600 & echo $! > ${scratch}/pid; wait`);
    const late = new AbortController();
    const hanging = shells.run(hangs, [], late.signal);
    const quick = program('quick', 'echo here');
    while (!(await readPid(`${scratch}/pid`))) expect(await shells.run(quick, [], never)).toMatchObject({ output: 'here\n' });
    late.abort();
    expect(await hanging).toEqual({ outcome: 'stopped', because: `${hangs} gave no answer in time` });
    expect(await shells.run(quick, [], never)).toMatchObject({ output: 'here\n' });
    const pid = Number(await readPid(`${scratch}/pid`));
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(await shells.run(quick, [], late.signal)).toMatchObject({ outcome: 'stopped' });
  });

  test('whose shell is killed by somebody is started without one', async () => {
    const once = program('once', `echo again; [ -e ${scratch}/second ] || { : > ${scratch}/second; kill -9 $PPID; sleep 1; }`);
    expect(await new ToolShells().run(once, [], never)).toEqual({ outcome: 'ended', output: 'again\n', exitStatus: 0 });
  });

  test('that is killed before it said anything is told as such, and a high status of its own is one', async () => {
    const killed = program('killed', 'kill -9 $$');
    expect(await shells.run(killed, [], never)).toEqual({ outcome: 'broken', because: `${killed} was killed` });
    expect(await shells.run(program('ailing', 'echo "{}"; exit 200'), [], never)).toMatchObject({ outcome: 'ended', exitStatus: 200 });
  });

  test('that prints without end is stopped', async () => {
    expect(await shells.run(program('endless', 'exec yes'), [], never)).toEqual({ outcome: 'broken', because: 'it printed too much' });
  });

  test('leaves no shell behind once nothing is asked', async () => {
    const answer = await new ToolShells().run(program('parent', 'echo $PPID'), [], never);
    const shell = Number(answer.outcome === 'ended' && answer.output);
    expect(isAlive(shell)).toBe(true);
    await expect.poll(() => isAlive(shell), { timeout: 10_000 }).toBe(false);
  });
});

async function readPid(file: string): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
