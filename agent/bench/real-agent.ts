import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import type { FailureModel } from '@data-in-motion/shared/domain/failure-model';
import type { RecordOf } from '@data-in-motion/shared/protocol/records';
import { Aedes } from 'aedes';
import { ControlPlaneStub } from '../test/link/control-plane-stub.ts';

const program = path.resolve(import.meta.dirname, '../build/main.js');
const nodeId = 'node-a';

/** A real bus with enough of a control plane to talk to, which welcomes agents and brings them a model. */
export class Bus {
  readonly controlPlane: ControlPlaneStub;
  readonly url: string;
  readonly close: () => Promise<void>;

  static async open(model: FailureModel | null): Promise<Bus> {
    const broker = await Aedes.createBroker();
    const server = createServer(broker.handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const controlPlane = new ControlPlaneStub(nodeId, (topic, payload, retain = false) =>
      broker.publish({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain }, () => {}),
    );
    broker.on('publish', (packet) => {
      if (!packet.topic.startsWith('$SYS')) controlPlane.hear(packet.topic, packet.payload.toString());
    });
    controlPlane.model(model);
    return new Bus(controlPlane, `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, async () => {
      await new Promise<void>((resolve) => broker.close(resolve));
      await new Promise((resolve) => server.close(resolve));
    });
  }

  private constructor(controlPlane: ControlPlaneStub, url: string, close: () => Promise<void>) {
    this.controlPlane = controlPlane;
    this.url = url;
    this.close = close;
  }
}

/** An agent in a process of its own, started as the local fleet and the image start it. */
export class RealAgent {
  readonly #child: ChildProcess;
  readonly #bus: Bus;
  /** Records that others told before it. */
  readonly #known: number;

  /** @param flags of Node, before the program */
  constructor(home: string, settings: object, bus: Bus, flags: readonly string[]) {
    fs.mkdirSync(path.join(home, 'target'), { recursive: true });
    const file = path.join(home, 'agent.json');
    const targets = [{ targetId: 'disk-1', root: 'target', tier: 'hot', reserveBytes: 0 }];
    fs.writeFileSync(file, JSON.stringify({ nodeId, siteId: 'berlin', mqttUrl: bus.url, password: 'secret', stateDirectory: 'state', targets, ...settings }));
    const env = { PATH: process.env.PATH ?? '', MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '131072' };
    const log = fs.openSync(path.join(home, 'agent.log'), 'a');
    this.#child = spawn(process.execPath, [...flags, program, '--config', file], { env, stdio: ['ignore', log, log] });
    fs.closeSync(log);
    this.#bus = bus;
    this.#known = bus.controlPlane.records.length;
  }

  /** What it told of its drives, oldest first. */
  readings(): RecordOf<'reading'>[] {
    return this.#bus.controlPlane.records.slice(this.#known).filter((record) => record.type === 'reading');
  }

  /** Resolves when so many readings are told; a process that ended never tells them. @throws Error when it ended */
  async told(least: number, of: (reading: RecordOf<'reading'>) => boolean = () => true): Promise<void> {
    const ended = once(this.#child, 'exit').then(() => {
      throw new Error('the agent ended');
    });
    await Promise.race([ended, this.#bus.controlPlane.until(() => this.readings().filter(of).length >= least)]);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
