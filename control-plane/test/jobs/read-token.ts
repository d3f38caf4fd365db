import type { Order } from '@data-in-motion/shared/protocol/messages';
import { isSignedBy, type Signed } from '@data-in-motion/shared/signature';

/** What the token of an order allows; throws when the order has none or it is not signed by this key. */
export function tokenOf(order: Order, publicKeyPem: string): unknown {
  if (order.kind !== 'copy' || order.source.kind !== 'remote') throw new Error(`no token in ${JSON.stringify(order)}`);
  const signed = JSON.parse(Buffer.from(order.source.token, 'base64url').toString()) as Signed;
  if (!isSignedBy(signed, publicKeyPem)) throw new Error('the token is not signed by the control plane');
  return JSON.parse(signed.body);
}
