import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Home, replaceFile } from './home.ts';
import { targetEveryMs } from './life-settings.ts';
import type { LocalNode } from './local-sites.ts';
import type { SampleDrive } from './sample-drives.ts';

export interface AgentFiles {
  readonly configFile: string;
  readonly credentialsFile: string;
}

export interface AgentFileParts {
  readonly home: Home;
  readonly node: LocalNode;
  readonly mqttUrl: string;
  /** Where a directory may be imported from. */
  readonly importRoots: readonly string[];
  /** What lies under each target, in the targets' order. */
  readonly drives: readonly (readonly SampleDrive[])[];
  readonly secondsPerDay: number;
  /** First recorded day that is played, `YYYY-MM-DD`; the whole life when absent. */
  readonly startDay: string | undefined;
  /** More settings of the agent, for tests; they stand over ours. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export function agentFiles(home: Home, nodeId: string): AgentFiles {
  return { configFile: path.join(home.agent(nodeId), 'agent.json'), credentialsFile: path.join(home.agent(nodeId), 'credentials.json') };
}

/** Write the settings file that `agent/src/main.ts --config` reads, anew at every start: ports and paths may have changed. */
export function writeAgentConfig(parts: AgentFileParts): AgentFiles {
  const { home, node } = parts;
  const files = agentFiles(home, node.nodeId);
  const stateDirectory = path.join(home.agent(node.nodeId), 'state');
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const drives = parts.drives.flat();
  const config = {
    nodeId: node.nodeId,
    siteId: node.siteId,
    mqttUrl: parts.mqttUrl,
    credentialsFile: files.credentialsFile,
    stateDirectory,
    importRoots: parts.importRoots,
    transfer: { host: '127.0.0.1', port: 0 },
    targets: node.targets.map((target, i) => {
      const root = targetRoot(home, target.name);
      mkdirSync(root, { recursive: true, mode: 0o755 });
      return {
        targetId: target.name,
        store: 'posix',
        root,
        tier: target.tier,
        locationKind: node.locationKind,
        provider: target.provider,
        region: target.region,
        failureDomain: target.failureDomain,
        encryptedAtRest: target.encryptedAtRest,
        priceClass: target.priceClass,
        capacityBytes: target.capacityBytes,
        reserveBytes: 500_000_000,
        deviceIds: (parts.drives[i] ?? []).map((drive) => drive.deviceId),
        addedLatencyMs: target.addedLatencyMs,
      };
    }),
    telemetry: {
      // The machine's own drives belong to no target here; a real agent reads them.
      smartctl: 'off',
      targetEveryMs,
      targetToldEveryMs: targetEveryMs,
      fileTimesEveryMs: 10_000,
      replay: drives.length === 0 ? null : replaySettings(parts, drives),
    },
    faultsAllowed: true,
    ...parts.settings,
  };
  replaceFile(files.configFile, `${JSON.stringify(config, null, 2)}\n`, 0o600);
  return files;
}

export function targetRoot(home: Home, targetId: string): string {
  return path.join(home.directory, 'targets', targetId);
}

function replaySettings(parts: AgentFileParts, drives: readonly SampleDrive[]): Record<string, unknown> {
  return {
    driveFiles: [...new Set(drives.map((drive) => drive.file))],
    drives: drives.map((drive) => drive.serial),
    secondsPerDay: parts.secondsPerDay,
    ...(parts.startDay === undefined ? {} : { startDay: parts.startDay }),
  };
}
