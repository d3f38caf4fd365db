import path from 'node:path';
import { type DatasetDetail, datasetDetail, datasetLocation, datasetView } from '@data-in-motion/shared/api/datasets';
import { policyVerdict } from '@data-in-motion/shared/api/explanation';
import { systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import type { Command } from 'commander';
import { z } from 'zod';
import { detailText, notesOf, ownFields } from './dataset-text.ts';
import { addDuplicates } from './duplicates.ts';
import { warningText } from './explanation-text.ts';
import { age, bytes, counted, duration, moment, money, whole } from './figures.ts';
import { followDataset, followJobs } from './follow.ts';
import { addPolicyOptions, forceOf, type PolicyOptions, policyPatchOf, policyText } from './policy-options.ts';
import { noun, type Session, verb } from './session.ts';
import { facts, table } from './table.ts';
import { collect, parseCount, parseSize } from './units.ts';

interface SourceOptions {
  node?: string;
  path?: string;
  sample?: number;
  seed?: number;
  wait: boolean;
}

/** The server tells more than a command needs: what it answers to a change is passed on as it is. */
const changed = z.looseObject({ warning: policyVerdict.optional() });
const started = z.looseObject({ jobId: z.string(), warning: policyVerdict.optional() });

export function addDatasets(program: Command): void {
  const datasets = noun(program, 'datasets', 'named trees of files, each with an owner and a policy');
  addList(datasets);
  addAdd(datasets);
  addImport(datasets);
  addShow(datasets);
  addPolicy(datasets);
  addLocate(datasets);
  addVerify(datasets);
  addDuplicates(datasets);
}

function addList(datasets: Command): void {
  verb(datasets, {
    usage: 'list',
    isDefault: true,
    says: 'all datasets with copies, heat and cost',
    examples: ['datasets', 'datasets --json'],
    async run(session) {
      const list = await session.api.list('datasets', datasetView);
      session.answer(list, () =>
        table(
          list.items,
          [
            { title: 'dataset', of: (row) => row.name },
            { title: 'owner', of: (row) => row.owner },
            { title: 'size', align: 'right', of: (row) => bytes(row.sizeBytes) },
            { title: 'objects', align: 'right', of: (row) => whole(row.objects) },
            { title: 'copies', align: 'right', of: (row) => `${row.copiesVerified} of ${row.copiesWanted}` },
            { title: 'policy', of: (row) => row.policyState },
            { title: 'heat', of: (row) => row.heat?.class ?? '–' },
            { title: 'last access', of: (row) => age(row.heat?.lastAccessAtMs, list.asOfMs) },
            { title: 'primary', of: (row) => row.primary?.targetId ?? '–' },
            { title: '$/month', align: 'right', of: (row) => money(row.costPerMonth) },
          ],
          'No datasets yet. Try: dim datasets add NAME --owner ME --node NODE --path DIRECTORY',
        ),
      );
    },
  });
}

function sourceOptions(command: Command): Command {
  return command
    .option('--node <node>', 'the node whose directory it is')
    .option('--path <directory>', 'the directory on that node')
    .option('--sample <size>', 'instead of a directory, a made-up tree of this size, such as 200MB', parseSize)
    .option('--seed <n>', 'of the made-up tree', parseCount)
    .option('--no-wait', 'do not follow it until its copies are there');
}

function sourceOf(options: SourceOptions): unknown {
  const onNode = options.node === undefined ? {} : { nodeId: options.node };
  if (options.sample !== undefined && options.path === undefined)
    return { ...onNode, sampleBytes: options.sample, ...(options.seed === undefined ? {} : { seed: options.seed }) };
  if (options.path !== undefined && options.node !== undefined && options.sample === undefined)
    return { nodeId: options.node, path: path.resolve(options.path) };
  throw new Failure('refused', {
    code: 'usage',
    message: 'Where do the files come from?',
    hint: 'Give --node and --path, or --sample with a size (and not both).',
  });
}

function addAdd(datasets: Command): void {
  verb<SourceOptions & PolicyOptions & { owner: string }>(datasets, {
    usage: 'add <name>',
    says: 'import a directory of a node into the cheapest target its policy allows, and make its copies',
    examples: [
      'datasets add photos --owner anna --node berlin --path /srv/photos --copies 2 --region eu-central --region us-east',
      'datasets add scans --owner lab --node frankfurt --path /data/scans --latency-slo 50ms --max-cost 0.02 --encrypted',
      'datasets add trial --owner me --sample 200MB',
    ],
    options: (command) => addPolicyOptions(sourceOptions(command.requiredOption('--owner <owner>', 'whose it is; costs are counted by owner'))),
    async run(session, [name = ''], options) {
      const added = await session.api.call('addDataset', started, {
        body: { name, owner: options.owner, source: sourceOf(options), policy: policyPatchOf(options) },
        ...forceOf(options),
      });
      if (added.warning !== undefined) session.say(warningText(added.warning));
      if (!options.wait) {
        session.answer(added, () => `Registered ${name}; its import goes on by itself. Follow it: dim datasets show ${name}`);
        return;
      }
      await answerFollowed(session, name);
    },
  });
}

function addImport(datasets: Command): void {
  verb<SourceOptions>(datasets, {
    usage: 'import <name>',
    says: 'import a new version of a dataset',
    examples: ['datasets import photos --node berlin --path /srv/photos'],
    options: sourceOptions,
    async run(session, [name = ''], options) {
      const before = await session.api.call('dataset', datasetDetail, { path: { datasetId: name } });
      const added = await session.api.call('addVersion', started, { path: { datasetId: name }, body: { source: sourceOf(options) } });
      if (!options.wait) {
        session.answer(added, () => `The import of a new version of ${name} goes on by itself.`);
        return;
      }
      const startedAtMs = systemClock.monotonicMs();
      await followJobs(session, [added.jobId]);
      const after = await answerFollowed(session, name, startedAtMs);
      if (after.dataset.root === before.dataset.root) session.say('  Its files are, byte for byte, those of the version before.');
    },
  });
}

async function answerFollowed(session: Session, name: string, startedAtMs = systemClock.monotonicMs()): Promise<DatasetDetail> {
  const detail = await followDataset(session, name);
  session.answer(detail, () => {
    const places = detail.replicas
      .filter((replica) => replica.state === 'verified' && replica.current)
      .map((replica) => `${replica.targetId}${replica.primary ? ' (primary)' : ''}`);
    const standing = `${name}: ${bytes(detail.dataset.sizeBytes)} in ${counted(detail.dataset.objects, 'object')}, ${counted(detail.dataset.copiesVerified, 'verified copy', 'verified copies')} on ${places.join(' and ')}, ${money(detail.dataset.costPerMonth)} per month; took ${duration(systemClock.monotonicMs() - startedAtMs)}.`;
    return [standing, ...notesOf(detail).map((note) => `  ${note}`)].join('\n');
  });
  return detail;
}

function addShow(datasets: Command): void {
  verb(datasets, {
    usage: 'show <name>',
    says: 'one dataset: its copies, why each is where it is, its policy and history',
    examples: ['datasets show photos', 'datasets show photos --json'],
    async run(session, [datasetId = '']) {
      const detail = await session.api.call('dataset', datasetDetail, { path: { datasetId } });
      session.answer(detail, () => detailText(detail, Date.now()));
    },
  });
}

function addPolicy(datasets: Command): void {
  const policy = noun(datasets, 'policy', 'what a dataset must have');
  verb(policy, {
    usage: 'show <name>',
    isDefault: true,
    says: 'the policy in force for a dataset',
    examples: ['datasets policy show photos'],
    async run(session, [datasetId = '']) {
      const detail = await session.api.call('dataset', datasetDetail, { path: { datasetId } });
      session.answer({ policy: detail.policy, ownPolicy: detail.ownPolicy }, () => policyText(detail.policy, ownFields(detail.ownPolicy)));
    },
  });
  verb<PolicyOptions & { clear?: string[] }>(policy, {
    usage: 'set <name>',
    says: 'change fields of a dataset’s own policy',
    examples: [
      'datasets policy set photos --copies 3',
      'datasets policy set photos --latency-slo 20ms --mode advisory',
      'datasets policy set photos --clear copies',
    ],
    options: (command) =>
      addPolicyOptions(command).option('--clear <field>', 'give a field back to the global policy (copies, latencySloMs …); again for more', collect),
    async run(session, [datasetId = ''], options) {
      const set = policyPatchOf(options);
      if (Object.keys(set).length === 0 && options.clear === undefined)
        throw new Failure('refused', { code: 'usage', message: 'Nothing to change was given.', hint: 'See: dim datasets policy set --help' });
      const before = await session.api.call('dataset', datasetDetail, { path: { datasetId } });
      const { warning } = await session.api.call('patchDatasetPolicy', changed, {
        path: { datasetId },
        body: { set, clear: options.clear ?? [] },
        ifMatch: `"${before.dataset.rev}"`,
        ...forceOf(options),
      });
      const after = await session.api.call('dataset', datasetDetail, { path: { datasetId } });
      const answer = { policy: after.policy, ownPolicy: after.ownPolicy, ...(warning === undefined ? {} : { warning }) };
      session.answer(answer, () => policyText(after.policy, ownFields(after.ownPolicy)));
      if (warning !== undefined) session.say(warningText(warning));
    },
  });
}

function addLocate(datasets: Command): void {
  verb<{ path: boolean }>(datasets, {
    usage: 'locate <name>',
    says: 'where the verified primary copy is',
    examples: ['datasets locate photos', 'ls "$(dim datasets locate photos --path)"'],
    options: (command) => command.option('--path', 'only its path in the file system of its node, for other programs', false),
    async run(session, [datasetId = ''], options) {
      const location = await session.api.call('locateDataset', datasetLocation, { path: { datasetId } });
      if (options.path) {
        session.answer(location.path, () => location.path);
        return;
      }
      session.answer(location, () =>
        [
          `${location.nodeId}:${location.path}`,
          facts([
            ['target', location.targetId],
            ['version', `${location.versionId}, root ${location.root}`],
            ['verified', moment(location.verifiedAtMs, Date.now())],
            ...location.copies.filter((copy) => copy.targetId !== location.targetId).map((copy) => ['copy', `${copy.nodeId}:${copy.path}`] as const),
          ]),
        ].join('\n\n'),
      );
    },
  });
}

function addVerify(datasets: Command): void {
  verb<{ wait: boolean }>(datasets, {
    usage: 'verify <name>',
    says: 'read every byte of every copy again and compare it with the manifest',
    examples: ['datasets verify photos'],
    options: (command) => command.option('--no-wait', 'do not follow it'),
    async run(session, [datasetId = ''], options) {
      const startedAtMs = Date.now();
      const asked = await session.api.call('verifyDataset', z.looseObject({ jobIds: z.array(z.string()) }), { path: { datasetId }, body: {} });
      const { jobIds } = asked;
      if (!options.wait) {
        session.answer(asked, () => `${counted(jobIds.length, 'copy', 'copies')} of ${datasetId} ${jobIds.length === 1 ? 'is' : 'are'} being read back.`);
        return;
      }
      await followJobs(session, jobIds);
      const detail = await session.api.call('dataset', datasetDetail, { path: { datasetId } });
      const bad = detail.replicas.filter((replica) => replica.state === 'corrupt' || replica.state === 'missing');
      session.answer(detail, () => {
        const verdict =
          bad.length === 0
            ? jobIds.length === 1
              ? 'The only copy is equal to its manifest'
              : `All ${jobIds.length} copies are equal to their manifest`
            : `${bad.map((replica) => `The copy on ${replica.targetId} is ${replica.state}`).join('; ')}; it is being replaced`;
        return `${verdict} (${duration(Date.now() - startedAtMs)}).`;
      });
      if (bad.length > 0) process.exitCode = 1;
    },
  });
}
