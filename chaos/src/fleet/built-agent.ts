import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { compiledModules, root } from './fleet-processes.ts';

/**
 * The program of an agent: the built one, made anew where its sources changed since, which takes a second.
 *
 * @param environment of the builder, beside where compiled modules are kept
 * @param say told why, where it can not be built; the sources are the program then, which take more memory
 */
export async function builtAgent(environment: Readonly<Record<string, string>>, say: (text: string) => void): Promise<string> {
  const args = ['--disable-warning=ExperimentalWarning', path.join(root, 'agent/build-agent.ts')];
  try {
    await promisify(execFile)(process.execPath, args, { cwd: root, env: { ...compiledModules, ...environment } });
    return path.join(root, 'agent/build/main.js');
  } catch (thrown) {
    say(`the agent could not be built and runs from its sources: ${(thrown as Error).message}`);
    return path.join(root, 'agent/src/main.ts');
  }
}
