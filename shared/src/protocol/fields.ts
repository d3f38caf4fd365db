import { z } from 'zod';
import type { DatasetId, DeviceId, ExperimentId, JobId, ModelVersion, NodeId, PermitId, ReplicaId, SiteId, TargetId, VersionId } from '../domain/ids.ts';
import { modelVersionPattern, namePattern, ulidPattern } from '../domain/ids.ts';

/** A schema that yields one of our branded ids; the wire only knows strings. */
const named = <Id extends string>(what: string) =>
  z.string().regex(namePattern, `${what}: lower case letters, digits, dot, dash and underscore, at most 63 characters`) as unknown as z.ZodType<Id, string>;
const numbered = <Id extends string>(what: string) => z.string().regex(ulidPattern, `${what}: a ULID of 26 characters`) as unknown as z.ZodType<Id, string>;

export const siteId = named<SiteId>('site');
export const nodeId = named<NodeId>('node');
export const targetId = named<TargetId>('target');
export const datasetId = named<DatasetId>('dataset');
export const deviceId = named<DeviceId>('device');
export const modelVersion = z.string().regex(modelVersionPattern, 'a model version of 12 hexadecimal digits') as unknown as z.ZodType<ModelVersion, string>;
export const versionId = numbered<VersionId>('version');
export const replicaId = numbered<ReplicaId>('replica');
export const jobId = numbered<JobId>('job');
export const permitId = numbered<PermitId>('permit');
export const experimentId = numbered<ExperimentId>('experiment');
export const uid = z.string().regex(ulidPattern, 'a ULID of 26 characters');

/** Milliseconds since the epoch, any time between 1970 and 2200. */
export const atMs = z.number().int().min(0).max(7_258_118_400_000);
/** JSON numbers are exact to 2^53: 9 PB. */
export const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 as 64 hexadecimal digits');
/** Text from outside, bounded: names, errors, what a drive says of itself. */
export const text = z.string().max(2_000);
