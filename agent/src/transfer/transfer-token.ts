import type { Clock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import { count, jobId, nodeId, replicaId, targetId } from '@data-in-motion/shared/protocol/fields';
import { isSignedBy } from '@data-in-motion/shared/signature';
import { z } from 'zod';

const signed = z.object({ body: z.string().max(4_000), signature: z.string().max(200), keyId: z.string().max(64) });

/** What the control plane allows: this node may read this source from that node, for this job, until then. */
export const transferGrant = z.object({
  kind: z.literal('transfer'),
  jobId,
  epoch: count,
  source: z.discriminatedUnion('kind', [z.object({ kind: z.literal('import'), jobId }), z.object({ kind: z.literal('replica'), targetId, replicaId })]),
  toNodeId: nodeId,
  fromNodeId: nodeId,
  expiresAtMs: z.number().int(),
});
export type TransferGrant = z.infer<typeof transferGrant>;

/** Clocks of two nodes differ; a grant is short, and stealing one takes more than a wrong clock. */
const clockLeewayMs = 300_000;

/**
 * Check the bearer token of a request against the key, this node, the time and the source in its path.
 * @throws Failure `refused` with code `transfer.unauthorised` or `transfer.expired`; it does not say more to who has no grant
 */
export function checkGrant(
  authorization: string | undefined,
  asked: { sourceId: string; nodeId: string },
  publicKeyPem: string | null,
  clock: Clock,
): TransferGrant {
  const token = /^Bearer ([A-Za-z0-9_-]{1,8000})$/.exec(authorization ?? '')?.[1];
  const document = signed.safeParse(jsonOrNull(token === undefined ? '' : Buffer.from(token, 'base64url').toString()));
  if (!document.success || publicKeyPem === null || !isSignedBy(document.data, publicKeyPem)) throw unauthorised();
  const grant = transferGrant.safeParse(jsonOrNull(document.data.body));
  if (!grant.success || grant.data.fromNodeId !== asked.nodeId || sourceIdOf(grant.data) !== asked.sourceId) throw unauthorised();
  if (grant.data.expiresAtMs + clockLeewayMs < clock.nowMs())
    throw new Failure('refused', { code: 'transfer.expired', message: 'the grant for this transfer is over' });
  return grant.data;
}

/** The name of a source in an address: of an import the job that scanned it, else the replica. */
export function sourceIdOf(grant: Pick<TransferGrant, 'source'>): string {
  return grant.source.kind === 'import' ? grant.source.jobId : grant.source.replicaId;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function unauthorised(): Failure {
  return new Failure('refused', { code: 'transfer.unauthorised', message: 'no grant for this source' });
}
