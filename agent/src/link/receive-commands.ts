import type { Clock } from '@data-in-motion/shared/clock';
import { type DesiredDocument, desiredDocument, type FaultDocument, faultDocument } from '@data-in-motion/shared/protocol/messages';
import type { Random } from '@data-in-motion/shared/random';
import { isSignedBy, type Signed } from '@data-in-motion/shared/signature';
import { ulid } from '@data-in-motion/shared/ulid';
import type { z } from 'zod';
import type { Meta } from '../journal/meta.ts';
import type { Link } from './link.ts';

export interface ReceiveCommandsParts {
  readonly link: Link;
  readonly meta: Meta;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Called with each document that is newer than the one before; level-triggered, so the newest is all that matters. */
  readonly onDesired: (document: DesiredDocument) => void;
  readonly onFault: (document: FaultDocument) => void;
  readonly onTrouble: (code: string, what: string) => void;
}

export interface CommandReceiver {
  /** Ask now: after a welcome, since documents are made for an incarnation. */
  ask(): void;
  stop(): Promise<void>;
}

/** Also the heartbeat of an agent that has nothing else to tell: well within the time after which a control plane calls it late (45 s). */
const askEveryMs = 15_000;
/** Spread, so that a fleet that started together does not ask together. */
const askSpread = 0.2;
/** A nudge that was answered by nothing is followed up after this long. */
const askAgainMs = 5_000;

/**
 * Hear what the control plane wants. A nudge only says that there is something newer; the agent asks, and asks every quarter of a minute anyway,
 * so no message has to arrive; each new revision is asked about once more, which tells the control plane that it was taken up. A document counts when the pinned key signed it, it is for this node and incarnation, and it is newer.
 */
export function receiveCommands(parts: ReceiveCommandsParts): CommandReceiver {
  const { link, meta, clock, random } = parts;
  const stopping = new AbortController();
  let nap = new AbortController();
  let have = { inc: 0, rev: -1, issuedAtMs: 0 };
  let nudgedTo = -1;

  const askNow = (): void => {
    const inc = meta.read().incarnation;
    if (!link.up || inc === 0) return;
    const known = have.inc === inc ? Math.max(0, have.rev) : 0;
    void link.publish('ask', { v: 1, askUid: ulid(Math.max(0, clock.nowMs()), random), have: known, inc });
  };

  link.on('nudge', ({ rev }) => {
    if (have.inc === meta.read().incarnation && rev <= have.rev) return;
    nudgedTo = rev;
    nap.abort();
  });

  link.on('desired', (signed) => {
    const document = opened(signed, desiredDocument, parts);
    if (document === undefined) return;
    if (document.inc !== meta.read().incarnation) return;
    if (!isNewer(document, have)) return;
    const isNewRevision = document.inc !== have.inc || document.rev !== have.rev;
    have = { inc: document.inc, rev: document.rev, issuedAtMs: document.issuedAtMs };
    parts.onDesired(document);
    // An ask also says what was taken up. Once per revision: an answer to it that carries the same one is not followed by another ask.
    if (isNewRevision) nap.abort();
  });

  link.on('fault', (signed) => {
    const document = opened(signed, faultDocument, parts);
    if (document !== undefined) parts.onFault(document);
  });

  const running = (async () => {
    while (!stopping.signal.aborted) {
      nap = new AbortController();
      askNow();
      const isBehind = nudgedTo > have.rev;
      const pauseMs = isBehind ? askAgainMs : askEveryMs * (1 - askSpread + 2 * askSpread * random.next());
      await clock.sleep(pauseMs, nap.signal);
    }
  })();

  return {
    ask() {
      nudgedTo = -1;
      nap.abort();
    },
    async stop() {
      stopping.abort();
      nap.abort();
      await running;
    },
  };
}

/** Revisions grow within an incarnation; the same one made later may carry fresh tokens. */
function isNewer(document: DesiredDocument, have: Pick<DesiredDocument, 'inc' | 'rev' | 'issuedAtMs'>): boolean {
  if (document.inc !== have.inc || document.rev !== have.rev) return document.inc !== have.inc || document.rev > have.rev;
  return document.issuedAtMs > have.issuedAtMs;
}

/** A signed document as plain data; undefined, and said, when the signature, the form or the name is not right. */
function opened<Document extends { nodeId: string }>(
  signed: Signed,
  schema: z.ZodType<Document>,
  { meta, nodeId, onTrouble }: Pick<ReceiveCommandsParts, 'meta' | 'nodeId' | 'onTrouble'>,
): Document | undefined {
  const { publicKeyPem } = meta.read();
  if (publicKeyPem === null) return undefined;
  if (!isSignedBy(signed, publicKeyPem)) {
    onTrouble('command.signature', `a document signed by ${signed.keyId} was refused: the pinned key did not sign it`);
    return undefined;
  }
  const parsed = schema.safeParse(parseJson(signed.body));
  if (!parsed.success) {
    onTrouble('command.form', `a signed document does not parse: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}`);
    return undefined;
  }
  if (parsed.data.nodeId !== nodeId) {
    onTrouble('command.other-node', `a document for ${parsed.data.nodeId} was refused`);
    return undefined;
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
