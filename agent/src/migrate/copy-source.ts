import { Failure } from '@data-in-motion/shared/failure';
import type { OrderOf } from '@data-in-motion/shared/protocol/messages';
import { copyManifest, isMissing } from './fetch-manifest.ts';
import { DirectorySource, type LeafSource } from './leaf-source.ts';
import { type ManifestFiles, readManifest } from './manifest.ts';
import { PullSource } from './pull-leaves.ts';
import type { RawPath } from './raw-path.ts';
import { type StepParts, type StepRun, targetOf } from './step-parts.ts';
import { openScanSource, type ScanSource, scanFilesOf } from './steps/scan.ts';
import { manifestFilesOf, openTarget } from './target-layout.ts';

/** What a copy is made from: where its list is, and where its bytes are. */
export interface CopySource {
  readonly leaves: LeafSource;
  readonly fetchManifest: (into: ManifestFiles) => Promise<void>;
}

/** Open the source that an order names. @throws Failure `refused` (`source.gone`) when it is not there */
export async function openCopySource(order: OrderOf<'copy'>, parts: StepParts, run: StepRun): Promise<CopySource> {
  const { source } = order;
  switch (source.kind) {
    case 'import': {
      const imported = await openImported(order.jobId, parts, run.signal);
      return { leaves: imported.leaves, fetchManifest: (into) => copyManifest(imported.files, into) };
    }
    case 'local-replica': {
      const replica = await openReplica(source.targetId, order.destination.datasetId, source.replicaId, parts, run.signal);
      return { leaves: replica.leaves, fetchManifest: (into) => copyManifest(replica.files, into) };
    }
    case 'remote': {
      const pull = new PullSource(source, parts, run);
      return { leaves: pull, fetchManifest: (into) => pull.fetchManifest(into) };
    }
  }
}

export interface OpenedSource {
  readonly leaves: DirectorySource;
  readonly files: ManifestFiles;
}

/** What a job of this agent scanned. */
export async function openImported(jobId: string, parts: StepParts, signal: AbortSignal): Promise<OpenedSource> {
  const scanned = parts.journal.scan(jobId);
  if (scanned === undefined) throw gone(`the scan of job ${jobId}`);
  const files = scanFilesOf(parts.stateDirectory, jobId);
  const tree = await openScanSource(parts, jobId, JSON.parse(scanned.source) as ScanSource, signal);
  const leaves = new DirectorySource(tree, { kind: 'import', buffers: parts.buffers, small: parts.small.at(null), beforeRead: async () => {} }, (path) =>
    mtimeIn(files, path),
  );
  return { leaves, files };
}

/** A copy that one of this agent's targets holds. */
export async function openReplica(targetId: string, datasetId: string, replicaId: string, parts: StepParts, signal: AbortSignal): Promise<OpenedSource> {
  const target = targetOf(parts, targetId);
  const files = manifestFilesOf(target, replicaId);
  const root = await openTarget(target, parts.journal);
  try {
    const tree = await root.descend(`${datasetId}/${replicaId}` as RawPath);
    const beforeRead = async (bytes: number): Promise<void> => {
      parts.noteOwnRead(replicaId);
      await parts.faults.before('read', targetId);
      await parts.throttle.take(targetId, bytes, signal);
    };
    const leaves = new DirectorySource(tree, { kind: 'replica', buffers: parts.buffers, small: parts.small.at(targetId), beforeRead }, async () => null);
    return { leaves, files };
  } catch (thrown) {
    if (isMissing(thrown)) throw gone(`replica ${replicaId} on ${targetId}`);
    throw thrown;
  } finally {
    await root.close();
  }
}

async function mtimeIn(files: ManifestFiles, path: RawPath): Promise<bigint | null> {
  for await (const { entry } of readManifest(files.manifest)) if (entry.path === path && entry.kind === 'f') return entry.mtimeNs;
  return null;
}

function gone(what: string): Failure {
  return new Failure('refused', { code: 'source.gone', message: `${what} is not on this node` });
}
