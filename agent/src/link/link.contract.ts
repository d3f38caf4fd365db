import { stateMessage } from '@data-in-motion/shared/protocol/messages';
import { topicFor } from '@data-in-motion/shared/protocol/topics';
import { expect, test } from 'vitest';
import type { Link } from './link.ts';

export interface HeardMessage {
  readonly topic: string;
  readonly text: string;
}

/** The other end of a link, as a contract test sees it. */
export interface ContractBus {
  /** A link that is not started; sessions grow over all links of one node. */
  makeLink(nodeId: string): Link;
  /** The first message, heard already or to come, that matches. */
  untilHeard(matches: (message: HeardMessage) => boolean): Promise<HeardMessage>;
  say(topic: string, text: string, retain?: boolean): void;
  /** The connection breaks without a goodbye; the link is expected to come back, here when `again` is called. */
  break(link: Link): { again(): void };
  retained(topic: string): Promise<string | undefined>;
  close(): Promise<void>;
}

const uid = '01ARZ3NDEKTSV4RRFFQ69G5FAV';

/** What every link does, whatever carries it. */
export function linkContract(openBus: () => Promise<ContractBus>): void {
  const withBus = (name: string, body: (bus: ContractBus) => Promise<void>): void =>
    test(name, async () => {
      const bus = await openBus();
      try {
        await body(bus);
      } finally {
        await bus.close();
      }
    });

  withBus('a link that is up has said so with its session number, retained', async (bus) => {
    const link = bus.makeLink('node-a');
    await started(link);
    const said = stateMessage.parse(JSON.parse((await bus.untilHeard(isState('node-a', 'online'))).text));
    expect(said.session).toBeGreaterThan(0);
    expect(link.up).toBe(true);
    expect(JSON.parse((await bus.retained(topicFor('state', 'node-a'))) ?? '{}')).toMatchObject({ state: 'online', session: said.session });
    await link.stop();
  });

  withBus('what an agent publishes arrives under its own name', async (bus) => {
    const link = bus.makeLink('node-a');
    await started(link);
    expect(await link.publish('ask', { v: 1, askUid: uid, have: 3, inc: 1 })).toBe(true);
    const heard = await bus.untilHeard((message) => message.topic === topicFor('ask', 'node-a'));
    expect(JSON.parse(heard.text)).toEqual({ v: 1, askUid: uid, have: 3, inc: 1 });
    await link.stop();
  });

  withBus('an agent hears its own rows and nobody else’s', async (bus) => {
    const link = bus.makeLink('node-a');
    const heard: number[] = [];
    const third = new Promise<void>((resolve) => link.on('nudge', ({ rev }) => heard.push(rev) === 2 && resolve()));
    await started(link);
    bus.say(topicFor('nudge', 'node-a'), JSON.stringify({ v: 1, rev: 1 }));
    bus.say(topicFor('nudge', 'node-b'), JSON.stringify({ v: 1, rev: 2 }));
    bus.say(topicFor('nudge', 'node-a'), JSON.stringify({ v: 1, rev: 3 }));
    await third;
    expect(heard).toEqual([1, 3]);
    await link.stop();
  });

  withBus('of the fleet’s rows an agent hears the model, also one that was told before it came', async (bus) => {
    const link = bus.makeLink('node-a');
    const heard = new Promise<string>((resolve) => link.on('model', ({ body }) => resolve(body)));
    bus.say(topicFor('model'), JSON.stringify({ v: 1, body: 'x'.repeat(1_100_000), signature: 's', keyId: 'k' }), true);
    bus.say(topicFor('metrics'), '{}');
    await started(link);
    expect(await heard).toHaveLength(1_100_000);
    expect(link.unreadable).toBe(0);
    await link.stop();
  });

  withBus('what does not parse is counted and goes no further', async (bus) => {
    const link = bus.makeLink('node-a');
    const heard: number[] = [];
    const good = new Promise<void>((resolve) => link.on('nudge', ({ rev }) => heard.push(rev) === 1 && resolve()));
    await started(link);
    for (const text of ['', '{', '[]', '{"v":2,"rev":1}', '{"v":1,"rev":-1}', '{"v":1,"rev":"1"}']) bus.say(topicFor('nudge', 'node-a'), text);
    bus.say(topicFor('nudge', 'node-a'), JSON.stringify({ v: 1, rev: 9 }));
    await good;
    expect(heard).toEqual([9]);
    expect(link.unreadable).toBe(6);
    await link.stop();
  });

  withBus('a broken connection leaves the last will, and the next one has a higher session and hears again', async (bus) => {
    const link = bus.makeLink('node-a');
    const heard = new Promise<number>((resolve) => link.on('nudge', ({ rev }) => resolve(rev)));
    await started(link);
    const first = stateMessage.parse(JSON.parse((await bus.untilHeard(isState('node-a', 'online'))).text));
    const up = new Promise<void>((resolve) => link.onUp(resolve));
    const broken = bus.break(link);
    const will = stateMessage.parse(JSON.parse((await bus.untilHeard(isState('node-a', 'offline'))).text));
    expect(will.session).toBe(first.session);
    broken.again();
    await up;
    await bus.untilHeard((message) => isState('node-a', 'online')(message) && stateMessage.parse(JSON.parse(message.text)).session > first.session);
    bus.say(topicFor('nudge', 'node-a'), JSON.stringify({ v: 1, rev: 5 }));
    expect(await heard).toBe(5);
    await link.stop();
  });

  withBus('a link that is down takes nothing, and a link that stops says offline', async (bus) => {
    const link = bus.makeLink('node-a');
    expect(await link.publish('ask', { v: 1, askUid: uid, have: 0, inc: 0 })).toBe(false);
    await started(link);
    await link.stop();
    await bus.untilHeard(isState('node-a', 'offline'));
    expect(link.up).toBe(false);
    expect(await link.publish('ask', { v: 1, askUid: uid, have: 0, inc: 0 })).toBe(false);
  });
}

/** Start a link and wait until it is up. */
export async function started(link: Link): Promise<void> {
  const up = new Promise<void>((resolve) => link.onUp(resolve));
  link.start();
  await up;
}

function isState(nodeId: string, state: 'online' | 'offline'): (message: HeardMessage) => boolean {
  return ({ topic, text }) => topic === topicFor('state', nodeId) && (JSON.parse(text) as { state?: string }).state === state;
}
