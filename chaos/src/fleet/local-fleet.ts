import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { listOf, type NodeView, nodeView } from '@data-in-motion/shared/api/fleet';
import { enrollAnswer, joinTokenAnswer, loginTokenAnswer } from '@data-in-motion/shared/api/operations';
import { RouteCaller } from '@data-in-motion/shared/api/route-caller';
import { type Clock, systemClock } from '@data-in-motion/shared/clock';
import { Failure } from '@data-in-motion/shared/failure';
import { agentFiles, targetRoot, writeAgentConfig } from './agent-files.ts';
import { builtAgent } from './built-agent.ts';
import type { Fleet, FleetSettings } from './fleet.ts';
import { FleetProcesses, root } from './fleet-processes.ts';
import { assertDatabaseFree, endLeftovers, forgetState, type Home, openHome, replaceFile } from './home.ts';
import { type LocalNode, localNodes } from './local-sites.ts';
import { assertPortFree, freePort } from './ports.ts';
import { assignDrives, readSampleDrives } from './sample-drives.ts';

const controlPlaneName = 'control-plane';
const agentStopMs = 8_000;
const controlPlaneStopMs = 10_000;
/** An empty database takes seconds to make, more on a busy machine. */
const readyLimitMs = 90_000;
const pollEveryMs = 60;
/** The threads of a process that was killed may outlive its name in the process table, and hold its ports, for moments. */
const leftoverPortsMs = 5_000;
/** The dying drive's alarm then rises within minutes, and the drive dies minutes after that. */
const replayFromDay = 20;

