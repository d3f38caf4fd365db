import { type DeviceView, deviceHistory, deviceView } from '@data-in-motion/shared/api/fleet';
import type { Command } from 'commander';
import { age, bytes, moment, percent, whole } from './figures.ts';
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
      session.answer(history, () => historyText(history.device, history.readings, Date.now()));
    },
  });
  addAcknowledge(devices);
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

function historyText(
  device: DeviceView,
  readings: readonly { atMs: number; recordedDay: string | null; status: string; smart: Record<string, number>; temperatureCelsius: number | null }[],
  nowMs: number,
): string {
  return [
    facts([
      ['device', `${device.model}, serial ${device.serial}, ${device.kind}, ${bytes(device.capacityBytes)}`],
      ['place', `${device.nodeId}, ${device.path}; under ${device.targetIds.join(', ') || 'no target'}`],
      ['risk', `${device.level} since ${age(device.sinceMs, nowMs)}; ${percent(device.probability)} to fail within ${device.horizonDays} days`],
      ['judged by', device.judge === null ? 'nothing yet' : `${device.judge.kind} ${device.judge.name}, version ${device.judge.version}`],
      ['datasets', whole(device.datasets)],
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
