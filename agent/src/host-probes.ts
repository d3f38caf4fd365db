import path from 'node:path';
import type { Clock } from '@data-in-motion/shared/clock';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import type { AgentConfig } from './config.ts';
import type { DriveAging } from './faults/fault.ts';
import type { DeviceProbe, Note } from './telemetry/device-probe.ts';
import { ReplayProbe, type ReplaySettings } from './telemetry/probes/replay.ts';
import { SmartctlProbe } from './telemetry/probes/smartctl.ts';

export interface HostProbes {
  readonly probes: readonly DeviceProbe[];
  /** Over all replayed recordings. */
  readonly drives: DriveAging;
}

const smartctlTimeoutMs = 30_000;

/** The ways to this host's devices that its settings name. @throws Failure `refused` when a recording can not be played */
export async function openHostProbes(config: AgentConfig, clock: Clock, note: Note): Promise<HostProbes> {
  const replays = await Promise.all(recordingsOf(config).map((settings) => ReplayProbe.open(settings, clock)));
  return {
    probes: [...smartctlProbe(config.telemetry, clock, note), ...replays],
    drives: {
      degrade: (deviceId, pace) => replays.some((replay) => replay.degrade(deviceId as DeviceId, pace)),
      restore: (deviceId) => {
        for (const replay of replays) replay.restore(deviceId as DeviceId);
      },
    },
  };
}

function smartctlProbe({ smartctl, sysfsDirectory }: AgentConfig['telemetry'], clock: Clock, note: Note): DeviceProbe[] {
  if (smartctl === 'off') return [];
  const command = smartctl === 'auto' ? 'smartctl' : smartctl;
  return [new SmartctlProbe({ clock, note, command, timeoutMs: smartctlTimeoutMs, sysfs: sysfsDirectory })];
}

/** One probe per recording; each keeps its own place in it. */
function recordingsOf({ telemetry: { replay }, stateDirectory }: AgentConfig): ReplaySettings[] {
  if (replay === null) return [];
  const { driveFiles, changePoints, drives, secondsPerDay, startDay } = replay;
  const sources: ReplaySettings['source'][] = [
    ...driveFiles.map((file) => ({ kind: 'daily', file }) as const),
    ...(changePoints === null ? [] : [{ kind: 'change-points', ...changePoints } as const]),
  ];
  return sources.map((source, i) => ({ source, drives, secondsPerDay, startDay, stateFile: path.join(stateDirectory, `replay-${i + 1}.json`) }));
}
