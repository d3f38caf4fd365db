import { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import { Command } from 'commander';
import { type Access, findAccess } from './config.ts';

/** What a command works with: the server, and where its answer goes. */
export interface Session {
  readonly access: Access;
  readonly api: RouteCaller;
  /** The person asked for JSON: nothing else may appear on the standard output. */
  readonly json: boolean;
  /** The answer: as JSON, or as text for a person. */
  answer(value: unknown, text: () => string): void;
  /** What happens on the way, for a person; not a part of the answer. */
  say(text: string): void;
}

export interface Verb<Options> {
  /** `show <name>`; the commander notation. */
  readonly usage: string;
  readonly says: string;
  readonly examples: readonly string[];
  readonly isDefault?: boolean;
  readonly options?: (command: Command) => Command;
  readonly run: (session: Session, args: readonly string[], options: Options) => Promise<void>;
}

/** Add a command that talks to the control plane: every one has the same three options and examples in its help. */
export function verb<Options = Record<string, never>>(parent: Command, definition: Verb<Options>): void {
  const command = parent.command(definition.usage, { isDefault: definition.isDefault ?? false }).description(definition.says);
  definition.options?.(command);
  command
    .option('--json', 'answer with JSON alone')
    .option('--url <url>', 'address of the control plane (DIM_URL; otherwise that of the local fleet)')
    .option('--key <key>', 'API key (DIM_API_KEY; otherwise that of the local fleet)')
    .addHelpText('after', `\nExamples:\n${definition.examples.map((example) => `  $ dim ${example}`).join('\n')}`)
    .action(async () => {
      const options = command.opts<Options & { json?: true; url?: string; key?: string }>();
      await definition.run(
        openSession(options),
        command.processedArgs.flat().filter((arg): arg is string => typeof arg === 'string'),
        options,
      );
    });
}

/** A word that only groups others: `dim datasets …`. */
export function noun(parent: Command, name: string, says: string): Command {
  return parent.command(name).description(says);
}

function openSession(options: { json?: true | undefined; url?: string | undefined; key?: string | undefined }): Session {
  const access = findAccess(options);
  return {
    access,
    api: new RouteCaller(access.url, access.key ?? ''),
    json: options.json ?? false,
    answer: (value, text) => process.stdout.write(`${options.json ? JSON.stringify(value, null, 2) : text()}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
  };
}
