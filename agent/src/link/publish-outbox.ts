import type { Clock } from '@data-in-motion/shared/clock';
import { asFailure, type Failure } from '@data-in-motion/shared/failure';
import type { AckMessage, BootMessage, WelcomeMessage } from '@data-in-motion/shared/protocol/messages';
import type { Random } from '@data-in-motion/shared/random';
import { backoffMs } from '@data-in-motion/shared/retry';
import { keyThumbprint } from '@data-in-motion/shared/signature';
import type { Meta } from '../journal/meta.ts';
import type { Outbox } from '../journal/outbox.ts';
import type { Delivery } from './delivery.ts';
import type { Link } from './link.ts';

/** What an agent says of itself when it boots; the rest of the message is memory. */
export type AgentIdentity = Omit<BootMessage, 'v' | 'bootUid' | 'lastIncarnation' | 'lastSeq' | 'chain'>;

export interface PublishOutboxParts {
  readonly link: Link;
  readonly delivery: Delivery;
  readonly outbox: Outbox;
  readonly meta: Meta;
  readonly clock: Clock;
  readonly random: Random;
  readonly failpoint: (name: string) => void;
  readonly identity: () => AgentIdentity;
  /** Thumbprint of the only key that is believed; null believes the first one seen, for ever. */
  readonly controlPlaneKeyId: string | null;
  readonly onWelcomed: () => void;
  readonly onTrouble: (code: string, what: string) => void;
  /** The journal failed under us; what was not written down is sent or acknowledged again. */
  readonly onFailure: (failure: Failure) => void;
}

export interface OutboxPublisher {
  stop(): Promise<void>;
}

const tidyEveryMs = 60_000;
/** A pass that the journal failed under is tried again. */
const failedNapMs = 1_000;
const bootDelays = { firstDelayMs: 1_000, longestDelayMs: 20_000 };

/** Carry the outbox to the control plane: boot until welcomed, then send what is due, for as long as the process lives. */
export function publishOutbox(parts: PublishOutboxParts): OutboxPublisher {
  const { link, delivery, outbox, clock, random, failpoint, onTrouble } = parts;
  const stopping = new AbortController();
  let nap = new AbortController();
  let bootAtMs = 0;
  let boots = 0;
  let tidyAtMs = clock.monotonicMs() + tidyEveryMs;

  const wake = (): void => nap.abort();

  const sayBoot = (): void => {
    const memory = delivery.boot();
    if (memory === null || clock.monotonicMs() < bootAtMs) return;
    // At least half of the first delay, so that the answer has time to come.
    bootAtMs = clock.monotonicMs() + bootDelays.firstDelayMs / 2 + backoffMs(boots++, bootDelays, random);
    void link.publish('boot', { v: 1, ...memory, ...parts.identity() });
    failpoint('C32');
  };

  const pass = (): void => {
    if (clock.monotonicMs() >= tidyAtMs) {
      tidyAtMs = clock.monotonicMs() + tidyEveryMs;
      outbox.tidy();
    }
    if (!link.up) return;
    for (const batch of delivery.due(clock.monotonicMs())) {
      void link.publish('batch', batch);
      failpoint('C29');
    }
    sayBoot();
  };

  /** Nothing is looked at before something is due: looking four times a second was half of what an agent at rest took of a processor. */
  const napMs = (): number => {
    const dueAtMs = !link.up ? null : delivery.boot() === null ? delivery.dueAtMs : bootAtMs;
    return Math.max(1, Math.min(tidyAtMs, dueAtMs ?? tidyAtMs) - clock.monotonicMs());
  };

  const guarded = (work: () => void): 'done' | 'failed' => {
    try {
      work();
      return 'done';
    } catch (thrown) {
      parts.onFailure(asFailure(thrown));
      return 'failed';
    }
  };

  const onWelcome = (welcome: WelcomeMessage): void => {
    const refusal = keyRefusal(welcome.publicKeyPem, parts.meta.read().publicKeyPem, parts.controlPlaneKeyId);
    if (refusal !== null) {
      onTrouble('control-plane.key-refused', refusal);
      return;
    }
    const answer = delivery.onWelcome(welcome);
    if (answer === 'incarnation-not-new')
      onTrouble('control-plane.incarnation-not-new', `the control plane gave incarnation ${welcome.incarnation}, which was ours before`);
    if (answer !== 'welcomed') return;
    boots = 0;
    bootAtMs = 0;
    parts.onWelcomed();
    wake();
  };

  const onAck = (ack: AckMessage): void => {
    failpoint('C30');
    const answer = delivery.onAck(ack, clock.monotonicMs());
    if (answer === 'store-changed')
      onTrouble('control-plane.store-changed', 'the store of the control plane began a new life: everything that was not durable is sent again');
    if (answer === 'forked') onTrouble('outbox.forked', 'the control plane knows another history of this agent: a new incarnation is asked for');
    wake();
  };

  link.on('welcome', (welcome) => guarded(() => onWelcome(welcome)));
  link.on('ack', (ack) => guarded(() => onAck(ack)));
  link.onUp(() => {
    delivery.onLinkUp();
    bootAtMs = 0;
    wake();
  });
  outbox.onSealed(wake);

  const running = (async () => {
    while (!stopping.signal.aborted) {
      nap = new AbortController();
      await clock.sleep(guarded(pass) === 'done' ? napMs() : failedNapMs, nap.signal);
    }
  })();

  return {
    async stop() {
      stopping.abort();
      wake();
      await running;
    },
  };
}

/** Why a welcome's key is not believed, or null when it is. A key that the operator named replaces one that was only seen. */
function keyRefusal(offeredPem: string, pinnedPem: string | null, wantedKeyId: string | null): string | null {
  const offered = thumbprintOf(offeredPem);
  const wanted = wantedKeyId ?? (pinnedPem === null ? null : thumbprintOf(pinnedPem));
  if (offered === null) return 'the welcome carries no key that can be read';
  if (wanted === null || offered === wanted) return null;
  return `the control plane shows key ${offered}, but this agent trusts ${wanted}; if the key was changed on purpose, enrol the agent again`;
}

function thumbprintOf(pem: string): string | null {
  try {
    return keyThumbprint(pem);
  } catch {
    return null;
  }
}