/** Start a control plane and an agent per site as processes of their own, enrol who is new, and keep them running. */
export async function startFleet(settings: FleetSettings): Promise<Fleet> {
  const home = openHome(settings.home);
  try {
    const portsComeFree = endLeftovers(home) ? leftoverPortsMs : 0;
    assertDatabaseFree(home);
    const httpPort = settings.httpPort === 0 ? await freePort() : settings.httpPort;
    const mqttPort = settings.mqttPort === 0 ? await freePort() : settings.mqttPort;
    await assertPortFree(httpPort, 'DIM_HTTP_PORT', portsComeFree);
    if (settings.controlPlane?.MQTT_URL === undefined) await assertPortFree(mqttPort, 'DIM_MQTT_PORT', portsComeFree);
    // Last, when nothing is left that could refuse the start.
    if (settings.fresh === true) {
      forgetState(home);
      settings.onStep?.(`forgot the state in ${settings.home}`);
    }
    const fleet = new LocalFleet(settings, home, httpPort, mqttPort);
    try {
      await fleet.begin();
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  } catch (error) {
    home.release();
    throw error;
  }
}

class LocalFleet implements Fleet {
  readonly url: string;
  readonly mqttUrl: string;
  readonly home: Home;
  readonly nodeIds: readonly string[];
  readonly #settings: FleetSettings;
  readonly #nodes: readonly LocalNode[];
  readonly #clock: Clock;
  readonly #processes: FleetProcesses;
  readonly #down = new Set<string>();
  readonly #ports: { readonly http: number; readonly mqtt: number };
  #api: RouteCaller | undefined;
  #stopped: Promise<void> | undefined;
  #begun = false;
  #agentProgram = '';

  constructor(settings: FleetSettings, home: Home, httpPort: number, mqttPort: number) {
    this.#settings = settings;
    this.home = home;
    this.#nodes = settings.nodes ?? localNodes;
    this.#clock = settings.clock ?? systemClock;
    // Until the start is through, an end is the start's own failure, told once and with the last lines.
    this.#processes = new FleetProcesses(home, this.#clock, settings.environment, (exit) => (this.#begun ? settings.onExit?.(exit) : undefined));
    this.#ports = { http: httpPort, mqtt: mqttPort };
    this.nodeIds = this.#nodes.map((node) => node.nodeId);
    this.url = `http://127.0.0.1:${httpPort}`;
    this.mqttUrl = settings.controlPlane?.MQTT_URL ?? `mqtt://127.0.0.1:${mqttPort}`;
  }

  get api(): RouteCaller {
    if (this.#api === undefined) throw new Failure('defect', { code: 'fleet.not-begun', message: 'The fleet has no key yet.' });
    return this.#api;
  }

  get apiKey(): string {
    return this.api.apiKey;
  }

  async begin(): Promise<void> {
    const beganMs = this.#clock.monotonicMs();
    this.#say('starting the control plane');
    this.#processes.start(controlPlaneName, 'control-plane', this.#settings.programs?.controlPlane ?? path.join(root, 'control-plane/src/main.ts'), [], {
      DIM_HOME: this.home.directory,
      DIM_HTTP_PORT: String(this.#ports.http),
      DIM_MQTT_PORT: String(this.#ports.mqtt),
      ...this.#settings.controlPlane,
    });
    this.#agentProgram = this.#settings.programs?.agent ?? (await builtAgent(this.#settings.environment, (text) => this.#say(text)));
    // Who has an identity already starts beside the control plane and connects as soon as it listens: the second start is the quicker for it.
    const known = this.#nodes.filter((node) => existsSync(agentFiles(this.home, node.nodeId).credentialsFile));
    for (const node of known) this.#beginAgent(node);
    await this.#untilControlPlane(readyLimitMs, 'first-start');
    replaceFile(this.home.addressFile, `${this.url}\n`);
    this.#api = new RouteCaller(this.url, readApiKey(this.home.adminKeyFile));
    this.#say(`${known.length === 0 ? 'starting' : 'waiting for'} ${this.#nodes.length} agents: ${this.nodeIds.join(', ')}`);
    // Reckoned from before the question: on a busy machine the answer takes longer than a stop and a start, and would let words of the last run count.
    const askedMs = this.#clock.monotonicMs();
    const { items, asOfMs } = await this.#nodeList();
    const beganAtMs = asOfMs - (askedMs - beganMs);
    const listed = new Set(items.map((node) => node.nodeId));
    for (const node of this.#nodes) if (!known.includes(node) || !listed.has(node.nodeId)) await this.#admit(node);
    // The database remembers the agents of the last run as online: only who has spoken since counts.
    await this.#untilHeard(readyLimitMs, beganAtMs);
    this.#begun = true;
  }

  async untilReady(limitMs = readyLimitMs): Promise<void> {
    await this.#untilControlPlane(limitMs, 'restart');
    await this.#untilHeard(limitMs, 0);
  }

  /** @param sinceMs by the control plane's clock, which need not agree with this machine's */
  async #untilHeard(limitMs: number, sinceMs: number): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + limitMs;
    for (;;) {
      const waitedFor = this.nodeIds.filter((nodeId) => !this.#down.has(nodeId));
      const heard = new Set(
        (await this.#nodeList().catch(() => ({ items: [] }))).items
          .filter((node) => (node.agentState === 'online' || node.agentState === 'returned') && (node.lastHeardAtMs ?? 0) >= sinceMs)
          .map((node) => node.nodeId),
      );
      const silent = waitedFor.filter((nodeId) => !heard.has(nodeId));
      if (silent.length === 0) return;
      this.#unlessGivenUp();
      if (this.#clock.monotonicMs() > untilMs)
        throw this.#processes.notReady(silent[0]!, `The agents ${silent.join(', ')} were not heard within ${limitMs / 1000} s.`);
      await this.#clock.sleep(pollEveryMs);
    }
  }

  targetRoot(targetId: string): string {
    return targetRoot(this.home, targetId);
  }

  processId(name: string): number | undefined {
    return this.#processes.get(name).pid;
  }

  kill(nodeId: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#processes.get(nodeId).kill(signal);
  }

  killControlPlane(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#processes.get(controlPlaneName).kill(signal);
  }

  async killEverything(): Promise<void> {
    await Promise.all(this.#processes.all.map((one) => one.kill('SIGKILL')));
  }

  async stopNode(nodeId: string, how: 'orderly' | 'killed' = 'orderly'): Promise<void> {
    this.#down.add(nodeId);
    await this.#processes.get(nodeId).stop(how === 'orderly' ? agentStopMs : 0);
  }

  startNode(nodeId: string): void {
    this.#down.delete(nodeId);
    this.#processes.get(nodeId).start();
  }

  async stopControlPlane(how: 'orderly' | 'killed' = 'orderly'): Promise<void> {
    await this.#processes.get(controlPlaneName).stop(how === 'orderly' ? controlPlaneStopMs : 0);
  }

  startControlPlane(): void {
    this.#processes.get(controlPlaneName).start();
  }

  async loginUrl(): Promise<string> {
    const { token } = await this.api.call('loginToken', loginTokenAnswer, { body: {} });
    return `${this.url}/#token=${token}`;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    const agents = this.#processes.all.filter((one) => one.plan.name !== controlPlaneName);
    await Promise.all(agents.map((agent) => agent.stop(agentStopMs)));
    await this.#processes.find(controlPlaneName)?.stop(controlPlaneStopMs);
    for (const one of this.#processes.all) one.close();
    this.home.release();
  }

  #beginAgent(node: LocalNode): void {
    const drives = readSampleDrives(path.join(root, 'agent/sample-drives'));
    const files = writeAgentConfig({
      home: this.home,
      node,
      mqttUrl: this.mqttUrl,
      importRoots: this.#settings.importRoots ?? ['/'],
      drives: assignDrives(
        node.targets.map((target) => target.drives),
        drives,
      ),
      secondsPerDay: this.#settings.secondsPerDay ?? 20,
      startDay: drives[0]?.days[replayFromDay],
      settings: this.#settings.agents ?? {},
    });
    this.#processes.start(node.nodeId, 'agent', this.#agentProgram, ['--config', files.configFile], {});
  }

  /** A new agent, or one that a new database does not know any more. */
  async #admit(node: LocalNode): Promise<void> {
    const running = this.#processes.find(node.nodeId);
    await running?.stop(0);
    mkdirSync(this.home.agent(node.nodeId), { recursive: true, mode: 0o700 });
    await this.#enrol(node.nodeId);
    if (running === undefined) this.#beginAgent(node);
    else running.start();
  }

  /** An identity of its own for each agent, by the same two requests that an operator's `dim agents join-token` and `enroll` make. */
  async #enrol(nodeId: string): Promise<void> {
    const { token } = await this.api.call('joinToken', joinTokenAnswer, { body: { nodeId, role: 'agent' } });
    const credentials = await this.api.call('enroll', enrollAnswer, { body: { token, nodeId } });
    replaceFile(agentFiles(this.home, nodeId).credentialsFile, `${JSON.stringify({ ...credentials, mqttUrl: this.mqttUrl }, null, 2)}\n`, 0o600);
  }

  /** At the first start a control plane that ends is a mistake in its settings: say so at once instead of trying again. */
  async #untilControlPlane(limitMs: number, when: 'first-start' | 'restart'): Promise<void> {
    const api = this.#api ?? new RouteCaller(this.url, '');
    const untilMs = this.#clock.monotonicMs() + limitMs;
    const process = this.#processes.get(controlPlaneName);
    while (!(await api.isReady())) {
      this.#unlessGivenUp();
      if (when === 'first-start' && !process.running) throw this.#processes.notReady(controlPlaneName, 'The control plane ended while starting.');
      if (this.#clock.monotonicMs() > untilMs) throw this.#processes.notReady(controlPlaneName, `The control plane was not ready within ${limitMs / 1000} s.`);
      await this.#clock.sleep(pollEveryMs);
    }
  }

  #unlessGivenUp(): void {
    if (!this.#begun && this.#settings.signal?.aborted) throw new Failure('refused', { code: 'fleet.given-up', message: 'The start was given up.' });
  }

  #nodeList(): Promise<{ items: NodeView[]; asOfMs: number }> {
    return this.api.call('nodes', listOf(nodeView));
  }

  #say(text: string): void {
    this.#settings.onStep?.(text);
  }
}

function readApiKey(file: string): string {
  if (!existsSync(file)) throw new Failure('defect', { code: 'fleet.no-key', message: `The control plane is ready but wrote no ${file}.` });
  return readFileSync(file, 'utf8').trim();
}
