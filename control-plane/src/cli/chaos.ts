import { spawn } from 'node:child_process';
import path from 'node:path';
import { chaosView, type ExperimentView, experimentView } from '@data-in-motion/shared/api/operations';
import { type FaultKind, faultKinds } from '@data-in-motion/shared/domain/fault-hooks';
import { Failure } from '@data-in-motion/shared/failure';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { ownEnvironment } from './config.ts';
import { age, duration } from './figures.ts';
import { noun, verb } from './session.ts';
import { table } from './table.ts';
import { oneOf, parseCount, parseDuration } from './units.ts';

export function addChaos(program: Command): void {
  const chaos = noun(program, 'chaos', 'faults made on purpose, each bounded by time and undone by itself');
  verb(chaos, {
    usage: 'list',
    isDefault: true,
    says: 'what can be armed, what is armed, and whether the promises hold',
    examples: ['chaos', 'chaos list --json'],
    async run(session) {
      const view = await session.api.call('chaos', chaosView);
      session.answer(view, () =>
        [
          view.allowed ? '' : 'Faults are not allowed here: the control plane was started without DIM_CHAOS=1.',
          experimentTable([...view.armed, ...view.recent.slice(0, 10)], Date.now()),
          table(
            view.kinds,
            [
              { title: 'fault', of: (row) => row.kind },
              { title: 'on', of: (row) => row.on },
              {
                title: 'with',
                of: (row) =>
                  Object.entries(row.parameters)
                    .map(([name, usual]) => `${name}=${usual}`)
                    .join(' ') || '–',
              },
              { title: 'does', of: (row) => row.says },
            ],
            '',
          ),
          table(
            view.invariants,
            [
              { title: 'promise', of: (row) => row.name },
              { title: 'holds', of: (row) => (row.holds ? 'yes' : 'NO') },
              { title: 'detail', of: (row) => row.detail || row.says },
            ],
            '',
          ),
        ]
          .filter((part) => part !== '')
          .join('\n\n'),
      );
    },
  });
  verb<{ ttl: number; set?: Record<string, string | number>; seed: number }>(chaos, {
    usage: 'arm <fault> <subject>',
    says: `make a fault (${Object.keys(faultKinds).join(', ')}) on a target, replica, device or node`,
    examples: [
      'chaos arm target-latency berlin-disk --set addedMs=2000 --ttl 2m',
      'chaos arm kill-agent frankfurt',
      'chaos arm degrade-drive st4000dm000-w300dy1n --set pace=20',
    ],
    options: (command) =>
      command
        .addOption(new Option('--ttl <duration>', 'undone after this at the latest').argParser(parseDuration).default(60_000, '1 min'))
        .option('--set <name=value>', 'a parameter of the fault; again for more', collectParameter)
        .option('--seed <n>', 'what is left to chance follows from it', parseCount, 1),
    async run(session, [kind = '', subject = ''], options) {
      const named = oneOf(Object.keys(faultKinds) as FaultKind[])(kind);
      const experiment = await session.api.call('startExperiment', experimentView, {
        body: { kind: named, subject, parameters: options.set ?? {}, ttlMs: options.ttl, seed: options.seed },
      });
      session.answer(
        experiment,
        () =>
          `${experiment.experimentId}: ${experiment.kind} on ${experiment.subject}: ${experiment.detail || experiment.state}; over in ${duration(options.ttl)} at the latest.`,
      );
    },
  });
  verb(chaos, {
    usage: 'stop [experiment]',
    says: 'undo a fault, or all of them',
    examples: ['chaos stop', 'chaos stop 01JD0000000000000000000000'],
    async run(session, [experimentId]) {
      const answer =
        experimentId === undefined
          ? await session.api.call('stopChaos', z.looseObject({}), { body: {} })
          : await session.api.call('stopExperiment', z.looseObject({}), { path: { experimentId }, body: {} });
      session.answer(answer, () => (experimentId === undefined ? 'All faults are being undone.' : `${experimentId} is being undone.`));
    },
  });
  verb<{ seed: number; ownFleet?: true; report?: string }>(chaos, {
    usage: 'run <scenario>',
    says: 'play a scenario (a file, or the name of one of ours) and check that what it promises holds',
    examples: ['chaos run kill-agent-mid-copy --seed 7', 'chaos run ./my-scenario.yaml --own-fleet', 'chaos run flip-byte --report report.md'],
    options: (command) =>
      command
        .option('--seed <n>', 'what is left to chance follows from it', parseCount, 1)
        .option('--own-fleet', 'start a fleet of its own for it instead of using the one that runs')
        .option('--report <file>', 'where the report goes; a .json is written beside it'),
    async run(session, [scenario = ''], options) {
      const program = path.resolve(import.meta.dirname, '../../../chaos/src/main.ts');
      const where = options.ownFleet ? ['--own-fleet'] : ['--url', session.access.url];
      const args = [
        program,
        'run',
        scenario,
        '--seed',
        String(options.seed),
        ...where,
        ...(options.report === undefined ? [] : ['--report', options.report]),
        ...(session.json ? ['--json'] : []),
      ];
      const env = { ...ownEnvironment(), DIM_HOME: session.access.home, ...(session.access.key === undefined ? {} : { DIM_API_KEY: session.access.key }) };
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { stdio: 'inherit', env });
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.once('error', (cause) =>
          reject(new Failure('unavailable', { code: 'chaos.not-started', message: `The scenario could not be started: ${cause.message}`, cause })),
        );
        child.once('close', (code) => resolve(code ?? 1));
      });
    },
  });
}

function collectParameter(text: string, before: Record<string, string | number> = {}): Record<string, string | number> {
  const match = /^(\w+)=(.+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError(`"${text}" is not name=value.`);
  const [, name = '', value = ''] = match;
  return { ...before, [name]: /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value };
}

function experimentTable(experiments: readonly ExperimentView[], nowMs: number): string {
  return table(
    experiments,
    [
      { title: 'experiment', of: (row) => row.experimentId },
      { title: 'fault', of: (row) => row.kind },
      { title: 'on', of: (row) => row.subject },
      { title: 'state', of: (row) => row.state },
      { title: 'began', of: (row) => age(row.startedAtMs, nowMs) },
      { title: 'left', of: (row) => (row.endedAtMs === null && row.endsAtMs > nowMs ? duration(row.endsAtMs - nowMs) : '–') },
      { title: 'detail', of: (row) => row.detail },
    ],
    'No faults were made.',
  );
}
