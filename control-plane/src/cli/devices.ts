import {
  type DeviceEvacuation,
  type DeviceHistory,
  type DeviceOutcome,
  type DeviceView,
  deviceHistory,
  deviceOutcome,
  deviceView,
} from '@data-in-motion/shared/api/fleet';
import { outcomes } from '@data-in-motion/shared/domain/drive-outcome';
import { Failure } from '@data-in-motion/shared/failure';
import type { Command } from 'commander';
import { age, bytes, counted, duration, moment, percent, whole } from './figures.ts';
import { noun, verb } from './session.ts';
import { facts, table } from './table.ts';

const shownReadings = 10;

export function addDevices(program: Command): void {
  const devices = noun(program, 'devices', 'the drives by risk, and one of them with why');
  verb(devices, {
    usage: 'list [device]',
    isDefault: true,
    says: 'the drives by risk, or one of them with why and its last readings',
    examples: ['devices', 'devices st4000dm000-w300dy1n', 'devices --json'],
    async run(session, [deviceId]) {
      if (deviceId === undefined) {
        const list = await session.api.list('devices', deviceView);
        session.answer(list, () => deviceTable(list.items, list.asOfMs));
        return;
      }
      const history = await session.api.call('device', deviceHistory, { path: { deviceId } });
      session.answer(history, () => historyText(history, Date.now()));
    },
  });
  addAcknowledge(devices);
  addOutcome(devices);
}

function addAcknowledge(devices: Command): void {
  verb<{ note?: string }>(devices, {
    usage: 'acknowledge <device>',
    says: 'take the counters of a drive, as it reported them last, for seen: judged is what comes on top',
    examples: ['devices acknowledge st4000dm000-w300dy1n --note "old errors, cable replaced"'],
    options: (command) => command.option('--note <text>', 'why they are harmless; kept with it'),
    async run(session, [deviceId = ''], { note }) {
      const body = note === undefined ? {} : { note };
      const device = await session.api.call('acknowledgeDevice', deviceView, { path: { deviceId }, body });
      session.answer(
        device,
        () => `Acknowledged ${countsInWords(device.acknowledged?.counts ?? {})} of ${device.deviceId}; its agent hears of it within a minute.`,
      );
    },
  });
}

interface OutcomeOptions {
  readonly failed?: true;
  readonly removed?: true;
  readonly alive?: true;
  readonly note?: string;
}

function addOutcome(devices: Command): void {
  verb<OutcomeOptions>(devices, {
    usage: 'outcome <device>',
    says: 'say what became of a drive: that stands, and failure models are measured by it',
    examples: ['devices outcome st4000dm000-w300dy1n --failed', 'devices outcome st4000dm000-w300dy1n --removed --note "sold"'],
    options: (command) =>
      command
        .option('--failed', 'it failed')
        .option('--removed', 'it was taken away while it worked')
        .option('--alive', 'it works: takes back what was said or concluded')
        .option('--note <text>', 'kept with it'),
    async run(session, [deviceId = ''], options) {
      const said = outcomes.filter((outcome) => options[outcome]);
      if (said.length !== 1)
        throw new Failure('refused', {
          code: 'usage',
          message: 'One of --failed, --removed and --alive says what became of it',
          hint: 'dim devices outcome --help',
        });
      const body = { outcome: said[0], ...(options.note === undefined ? {} : { note: options.note }) };
      const now = await session.api.call('reportDeviceOutcome', deviceOutcome, { path: { deviceId }, body });
      session.answer(now, () => `${now.deviceId} is ${now.outcome}. What models make of it: dim models outcomes`);
    },
  });
}

function outcomeFact({ outcome, how, atMs, by, note }: DeviceOutcome, nowMs: number): [string, string] {
  const source = how === 'reported' ? `said by ${by}` : how === 'died' ? 'it stopped answering' : 'it answers again';
  return ['outcome', `${outcome}, ${age(atMs, nowMs)}, ${source}${note === null ? '' : `: ${note}`}`];
}

function evacuationFact({ certificateId, state, emptyAtMs, replicas, bytes: moved, alarm }: DeviceEvacuation, nowMs: number): [string, string] {
  const left = `${counted(replicas, 'copy', 'copies')} (${bytes(moved)}) left after it was ${alarm.level}`;
  const end = state === 'open' ? 'more are leaving' : emptyAtMs === null ? 'the others stayed' : `empty ${age(emptyAtMs, nowMs)}`;
  return ['evacuation', `${left}; ${end}; dim certificate get ${certificateId}`];
}

function acknowledgedFact({ counts, atMs, by, note }: NonNullable<DeviceView['acknowledged']>, nowMs: number): [string, string] {
  return ['acknowledged', `${countsInWords(counts)} by ${by}, ${age(atMs, nowMs)}${note === null ? '' : `: ${note}`}`];
}

