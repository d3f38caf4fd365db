import { type DuplicatesView, duplicatesView } from '@data-in-motion/shared/api/duplicates';
import type { Command } from 'commander';
import { bytes, counted, money, whole } from './figures.ts';
import { verb } from './session.ts';
import { table } from './table.ts';

/** `dim datasets duplicates` */
export function addDuplicates(datasets: Command): void {
  verb(datasets, {
    usage: 'duplicates',
    says: 'datasets that are the same tree byte for byte, files that repeat others inside of one, and files that several have, with what they cost',
    examples: ['datasets duplicates', 'datasets duplicates --json'],
    async run(session) {
      const view = await session.api.call('duplicates', duplicatesView, { query: { limit: '1000' } });
      session.answer(view, () => [groupText(view), insideText(view), acrossText(view)].join('\n\n'));
    },
  });
}

function groupText(view: DuplicatesView): string {
  if (view.groups === 0) return 'No two datasets are the same tree (paths, bytes, modes and times).';
  const head = `${counted(view.groups, 'tree')} more than once: ${bytes(view.extraBytes)} too many, ${money(view.extraPerMonth)} per month of storage.`;
  const rest = view.next === null ? [] : [`Shown are the ${view.items.length} largest of ${whole(view.groups)}.`];
  const rows = view.items.flatMap((group, at) => group.members.map((member, place) => ({ group, member, at, isKept: place === 0 })));
  return [
    head,
    table(
      rows,
      [
        { title: '#', align: 'right', of: (row) => String(row.at + 1) },
        { title: 'dataset', of: ({ member }) => member.datasetId },
        { title: 'owner', of: ({ member }) => member.owner },
        { title: 'version', of: ({ member }) => (member.isCurrent ? 'present' : 'older') },
        { title: 'size', align: 'right', of: ({ group }) => bytes(group.sizeBytes) },
        { title: 'copies', align: 'right', of: ({ member }) => whole(member.copies) },
        { title: '$/month', align: 'right', of: ({ member }) => money(member.storagePerMonth) },
        { title: 'too many', of: (row) => (row.isKept ? 'no' : 'yes') },
        { title: 'root', of: ({ group }) => group.root.slice(0, 12) },
      ],
      '',
    ),
    ...rest,
  ].join('\n\n');
}

function insideText({ inside }: DuplicatesView): string {
  const notCounted = inside.notCounted === 0 ? '' : ` ${counted(inside.notCounted, 'dataset')} came from agents that do not count.`;
  if (inside.datasets === 0) return `No file repeats another of its dataset.${notCounted}`;
  return [
    `Inside of ${counted(inside.datasets, 'dataset')} files repeat others: ${bytes(inside.bytes)}, in all copies ${money(inside.storagePerMonth)} per month.${notCounted}`,
    table(
      inside.most,
      [
        { title: 'dataset', of: (row) => row.datasetId },
        { title: 'owner', of: (row) => row.owner },
        { title: 'files', align: 'right', of: (row) => whole(row.objects) },
        { title: 'bytes', align: 'right', of: (row) => bytes(row.bytes) },
        { title: '$/month', align: 'right', of: (row) => money(row.storagePerMonth) },
      ],
      '',
    ),
  ].join('\n\n');
}

/** What is known to the byte and what is estimated are told apart. */
function acrossText({ across }: DuplicatesView): string {
  const notSampled = across.notSampled === 0 ? '' : ` ${counted(across.notSampled, 'dataset')} came from agents that tell no sample.`;
  if (across.datasets === 0) return `No file of a dataset was found in another one, but for equal trees.${notSampled}`;
  return [
    `Of different trees ${counted(across.datasets, 'dataset has', 'datasets have')} files that others have too: ${sureBytes(across)}, in all copies ${money(across.storagePerMonth)} per month.${notSampled}`,
    table(
      across.most,
      [
        { title: 'dataset', of: (row) => row.datasetId },
        { title: 'owner', of: (row) => row.owner },
        { title: 'most with', of: (row) => row.mostWith },
        { title: 'files', align: 'right', of: (row) => `${row.errorBytes > 0 ? 'about ' : ''}${whole(row.files)}` },
        { title: 'bytes', align: 'right', of: sureBytes },
        { title: '$/month', align: 'right', of: (row) => money(row.storagePerMonth) },
      ],
      '',
    ),
  ].join('\n\n');
}

function sureBytes(shared: { bytes: number; exactBytes: number; errorBytes: number }): string {
  if (shared.errorBytes === 0) return bytes(shared.bytes);
  return `about ${bytes(shared.bytes)} (± ${bytes(shared.errorBytes)}, ${bytes(shared.exactBytes)} of it counted exactly)`;
}
