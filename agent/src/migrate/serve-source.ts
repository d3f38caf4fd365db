import { asFailure, Failure } from '@data-in-motion/shared/failure';
import type { ServedSource } from '../transfer/serve-replicas.ts';
import type { TransferGrant } from '../transfer/transfer-token.ts';
import { type OpenedSource, openImported, openReplica } from './copy-source.ts';
import { isMissing } from './fetch-manifest.ts';
import type { WantedLeaf } from './leaf-source.ts';
import { leafBytes, leafHash, leafLength, leavesOf } from './leaves.ts';
import { checkManifest, HashReader, type ManifestFiles, readEntriesFrom, readManifest } from './manifest.ts';
import { mapInOrder } from './map-in-order.ts';
import { type StepParts, targetOf } from './step-parts.ts';
import { scanFilesOf } from './steps/scan.ts';
import { absentBecause, manifestFilesOf } from './target-layout.ts';

/** One place in a manifest for every so many leaves: a range is found without reading the list from its beginning. */
const leavesPerMark = 1_024;
const mostSources = 16;
const readAhead = { count: 24, weight: leafBytes, weigh: ({ leaf }: Numbered): number => leaf.length };

interface SourceIndex {
  readonly dataset: string;
  readonly leaves: number;
  readonly marks: readonly { readonly offset: number; readonly firstLeaf: number }[];
}
interface Numbered {
  readonly leaf: WantedLeaf;
  readonly hash: Buffer;
}

/** Opens what this agent may serve; remembers where leaves stand in the manifests that were asked for lately. */
export class SourceOpener {
  readonly #parts: StepParts;
  readonly #indexes = new Map<string, Promise<SourceIndex>>();

  constructor(parts: StepParts) {
    this.#parts = parts;
  }

  async open(source: TransferGrant['source'], signal: AbortSignal): Promise<ServedSource> {
    try {
      return source.kind === 'import' ? await this.#openImport(source.jobId, signal) : await this.#openReplica(source, signal);
    } catch (thrown) {
      if (await this.#isAway(source, thrown)) {
        // Its copy is as it was: nobody is to doubt it, and the path is nobody else's business.
        throw new Failure('unavailable', { code: 'target.not-mounted', message: 'the disk of the source is not there now', cause: thrown });
      }
      if (isMissing(thrown)) throw new Failure('refused', { code: 'source.gone', message: 'the source is not on this node any more', cause: thrown });
      throw thrown;
    }
  }

  /** Without its disk a copy's manifest is missed too, which is looked for first. */
  async #isAway(source: TransferGrant['source'], thrown: unknown): Promise<boolean> {
    if (asFailure(thrown).code === 'target.not-mounted') return true;
    return source.kind === 'replica' && isMissing(thrown) && (await absentBecause(targetOf(this.#parts, source.targetId), this.#parts.journal)) !== null;
  }

  async #openImport(jobId: string, signal: AbortSignal): Promise<ServedSource> {
    const scanned = this.#parts.journal.scan(jobId);
    if (scanned === undefined) throw new Failure('refused', { code: 'source.gone', message: 'this job scanned nothing here' });
    const index = await this.#index(`${jobId}/${scanned.root}`, scanFilesOf(this.#parts.stateDirectory, jobId));
    return served(await openImported(jobId, this.#parts, signal), index);
  }

  async #openReplica(source: { targetId: string; replicaId: string }, signal: AbortSignal): Promise<ServedSource> {
    const files = manifestFilesOf(targetOf(this.#parts, source.targetId), source.replicaId);
    const index = await this.#index(source.replicaId, files);
    return served(await openReplica(source.targetId, index.dataset, source.replicaId, this.#parts, signal), index);
  }

  #index(key: string, files: ManifestFiles): Promise<SourceIndex> {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const made = indexOf(files);
    this.#indexes.set(key, made);
    made.catch(() => this.#indexes.delete(key));
    const oldest = this.#indexes.keys().next().value;
    if (this.#indexes.size > mostSources && oldest !== undefined) this.#indexes.delete(oldest);
    return made;
  }
}

async function indexOf(files: ManifestFiles): Promise<SourceIndex> {
  const { dataset, leaves } = await checkManifest(files);
  const marks: { offset: number; firstLeaf: number }[] = [];
  for await (const { offset, firstLeaf } of readManifest(files.manifest)) {
    if (marks.length === 0 || firstLeaf - marks.at(-1)!.firstLeaf >= leavesPerMark) marks.push({ offset, firstLeaf });
  }
  return { dataset, leaves, marks };
}

function served(opened: OpenedSource, index: SourceIndex): ServedSource {
  const { leaves: source, files } = opened;
  return {
    manifest: files.manifest,
    leafHashes: files.leaves,
    leaves: index.leaves,
    read: (from, to, signal) =>
      mapInOrder(numberedLeaves(files, index, from, to), readAhead, async ({ leaf, hash }) => {
        signal.throwIfAborted();
        const bytes = await source.read(leaf);
        if (bytes.length !== leaf.length || !leafHash(bytes).equals(hash)) throw await source.accuse(leaf);
        return bytes;
      }),
    give: (leaf) => source.give(leaf),
    close: () => source.close(),
  };
}

async function* numberedLeaves(files: ManifestFiles, index: SourceIndex, from: number, to: number): AsyncGenerator<Numbered> {
  const mark = index.marks.findLast((one) => one.firstLeaf <= from);
  if (mark === undefined) return;
  const hashes = new HashReader(files.leaves, from);
  try {
    for await (const { entry, firstLeaf } of readEntriesFrom(files.manifest, mark)) {
      if (firstLeaf >= to) return;
      if (entry.kind !== 'f') continue;
      const end = Math.min(leavesOf(entry.sizeBytes), to - firstLeaf);
      for (let leaf = Math.max(0, from - firstLeaf); leaf < end; leaf++) {
        const [hash] = await hashes.take(1);
        yield { leaf: { path: entry.path, leaf, number: firstLeaf + leaf, length: leafLength(entry.sizeBytes, leaf) }, hash: Buffer.from(hash!) };
      }
    }
  } finally {
    await hashes.close();
  }
}
