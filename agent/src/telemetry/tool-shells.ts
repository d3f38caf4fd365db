import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { mostOutputBytes, runTool, type ToolResult, toolEnvironment } from './run-tool.ts';

/** What the shell says of a program that it could not start; the same may be a program's own status. */
const notStarted = [126, 127];
/** A pass over the drives asks the next within this time; between two passes no shell stays. */
const idleMs = 1_000;

/** No mark is longer, with the status and the line breaks around it. */
const markBytes = 64;

/** Runs each line that it reads, then says under which mark the answer ends and with what status. */
const script = `while IFS= read -r line; do eval "$line"; printf '\\n%s %d\\n' "$1" "$?"; done`;

/**
 * Programs of the host, started by small shells that stay for the next question. To start a process the kernel copies what the starting one maps:
 * 1.5 ms of processor time for an agent of 80 MB and 5 ms for one of 250 MB, in which it does nothing else, and a tenth of a millisecond for a shell.
 * Each shell runs one program at a time, so a program that hangs holds up nobody else. What a shell can not do is done by `runTool`, step by step.
 */
export class ToolShells {
  readonly #idle: ToolShell[] = [];
  #ending: NodeJS.Timeout | undefined;

  /**
   * As `runTool`, but for a program that a signal ended: a shell tells 128 and more, which may be a program's own status. It counts as killed where it
   * printed nothing, and as ended with what it printed otherwise.
   */
  async run(command: string, args: readonly string[], signal: AbortSignal): Promise<ToolResult> {
    const line = [command, ...args].map(quoted).join(' ');
    if (signal.aborted || line.includes('\n')) return runTool(command, args, signal);
    const shell = this.#idle.pop() ?? new ToolShell();
    const result = await shell.run(`${line} </dev/null 2>/dev/null`, command, signal);
    if (shell.isUsable) this.#keep(shell);
    if (result?.outcome === 'ended' && result.exitStatus > 128 && result.output === '') return { outcome: 'broken', because: `${command} was killed` };
    const isUnsure = result === null || (result.outcome === 'ended' && notStarted.includes(result.exitStatus));
    return isUnsure ? runTool(command, args, signal) : result;
  }

  #keep(shell: ToolShell): void {
    this.#idle.push(shell);
    clearTimeout(this.#ending);
    this.#ending = setTimeout(() => {
      for (const idle of this.#idle.splice(0)) idle.end();
    }, idleMs);
  }
}

/** A shell in a group of its own, with the program that it runs. It ends when its input does: also when the agent is killed. */
class ToolShell {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #mark = randomUUID();
  readonly #end = new RegExp(`\\n${this.#mark} (\\d+)\\n$`);
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** The last bytes that came. */
  #tail = '';
  #settle: ((result: ToolResult | null) => void) | null = null;
  #isUsable = true;

  constructor() {
    this.#child = spawn('/bin/sh', ['-c', script, 'sh', this.#mark], { stdio: ['pipe', 'pipe', 'ignore'], env: toolEnvironment, detached: true });
    this.#child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    // It could not be started, or ended, or its input is gone: whoever waits asks another way.
    const gone = (): void => {
      this.#isUsable = false;
      this.#settle?.(null);
    };
    this.#child.on('error', gone).on('close', gone);
    this.#child.stdin.on('error', gone);
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** @param line what the shell runs, without a line break  @returns null when the shell itself failed */
  async run(line: string, command: string, signal: AbortSignal): Promise<ToolResult | null> {
    const stop = (): void => this.#kill({ outcome: 'stopped', because: `${command} gave no answer in time` });
    signal.addEventListener('abort', stop);
    [this.#chunks, this.#bytes, this.#tail] = [[], 0, ''];
    const result = await new Promise<ToolResult | null>((resolve) => {
      this.#settle = resolve;
      if (this.#isUsable) this.#child.stdin.write(`${line}\n`);
      else resolve(null);
    });
    this.#settle = null;
    signal.removeEventListener('abort', stop);
    return result;
  }

  end(): void {
    this.#child.stdin.end();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > mostOutputBytes) this.#kill({ outcome: 'broken', because: 'it printed too much' });
    // The mark comes last, and may come in pieces.
    this.#tail = (this.#tail + chunk.subarray(-markBytes).toString('latin1')).slice(-markBytes);
    const end = this.#end.exec(this.#tail);
    if (end === null || !this.#isUsable) return;
    const output = Buffer.concat(this.#chunks, this.#bytes - end[0].length).toString('utf8');
    this.#settle?.({ outcome: 'ended', output, exitStatus: Number(end[1]) });
  }

  /** A program that waits for a dead disk ends only when the disk answers; nobody waits for it. */
  #kill(result: ToolResult): void {
    this.#isUsable = false;
    this.#settle?.(result);
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
    this.#child.unref();
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
