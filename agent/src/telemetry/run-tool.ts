import { spawn } from 'node:child_process';

/** More than any smartctl prints; beyond it the tool is not what we think it is. */
export const mostOutputBytes = 8 * 1024 * 1024;

/** What a program of the host sees of the agent's environment. */
export const toolEnvironment = { PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };

export type ToolResult =
  | { readonly outcome: 'ended'; readonly output: string; readonly exitStatus: number }
  | { readonly outcome: 'missing' | 'denied' | 'stopped' | 'broken'; readonly because: string };

/**
 * Run a program of the host and collect what it prints. Answers at once when the signal aborts, even if the child hangs in the kernel
 * (a process that waits for a dead disk can not be killed until the disk answers); only this child is killed.
 */
export function runTool(command: string, args: readonly string[], signal: AbortSignal): Promise<ToolResult> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ outcome: 'stopped', because: 'it was stopped before it began' });
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], env: toolEnvironment });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (result: ToolResult): void => {
      signal.removeEventListener('abort', stop);
      resolve(result);
    };
    const stop = (): void => {
      child.kill('SIGKILL');
      child.unref();
      child.stdout.destroy();
      settle({ outcome: 'stopped', because: `${command} gave no answer in time` });
    };
    signal.addEventListener('abort', stop);
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= mostOutputBytes) chunks.push(chunk);
      else child.kill('SIGKILL');
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') settle({ outcome: 'missing', because: `${command} is not installed` });
      else if (error.code === 'EACCES' || error.code === 'EPERM') settle({ outcome: 'denied', because: `${command} may not be run: ${error.message}` });
      else settle({ outcome: 'broken', because: error.message });
    });
    child.on('close', (code) => {
      if (code === null) settle({ outcome: 'broken', because: `${command} was killed or printed too much` });
      else settle({ outcome: 'ended', output: Buffer.concat(chunks).toString('utf8'), exitStatus: code });
    });
  });
}
