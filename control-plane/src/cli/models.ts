import { readFileSync } from 'node:fs';
import { type ModelDetail, type ModelView, modelDetail, modelView, trainingAsked } from '@data-in-motion/shared/api/models';
import { modelStates } from '@data-in-motion/shared/domain/model-lifecycle';
import { Failure } from '@data-in-motion/shared/failure';
import type { Command } from 'commander';
import { age, whole } from './figures.ts';
import { addModelDrift } from './models-drift.ts';
import { addModelOutcomes } from './models-outcomes.ts';
import { noun, verb } from './session.ts';
import { facts, table } from './table.ts';
import { oneOf } from './units.ts';

interface Because {
  readonly because?: string;
}

/** @returns the word, so that verbs which work without a server can be added to it */
export function addModels(program: Command): Command {
  const models = noun(program, 'models', 'what was learned of drives that died: the models by which agents foretell it');
  verb(models, {
    usage: 'list',
    isDefault: true,
    says: 'the failure models, newest first, with their state and figures',
    examples: ['models list', 'models list --json'],
    async run(session) {
      const list = await session.api.list('models', modelView);
      session.answer(list, () => modelTable(list.items, list.asOfMs));
    },
  });
  verb<{ artifact?: true }>(models, {
    usage: 'show <version>',
    says: 'one failure model: where it comes from, what was measured, who promoted it',
    examples: ['models show 0123456789ab', 'models show 0123456789ab --artifact --json'],
    options: (command) => command.option('--artifact', 'with --json: also what the agents run'),
    async run(session, [version = ''], { artifact }) {
      const query = { artifact: artifact === undefined ? 'false' : 'true' };
      const detail = await session.api.call('model', modelDetail, { path: { version }, query });
      session.answer(detail, () => modelText(detail));
    },
  });
  verb<{ metrics?: string }>(models, {
    usage: 'add <file>',
    says: 'bring a trained model in as a candidate, or new figures of one that is known',
    examples: ['models add model.json', 'models add model.json --metrics report.json'],
    options: (command) => command.option('--metrics <file>', 'what was measured of it, as JSON'),
    async run(session, [file = ''], { metrics }) {
      const body = { artifact: readJsonFile(file), ...(metrics === undefined ? {} : { metrics: readJsonFile(metrics) }) };
      const added = await session.api.call('addModel', modelView, { body });
      session.answer(added, () => `Model ${added.version} is ${added.state}. To have the agents run it: dim models promote ${added.version}`);
    },
  });
  verb<{ to: 'shadow' | 'active' }>(models, {
    usage: 'promote <version>',
    says: 'have every agent run a model; refused when it foresees less than the active one on the same data',
    examples: ['models promote 0123456789ab', 'models promote 0123456789ab --to shadow'],
    options: (command) =>
      command.option('--to <state>', 'active: agents judge by it; shadow: it scores beside the active one', oneOf(['shadow', 'active']), 'active'),
    async run(session, [version = ''], { to }) {
      const now = await session.api.call('promoteModel', modelView, { path: { version }, body: { to } });
      session.answer(now, () => `Model ${now.version} is ${now.state}.`);
    },
  });
  verb(models, {
    usage: 'retrain',
    says: 'have the control plane train another model on the recorded drives in its DIM_MODEL_DATA',
    examples: ['models retrain'],
    async run(session) {
      const asked = await session.api.call('trainModel', trainingAsked);
      session.answer(asked, () => 'Asked for another model; dim events tells how far it is, dim models what came of it.');
    },
  });
  verb<Because>(models, {
    usage: 'retire <version>',
    says: 'a model is not wanted any more; without an active one, rules judge the drives',
    examples: ['models retire 0123456789ab --because "too many alarms"'],
    options: withReason,
    async run(session, [version = ''], because) {
      const now = await session.api.call('retireModel', modelView, { path: { version }, body: reasonOf(because) });
      session.answer(now, () => `Model ${now.version} is ${now.state}.`);
    },
  });
  verb<Because>(models, {
    usage: 'rollback',
    says: 'back to the model that was active before',
    examples: ['models rollback', 'models rollback --because "false alarms since Monday"'],
    options: withReason,
    async run(session, _args, because) {
      const now = await session.api.call('rollBackModels', modelView, { body: reasonOf(because) });
      session.answer(now, () => `Model ${now.version} is active again.`);
    },
  });
  addModelOutcomes(models);
  addModelDrift(models);
  return models;
}