function countsInWords(counts: Readonly<Record<string, number>>): string {
  const words = Object.entries(counts).map(([name, count]) => `${name.replace('.', ' ')} at ${whole(count)}`);
  return words.length === 0 ? 'that the counters are back at zero' : words.join(', ');
}

export function deviceTable(devices: readonly DeviceView[], asOfMs: number): string {
  return table(
    devices,
    [
      { title: 'device', of: (row) => row.deviceId },
      { title: 'node', of: (row) => row.nodeId },
      { title: 'kind', of: (row) => row.kind },
      { title: 'size', align: 'right', of: (row) => bytes(row.capacityBytes) },
      { title: 'risk', of: (row) => row.level },
      { title: 'fails in its horizon', align: 'right', of: (row) => percent(row.probability) },
      { title: 'since', of: (row) => age(row.sinceMs, asOfMs) },
      { title: 'read', of: (row) => age(row.lastReadingAtMs, asOfMs) },
      { title: 'datasets', align: 'right', of: (row) => whole(row.datasets) },
      { title: 'because', of: (row) => row.reasons[0]?.text ?? '' },
    ],
    'No devices.',
  );
}

const evacuationWords = { evacuated: 'are leaving', held: 'stay until the alarm is believed', waits: 'wait for their turn to leave', watched: 'stay' } as const;

/** What the kernel counted, with what each count is since; and why one is not known. */
function kernelFacts(kernel: DeviceHistory['kernel'], nowMs: number): [string, string][] {
  if (kernel === null) return [];
  const { block, since } = kernel;
  const latest = (count: number | null | undefined): string => (count == null ? '' : `, ${whole(count)} of them since the reading before`);
  const facts: [string, string][] = [];
  if (kernel.ioErrors !== null)
    facts.push(['I/O errors', `${whole(kernel.ioErrors)} since ${block} appeared${latest(since?.ioErrors)}; the questions for its health count too`]);
  if (kernel.timeouts !== null) facts.push(['time-outs', `${whole(kernel.timeouts)} since ${block} appeared${latest(since?.timeouts)}`]);
  if (since !== null) {
    const requests = `${whole(since.reads)} reads and ${whole(since.writes)} writes in the ${duration(since.overMs)} before ${moment(kernel.atMs, nowMs)}`;
    facts.push(['latency', `${duration(since.msPerRead)} a read, ${duration(since.msPerWrite)} a write (${requests}), busy ${percent(since.busy)}`]);
  }
  if (kernel.unknownBecause !== null) facts.push(['not known of the kernel', kernel.unknownBecause]);
  return facts;
}

function historyText({ device, outcome, kernel, evacuations, readings }: DeviceHistory, nowMs: number): string {
  return [
    facts([
      ['device', `${device.model}, serial ${device.serial}, ${device.kind}, ${bytes(device.capacityBytes)}`],
      ['place', `${device.nodeId}, ${device.path}; under ${device.targetIds.join(', ') || 'no target'}`],
      ['risk', `${device.level} since ${age(device.sinceMs, nowMs)}; ${percent(device.probability)} to fail within ${device.horizonDays} days`],
      ['judged by', device.judge === null ? 'nothing yet' : `${device.judge.kind} ${device.judge.name}, version ${device.judge.version}`],
      ['datasets', whole(device.datasets)],
      ...kernelFacts(kernel, nowMs),
      ...(outcome === null ? [] : [outcomeFact(outcome, nowMs)]),
      ...evacuations.map((one) => evacuationFact(one, nowMs)),
      ...(device.acknowledged === null ? [] : [acknowledgedFact(device.acknowledged, nowMs)]),
      ...(device.evacuation == null
        ? []
        : [[`copies on it`, `${evacuationWords[device.evacuation.verdict]}: ${device.evacuation.reason}`] as [string, string]]),
    ]),
    device.reasons.length === 0 ? 'No signs.' : device.reasons.map((reason) => `  - ${reason.text}`).join('\n'),
    table(
      readings.slice(-shownReadings),
      [
        { title: 'read', of: (row) => moment(row.atMs, nowMs) },
        { title: 'day', of: (row) => row.recordedDay ?? '' },
        { title: 'status', of: (row) => row.status },
        { title: '°C', align: 'right', of: (row) => (row.temperatureCelsius === null ? '–' : String(row.temperatureCelsius)) },
        ...['5', '187', '188', '197', '198'].map((attribute) => ({
          title: `smart ${attribute}`,
          align: 'right' as const,
          of: (row: { smart: Record<string, number> }) => String(row.smart[attribute] ?? '–'),
        })),
      ],
      'Not read yet.',
    ),
  ].join('\n\n');
}
