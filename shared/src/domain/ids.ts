declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** Names that people give: lower case, digits, dot, dash, underscore; they stand in topics, paths and addresses. */
export type SiteId = Id<'site'>;
/** A storage host; its one agent has the same name, and so has the agent's identity on the bus. */
export type NodeId = Id<'node'>;
export type TargetId = Id<'target'>;
export type DatasetId = Id<'dataset'>;
/** What a drive says of itself: `<model>-<serial>` made safe; survives a change of slot. */
export type DeviceId = Id<'device'>;
/** Of a failure model: what its content is called, see `model-identity.ts`. */
export type ModelVersion = Id<'model-version'>;

/** ULIDs that we give. */
export type VersionId = Id<'version'>;
/** One generation of one copy; part of its path, never used twice, never overwritten. */
export type ReplicaId = Id<'replica'>;
export type JobId = Id<'job'>;
export type PlanId = Id<'plan'>;
export type PermitId = Id<'permit'>;
export type CertificateId = Id<'certificate'>;
export type ExperimentId = Id<'experiment'>;

/** One path component everywhere: no slash, no leading dot, at most 63 characters. */
export const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
export const modelVersionPattern = /^[0-9a-f]{12}$/;
export const ulidPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** Make a device name out of what the drive reports; the serial keeps it unique. */
export function deviceIdOf(model: string, serial: string): DeviceId {
  const safe = `${model}-${serial}`
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '');
  return (safe.length <= 63 ? safe : safe.slice(safe.length - 63).replace(/^[^a-z0-9]+/, '')) as DeviceId;
}