function modelTable(items: readonly ModelView[], asOfMs: number): string {
  return table(
    [...items].sort((a, b) => stateRank(a) - stateRank(b)),
    [
      { title: 'version', of: (row) => row.version },
      { title: 'state', of: (row) => row.state },
      { title: 'AUC', align: 'right', of: (row) => figure(row.metrics?.auc) },
      { title: 'foreseen at 1 % false', align: 'right', of: (row) => percent(row.metrics?.truePositiveRate['0.01']) },
      { title: 'trained on', of: (row) => `${row.trained.from} to ${row.trained.to}` },
      { title: 'nodes', align: 'right', of: (row) => whole(row.nodes) },
      { title: 'added', of: (row) => `${age(row.addedAtMs, asOfMs)} by ${row.addedBy}` },
    ],
    'No failure models: rules judge the drives.',
  );
}

/** What acts stands first. */
function stateRank({ state }: ModelView): number {
  return (['active', 'shadow', ...modelStates] as const).indexOf(state);
}

function modelText(model: ModelDetail): string {
  const { trained, metrics } = model;
  const nowMs = Date.now();
  return facts([
    ['model', `${model.name} ${model.version}, ${model.state}, runs on ${whole(model.nodes)} nodes`],
    [
      'trained on',
      `${trained.from} to ${trained.to}: ${whole(trained.drives)} drives, ${whole(trained.failures)} failures (data ${model.dataHash.slice(0, 12)})`,
    ],
    ['seed, parameters', `${trained.seed}; ${JSON.stringify(trained.parameters)}`],
    [
      'measured on',
      metrics === null ? 'nothing yet' : `${metrics.from} to ${metrics.to}: ${whole(metrics.decisions)} decisions, ${whole(metrics.failures)} failures`,
    ],
    ['AUC, precision', metrics === null ? '–' : `${figure(metrics.auc)}, ${figure(metrics.averagePrecision)} on average`],
    ['foreseen', metrics === null ? '–' : foreseen(metrics.truePositiveRate)],
    [
      'levels',
      `watch from ${percent(model.levels.watch)}, at risk from ${percent(model.levels['at-risk'])}, failing from ${percent(model.levels.failing)} within 30 days`,
    ],
    ['added', `${age(model.addedAtMs, nowMs)} by ${model.addedBy}`],
    ['promoted', model.promotedAtMs === null ? 'never' : `${age(model.promotedAtMs, nowMs)} by ${model.promotedBy}`],
    ['retired', model.retiredAtMs === null ? 'no' : `${age(model.retiredAtMs, nowMs)}: ${model.retiredBecause}`],
    ['hash', model.artifactHash],
  ]);
}

function foreseen(rates: NonNullable<ModelView['metrics']>['truePositiveRate']): string {
  return `${percent(rates['0.001'])} / ${percent(rates['0.005'])} / ${percent(rates['0.01'])} of failures at 0.1 / 0.5 / 1 % false alarms`;
}

function figure(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(3);
}

function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${(value * 100).toFixed(1)} %`;
}

function withReason(command: Command): Command {
  return command.option('--because <text>', 'the reason, for the audit');
}

function reasonOf({ because }: Because): Because {
  return because === undefined ? {} : { because };
}

function readJsonFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Failure('refused', {
      code: 'usage',
      message: `${file} can not be read as JSON`,
      hint: 'Name the file that dim models train or evaluate wrote.',
      cause,
    });
  }
}
