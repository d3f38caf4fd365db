import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { DatasetDetail, DatasetView, PolicyView, ReplicaView } from '@data-in-motion/shared/api/datasets';
import type { AlertView, AuditView, EventView, JobView, MoveView, PlanView } from '@data-in-motion/shared/api/decisions';
import type { DeviceHistory, DeviceView, FleetStatus, NodeView, TargetView } from '@data-in-motion/shared/api/fleet';
import type {
  CertificateBody,
  CertificateDocument,
  CertificateView,
  ChaosView,
  ConsistencyView,
  IntegrationsView,
} from '@data-in-motion/shared/api/operations';
import { faultKinds } from '@data-in-motion/shared/domain/fault-hooks';
import { defaultPolicy } from '@data-in-motion/shared/domain/policy';

/** What somebody could have written into a name, an error text or a drive's own description. */
export const hostile = `<img src=x onerror="window.hacked=1">`;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A small fleet with something of everything on it. All ages are told from `nowMs`. */
export function fixtureFleet(nowMs: number, manyDevices = 0) {
  const node = (nodeId: string, siteId: string, more: Partial<NodeView> = {}): NodeView => ({
    nodeId,
    siteId,
    host: `${nodeId}.example.net`,
    agentState: 'online',
    agentVersion: '0.1.0',
    incarnation: 3,
    lastHeardAtMs: nowMs - 2_000,
    transferUrl: `http://${nodeId}.example.net:7070`,
    importRoots: ['/srv/import'],
    targets: 2,
    devices: 6,
    worstRisk: 'healthy',
    runningJobs: 0,
    ...more,
  });
  const nodes: NodeView[] = [
    node('berlin-a', 'berlin', { runningJobs: 2, worstRisk: 'failing' }),
    node('berlin-b', 'berlin', { worstRisk: 'watch' }),
    node('paris-a', 'paris', { runningJobs: 1 }),
    node('cloud-a', 'frankfurt-cloud', { agentState: 'late', lastHeardAtMs: nowMs - 95_000 }),
  ];
  const target = (
    targetId: string,
    nodeId: string,
    tier: TargetView['tier'],
    usedBytes: number,
    capacityBytes: number,
    price: number,
    more: Partial<TargetView> = {},
  ): TargetView => ({
    targetId,
    nodeId,
    siteId: nodes.find((one) => one.nodeId === nodeId)!.siteId,
    state: 'ok',
    stateReason: null,
    tier,
    locationKind: nodeId === 'cloud-a' ? 'public-cloud' : 'on-premises',
    provider: nodeId === 'cloud-a' ? 'aws' : 'own',
    region: nodeId.startsWith('paris') ? 'eu-west' : 'eu-central',
    failureDomain: `${nodeId}-rack-1`,
    encryptedAtRest: nodeId === 'cloud-a',
    root: `/srv/dim/${targetId}`,
    priceClass: `${tier}-class`,
    prices: {
      storagePerGbMonth: price,
      readsPer1000: 0.0004,
      writesPer1000: 0.005,
      egressPerGb: nodeId === 'cloud-a' ? 0.09 : 0,
      minimumDays: tier === 'cold' ? 30 : 0,
    },
    capacityBytes,
    usedBytes,
    reservedBytes: capacityBytes * 0.06,
    freeBytes: capacityBytes * 0.94 - usedBytes,
    latencyP50Ms: tier === 'hot' ? 0.31 : tier === 'warm' ? 8.4 : 180,
    latencyP95Ms: tier === 'hot' ? 0.92 : tier === 'warm' ? 14 : 420,
    latencyP99Ms: tier === 'hot' ? 1.8 : tier === 'warm' ? 31 : 1_250,
    readBytesPerSec: tier === 'hot' ? 2.1e9 : 180e6,
    writeBytesPerSec: tier === 'hot' ? 1.4e9 : 150e6,
    measuredAtMs: nowMs - 12_000,
    deviceIds: [],
    risk: 'healthy',
    replicas: 42,
    costPerMonth: (usedBytes / 1e9) * price,
    ...more,
  });
  const targets: TargetView[] = [
    target('berlin-a-nvme', 'berlin-a', 'hot', 1.4e12, 4e12, 0.08),
    target('berlin-a-disk', 'berlin-a', 'warm', 22e12, 36e12, 0.018, { state: 'draining', stateReason: 'a drive under it is failing', risk: 'failing' }),
    target('berlin-b-disk', 'berlin-b', 'warm', 17e12, 36e12, 0.018, { risk: 'watch' }),
    target('paris-a-nvme', 'paris-a', 'hot', 0.9e12, 4e12, 0.085),
    target('paris-a-archive', 'paris-a', 'cold', 61e12, 120e12, 0.004),
    target('cloud-a-cold', 'cloud-a', 'cold', 8e12, 500e12, 0.00099),
  ];
  const levels: DeviceView['level'][] = ['failing', 'at-risk', 'watch', 'unknown'];
  const device = (index: number, nodeId: string, level: DeviceView['level']): DeviceView => ({
    deviceId: `${index % 3 === 0 ? 'st4000dm000' : index % 3 === 1 ? 'hgst-hms5c4040ble640' : 'samsung-pm9a3'}-z30${(4096 + index * 37).toString(16)}`,
    nodeId,
    siteId: nodes.find((one) => one.nodeId === nodeId)!.siteId,
    serial: `Z30${(4096 + index * 37).toString(16).toUpperCase()}`,
    model: index === 2 ? `ST4000DM000 ${hostile}` : index % 3 === 0 ? 'ST4000DM000' : index % 3 === 1 ? 'HGST HMS5C4040BLE640' : 'SAMSUNG PM9A3',
    kind: index % 3 === 2 ? 'nvme' : 'hdd',
    capacityBytes: [4e12, 8e12, 1.92e12, 16e12][index % 4]!,
    path: `/dev/sd${String.fromCharCode(97 + (index % 26))}`,
    targetIds: [targets.find((one) => one.nodeId === nodeId)!.targetId],
    level,
    probability: level === 'failing' ? 0.87 : level === 'at-risk' ? 0.34 : level === 'watch' ? 0.06 : level === 'unknown' ? null : 0.002,
    horizonDays: 30,
    judge: level === 'unknown' ? null : { kind: 'rule', name: 'five-attributes', version: '1' },
    reasons:
      level === 'healthy' || level === 'unknown'
        ? []
        : [
            {
              text: `${level === 'failing' ? 48 : 8} pending sectors, ${level === 'failing' ? 41 : 6} more than a week ago`,
              attribute: 'smart.197',
              value: 48,
            },
            { text: '12 reported uncorrectable errors', attribute: 'smart.187', value: 12 },
          ],
    sinceMs: nowMs - 26 * minuteMs,
    lastReadingAtMs: nowMs - 8_000,
    recordedDay: level === 'failing' ? '2015-06-18' : null,
    temperatureCelsius: 24 + (index % 13),
    powerOnHours: 18_240 + index * 811,
    datasets: level === 'failing' ? 14 : index % 9,
  });
  const devices: DeviceView[] = nodes.flatMap((one, row) =>
    Array.from({ length: 7 }, (_, column) => device(row * 7 + column, one.nodeId, row < 2 && column < 2 ? levels[row * 2 + column]! : 'healthy')),
  );
  for (let extra = 0; extra < manyDevices; extra += 1)
    devices.push({
      ...device(100 + extra, nodes[extra % nodes.length]!.nodeId, extra % 311 === 0 ? 'at-risk' : extra % 97 === 0 ? 'watch' : 'healthy'),
      deviceId: `drive-${extra}`,
    });

  const status: FleetStatus = {
    sentence: 'All 214 datasets have their copies. 1 drive is failing; its evacuation ends in 4 min.',
    safe: true,
    asOfMs: nowMs,
    version: '0.1.0',
    mode: 'embedded',
    uptimeMs: 3 * hourMs,
    storeEpoch: '1',
    nodes: { total: 4, online: 3, lost: 0 },
    devices: { total: devices.length, risky: 2, watched: 1 },
    targets: { total: 6, ok: 5 },
    datasets: { total: 214, met: 214, short: 0, infeasible: 0, empty: 0, hot: 18, warm: 61, cold: 135 },
    jobs: { running: 3, waiting: 2, failed: 1 },
    cost: { perMonth: 1204.51, byTier: { hot: 188.5, warm: 702.0, cold: 314.01 }, byOwner: { research: 604.2, imaging: 402.1, [hostile]: 198.21 } },
    capacity: [
      { tier: 'hot', capacityBytes: 8e12, usedBytes: 2.3e12, reservedBytes: 0.4e12, costPerMonth: 188.5 },
      { tier: 'warm', capacityBytes: 72e12, usedBytes: 39e12, reservedBytes: 4e12, costPerMonth: 702.0 },
      { tier: 'cold', capacityBytes: 620e12, usedBytes: 69e12, reservedBytes: 9e12, costPerMonth: 314.01 },
    ],
    lastHour: [
      { atMs: nowMs - 40_000, text: 'survey-2026 got its second verified copy on paris-a-archive.' },
      { atMs: nowMs - 26 * minuteMs, text: 'Drive Z301000 in berlin-a became failing: 48 pending sectors.' },
      { atMs: nowMs - 41 * minuteMs, text: 'A plan saves $42.10 a month by moving 12 datasets.' },
      { atMs: nowMs - 55 * minuteMs, text: `${hostile} was imported.` },
    ],
  };

  const policy: PolicyView = { ...defaultPolicy, regions: ['eu-central', 'eu-west'], latencySloMs: 50, pinnedTargets: [], forbiddenTargets: [] };
  const names = ['survey-2026', 'mri-scans', 'genome-run-14', 'web-logs', 'telescope-night-221', 'payroll', 'video-masters', 'backups-mail'];
  const dataset = (index: number): DatasetView => ({
    datasetId: index < names.length ? names[index]! : `archive-${String(index).padStart(4, '0')}`,
    name: index === 3 ? hostile : index < names.length ? names[index]! : `archive-${String(index).padStart(4, '0')}`,
    owner: index === 5 ? hostile : ['research', 'imaging', 'platform'][index % 3]!,
    rev: 4 + index,
    createdAtMs: nowMs - (index + 2) * dayMs,
    sizeBytes: ((index * 7919) % 977) * 1.3e9 + 4e7,
    objects: 1_204 + index * 331,
    versionId: '01JQ0000000000000000000V01',
    root: '9f2c4e1a'.repeat(8),
    copiesWanted: 2,
    copiesVerified: index === 1 ? 1 : 2,
    tier: (['hot', 'warm', 'cold'] as const)[index % 3]!,
    heat: {
      class: (['hot', 'warm', 'cold'] as const)[(index + (index % 7 === 0 ? 1 : 0)) % 3]!,
      score: [0.91, 0.42, 0.03][index % 3]!,
      confidence: 0.82,
      decidedAtMs: nowMs - 30_000,
      lastAccessAtMs: nowMs - index * hourMs,
      ewmaPerHour: 12,
      windows: [
        { window: '1h', reads: 120, writes: 3, readBytes: 4e9, writtenBytes: 1e7 },
        { window: '6h', reads: 612, writes: 14, readBytes: 2.1e10, writtenBytes: 6e7 },
        { window: '24h', reads: 1920, writes: 30, readBytes: 7.7e10, writtenBytes: 1.4e8 },
      ],
      reason: '120 reads in the last hour, more than in 82 % of the hours of the past week',
    },
    costPerMonth: [12.4, 3.81, 0.0041][index % 3]!,
    policyState: index === 1 ? 'working' : index === 6 ? 'infeasible' : index === 7 ? 'short' : 'met',
    primary: { replicaId: '01JQ0000000000000000000R01', targetId: 'berlin-a-nvme', nodeId: 'berlin-a', pointerRev: 3 },
  });
  const datasets: DatasetView[] = Array.from({ length: 2_140 }, (_, index) => dataset(index));
  const replica = (targetId: string, more: Partial<ReplicaView>): ReplicaView => {
    const at = targets.find((one) => one.targetId === targetId)!;
    return {
      replicaId: `01JQ00000000000000000${targetId.slice(0, 5).toUpperCase().replace('-', '0')}`,
      versionId: '01JQ0000000000000000000V01',
      targetId,
      nodeId: at.nodeId,
      siteId: at.siteId,
      region: at.region,
      tier: at.tier,
      state: 'verified',
      primary: false,
      current: true,
      verifiedAtMs: nowMs - 14 * minuteMs,
      verifiedLevel: 'L2',
      path: `${at.root}/survey-2026/01JQ0000000000000000000R01`,
      costPerMonth: 9.1,
      why: 'It is read 120 times an hour and its policy wants p95 below 50 ms: the cheapest target with free space that keeps it is this one.',
      cost: { storagePerMonth: 7.84, requestsPerMonth: 0.92, egressPerMonth: 0.34, migrationOnce: 0 },
      alternatives: targets
        .filter((one) => one.targetId !== targetId)
        .map((one) => ({
          targetId: one.targetId,
          allowed: one.tier !== 'cold',
          violates: one.tier === 'cold' ? ['latency: p95 420 ms is above 50 ms'] : [],
          cost: { storagePerMonth: 4, requestsPerMonth: 1, egressPerMonth: 1, migrationOnce: 0.4 },
          totalPerMonth: 6 + one.targetId.length / 7,
          differencePerMonth: (one.targetId.length - 13) * 0.71,
          latencyP95Ms: one.latencyP95Ms,
        })),
      ...more,
    };
  };
  const detail: DatasetDetail = {
    dataset: datasets[0]!,
    policy,
    ownPolicy: { latencySloMs: 50, regions: ['eu-central', 'eu-west'] },
    findings: [
      {
        rule: 'latency-slo',
        text: 'The latency SLO of 50 ms keeps its primary on NVMe, which costs $6.20 a month more than disk.',
        remedy: 'Raise the SLO to 60 ms, or accept the price.',
        severity: 'warning',
      },
    ],
    replicas: [
      replica('berlin-a-nvme', { primary: true }),
      replica('paris-a-archive', {
        verifiedLevel: 'L2',
        cost: { storagePerMonth: 0.39, requestsPerMonth: 0.01, egressPerMonth: 0, migrationOnce: 0 },
        costPerMonth: 0.4,
        why: 'The second copy must be at another site; this is the cheapest place outside berlin.',
      }),
      replica('berlin-b-disk', { state: 'purged', primary: false, current: false }),
    ],
    versions: [
      { versionId: '01JQ0000000000000000000V01', root: '9f2c4e1a'.repeat(8), objects: 1204, sizeBytes: 98e9, committedAtMs: nowMs - 2 * dayMs, current: true, notes: ['1 pipe, socket or device was left out', 'run/ctl: no file: a pipe, socket or device'] },
    ],
    accessByHour: Array.from({ length: 168 }, (_, hour) => Math.max(0, Math.round(60 * Math.sin(((hour % 24) - 7) / 3.8) ** 3 + ((hour * 31) % 17)))),
    history: [
      { atMs: nowMs - 14 * minuteMs, text: 'berlin-a-nvme was read back, every leaf: equal.' },
      { atMs: nowMs - 3 * hourMs, text: 'The primary moved from berlin-b-disk to berlin-a-nvme because it is read more.' },
      { atMs: nowMs - 2 * dayMs, text: `Version committed: 1,204 objects, 98 GB, by ${hostile}.` },
    ],
  };

  const job = (jobId: string, state: JobView['state'], more: Partial<JobView> = {}): JobView => ({
    jobId,
    key: jobId,
    datasetId: 'survey-2026',
    purpose: 'move',
    state,
    need: 'evacuate-device',
    reason: 'drive Z301000 under berlin-a-disk is failing: 48 pending sectors',
    fromTargetId: 'berlin-a-disk',
    toTargetId: 'berlin-b-disk',
    agentNodeId: 'berlin-b',
    epoch: 2,
    attempt: 1,
    notBeforeMs: null,
    waitingBecause: null,
    error: null,
    progress: null,
    sizeBytes: 98e9,
    movedBytes: 0,
    createdAtMs: nowMs - 20 * minuteMs,
    startedAtMs: nowMs - 18 * minuteMs,
    endedAtMs: null,
    ...more,
  });
  const progress = (step: string, share: number, bytesPerSec: number) => ({
    step,
    objectsDone: Math.round(1204 * share),
    objectsTotal: 1204,
    bytesDone: 98e9 * share,
    bytesTotal: 98e9,
    bytesPerSec,
    remainingMs: bytesPerSec === 0 ? null : ((98e9 * (1 - share)) / bytesPerSec) * 1000,
    atMs: nowMs - 2_000,
  });
  const jobs: JobView[] = [
    job('01JQJ1', 'copying', { progress: progress('copy', 0.62, 143e6) }),
    job('01JQJ2', 'verifying', {
      datasetId: 'mri-scans',
      agentNodeId: 'berlin-a',
      purpose: 'copy',
      need: 'add-copy',
      reason: 'it has 1 of 2 verified copies',
      fromTargetId: 'berlin-a-nvme',
      toTargetId: 'paris-a-archive',
      progress: progress('verify', 0.18, 210e6),
    }),
    job('01JQJ3', 'scanning', {
      datasetId: 'web-logs',
      purpose: 'import',
      need: null,
      reason: 'added by admin',
      fromTargetId: null,
      toTargetId: 'paris-a-nvme',
      progress: progress('scan', 0.4, 0),
    }),
    job('01JQJ4', 'grace', { datasetId: 'payroll', agentNodeId: 'berlin-a' }),
    job('01JQJ5', 'no-space', {
      datasetId: 'video-masters',
      attempt: 3,
      waitingBecause: 'paris-a-nvme has 310 GB free, the copy needs 640 GB',
      notBeforeMs: nowMs + 95_000,
      error: { class: 'space', code: 'target.full', message: 'write failed: ENOSPC', hint: 'Give the target more room or wait for the evacuation to end.' },
    }),
    job('01JQJ6', 'source-changed', {
      datasetId: 'telescope-night-221',
      purpose: 'import',
      waitingBecause: 'a file is still growing: night-221.fits',
      notBeforeMs: nowMs + 30_000,
      fromTargetId: null,
    }),
    job('01JQJ8', 'copying', {
      datasetId: 'field-notes',
      purpose: 'import',
      fromTargetId: null,
      toTargetId: null,
      waitingBecause: 'no target of the region eu-north is there to take it',
    }),
    job('01JQJ7', 'dead-letter', {
      datasetId: 'backups-mail',
      attempt: 6,
      error: { class: 'permanent', code: 'source.unreadable', message: `EACCES reading ${hostile}`, hint: 'Let the agent read the file, then retry.' },
    }),
    ...Array.from({ length: 34 }, (_, index) =>
      job(`01JQD${index}`, index % 11 === 5 ? 'cancelled' : 'done', {
        datasetId: `archive-00${10 + index}`,
        need: 'cheaper-place',
        purpose: index % 5 === 0 ? 'verify' : 'move',
        reason: 'it costs $0.31 a month less there',
        movedBytes: 40e9,
        startedAtMs: nowMs - (index + 1) * 42 * minuteMs - 25 * minuteMs,
        endedAtMs: nowMs - (index + 1) * 42 * minuteMs + (index % 4) * 9 * minuteMs,
      }),
    ),
  ];

  const move = (index: number, more: Partial<MoveView>): MoveView => ({
    moveId: `m${index}`,
    datasetId: index < names.length ? names[index]! : `archive-00${index}`,
    need: 'cheaper-place',
    action: 'move',
    fromTargetId: 'berlin-b-disk',
    toTargetId: 'paris-a-archive',
    sizeBytes: 40e9 + index * 11e9,
    reason: 'not read for 41 days; the archive keeps its 2 s latency limit',
    confidence: 0.93,
    costBefore: { storagePerMonth: 1.2, requestsPerMonth: 0.01, egressPerMonth: 0, migrationOnce: 0 },
    costAfter: { storagePerMonth: 0.27, requestsPerMonth: 0.02, egressPerMonth: 0, migrationOnce: 0.4 },
    changePerMonth: -0.92,
    migrationOnce: 0.4,
    paybackDays: 13.2,
    expectedMs: 14 * minuteMs,
    verdict: 'advised',
    heldBecause: null,
    jobId: null,
    ...more,
  });
  const plan: PlanView = {
    planId: '01JQP1',
    madeAtMs: nowMs - 41_000,
    dryRun: false,
    state: 'current',
    solver: 'highs',
    solvedInMs: 412,
    objectivePerMonth: 1162.41,
    lowerBoundPerMonth: 1160.02,
    costBeforePerMonth: 1204.51,
    costAfterPerMonth: 1162.41,
    migrationOnce: 6.2,
    moves: [
      move(0, {
        need: 'evacuate-device',
        fromTargetId: 'berlin-a-disk',
        toTargetId: 'berlin-b-disk',
        reason: 'drive Z301000 under berlin-a-disk is failing: 48 pending sectors',
        changePerMonth: 0,
        migrationOnce: 0,
        paybackDays: null,
        verdict: 'admitted',
        jobId: '01JQJ1',
        confidence: 0.87,
      }),
      move(1, {
        need: 'add-copy',
        action: 'copy',
        fromTargetId: null,
        toTargetId: 'paris-a-archive',
        reason: 'it has 1 of 2 verified copies',
        changePerMonth: 0.39,
        paybackDays: null,
        verdict: 'admitted',
        jobId: '01JQJ2',
      }),
      move(2, {
        need: 'follow-heat',
        fromTargetId: 'berlin-b-disk',
        toTargetId: 'paris-a-nvme',
        reason: 'read 120 times in the last hour; p95 falls from 14 ms to 0.9 ms',
        changePerMonth: 4.1,
        paybackDays: null,
      }),
      ...Array.from({ length: 9 }, (_, index) =>
        move(
          index + 3,
          index === 4 ? { verdict: 'held', heldBecause: 'moved 2 h ago; it stays for at least 24 h' } : index % 2 === 0 ? { toTargetId: 'cloud-a-cold' } : {},
        ),
      ),
    ],
    infeasible: [
      { datasetId: 'video-masters', rules: ['p95 at most 1 ms', 'regions: us-east'], cheapestWayOut: 'Allow eu-central: $18.40 a month on berlin-a-nvme.' },
    ],
  };

  const types = ['job.transition', 'dataset.pointer-moved', 'device.level-changed', 'plan.made', 'sync_conflict', 'alert.raised'];
  const event = (seq: number): EventView => ({
    seq,
    atMs: nowMs - (200 - seq) * 47_000,
    type: types[seq % types.length]!,
    severity: seq % 17 === 0 ? 'error' : seq % 7 === 0 ? 'warning' : 'info',
    text:
      seq % 13 === 0
        ? `Somebody named it ${hostile}.`
        : [
            'survey-2026: copying became copied.',
            'The primary of payroll is on berlin-a-nvme now.',
            'Drive Z301000 became failing: 48 pending sectors.',
            'A plan with 12 moves saves $42.10 a month.',
            'Two changes of mri-scans met; one was tried again.',
            'video-masters waits for space.',
          ][seq % types.length]!,
    ids: [
      { jobId: '01JQJ1', datasetId: 'survey-2026' },
      { datasetId: 'payroll' },
      { deviceId: devices[0]!.deviceId },
      { planId: '01JQP1' },
      { datasetId: 'mri-scans' },
      { datasetId: 'video-masters' },
    ][seq % types.length]!,
    by: ['loop', 'berlin-a', 'berlin-a', 'loop', 'api', 'loop'][seq % types.length]!,
  });
  const events: EventView[] = Array.from({ length: 200 }, (_, index) => event(200 - index));
  const alerts: AlertView[] = [
    {
      alertId: 'a1',
      rule: 'drive-failing',
      severity: 'error',
      text: 'Drive Z301000 in berlin-a is failing; 14 datasets are being moved away.',
      ids: { deviceId: devices[0]!.deviceId },
      sinceMs: nowMs - 26 * minuteMs,
      endedAtMs: null,
      times: 1,
    },
  ];
  const audit: AuditView[] = [
    {
      seq: 2,
      atMs: nowMs - 5 * minuteMs,
      who: 'admin',
      role: 'admin',
      action: 'policy.patch',
      subject: 'survey-2026',
      detail: { set: { latencySloMs: 50 } },
      outcome: 'done',
    },
    { seq: 1, atMs: nowMs - 3 * hourMs, who: hostile, role: 'viewer', action: 'chaos.start', subject: 'berlin-a', detail: {}, outcome: 'refused: role' },
  ];

  const startDay = Date.parse('2015-02-10T00:00:00Z');
  const history: DeviceHistory = {
    device: devices[0]!,
    readings: Array.from({ length: 129 }, (_, day) => ({
      atMs: nowMs - (129 - day) * 12_000,
      recordedDay: new Date(startDay + day * dayMs).toISOString().slice(0, 10),
      status: 'read',
      smart: {
        '5': day < 80 ? 0 : (day - 80) * 2,
        '187': day < 105 ? 0 : Math.floor((day - 105) / 2),
        '188': 0,
        '197': day < 96 ? 0 : Math.round((day - 96) * 1.45),
        '198': day < 100 ? 0 : Math.round((day - 100) * 1.2),
        '194': 26,
      },
      temperatureCelsius: 25 + Math.round(3 * Math.sin(day / 9)),
    })),
    assessments: [
      { day: 84, level: 'watch' as const, probability: 0.06, reasons: ['8 reallocated sectors'] },
      { day: 110, level: 'at-risk' as const, probability: 0.34, reasons: ['20 pending sectors', '2 reported uncorrectable errors'] },
      { day: 124, level: 'failing' as const, probability: 0.87, reasons: ['48 pending sectors, 41 more than a week ago'] },
    ].map(({ day, ...one }) => ({ ...one, atMs: nowMs - (129 - day) * 12_000, recordedDay: new Date(startDay + day * dayMs).toISOString().slice(0, 10) })),
  };

  const consistency: ConsistencyView = {
    asOfMs: nowMs,
    inStep: false,
    sentence: '2 copies are being rebuilt and 1 conflict waits for a person. Nothing is lost.',
    items: [
      {
        kind: 'missing-copy',
        datasetId: 'mri-scans',
        targetId: 'paris-a-archive',
        nodeId: null,
        text: '1 of 2 copies is verified; the second is being made',
        sinceMs: nowMs - 20 * minuteMs,
        state: 'working',
        jobId: '01JQJ2',
        attempts: 1,
      },
      {
        kind: 'conflict',
        datasetId: 'payroll',
        targetId: 'berlin-b-disk',
        nodeId: 'berlin-b',
        text: `somebody wrote into the copy: ${hostile}`,
        sinceMs: nowMs - 2 * hourMs,
        state: 'needs-person',
        jobId: null,
        attempts: 3,
      },
      {
        kind: 'late-batch',
        datasetId: null,
        targetId: null,
        nodeId: 'cloud-a',
        text: 'no report for 95 s',
        sinceMs: nowMs - 95_000,
        state: 'waiting',
        jobId: null,
        attempts: 0,
      },
    ],
    streams: nodes.map((one, index) => ({
      nodeId: one.nodeId,
      incarnation: 3,
      watermark: 10_204 + index * 97,
      highestSeen: 10_204 + index * 97 + (index === 3 ? 4 : 0),
      holes: index === 3 ? 1 : 0,
      lostBefore: 0,
      desiredRev: 84,
      observedRev: index === 3 ? 82 : 84,
      lastBatchAtMs: nowMs - (index === 3 ? 95_000 : 3_000),
    })),
    scrub: { lastAtMs: nowMs - 40 * minuteMs, oldestVerifiedAtMs: nowMs - 6 * dayMs, everyMs: 7 * dayMs, due: 3 },
    quarantined: 1,
    syncConflicts: 12,
    quarantine: [{ id: 'q1', atMs: nowMs - hourMs, topic: 'dim/v1/berlin-b/up/batch', because: `not JSON: ${hostile}`, bytes: 4_096 }],
  };
  const experiment = {
    experimentId: '01JQX1',
    kind: 'target-latency',
    subject: 'berlin-b-disk',
    nodeId: 'berlin-b',
    parameters: { addedMs: 500 },
    state: 'armed' as const,
    detail: 'the agent confirmed it',
    startedAtMs: nowMs - 20_000,
    endsAtMs: nowMs + 100_000,
    endedAtMs: null,
  };
  const chaos: ChaosView = {
    allowed: true,
    armed: [experiment],
    recent: [
      {
        ...experiment,
        experimentId: '01JQX0',
        kind: 'flip-byte',
        subject: '01JQR7',
        state: 'refused',
        detail: 'this is the last verified copy of payroll',
        startedAtMs: nowMs - hourMs,
        endsAtMs: nowMs - hourMs,
        endedAtMs: nowMs - hourMs,
      },
    ],
    kinds: Object.entries(faultKinds).map(([kind, row]) => ({ kind, on: row.on, parameters: row.parameters, says: row.says })),
    invariants: [
      { name: 'copies', says: 'No dataset has fewer verified copies than one', holds: true, detail: '214 of 214 datasets' },
      { name: 'one-primary', says: 'Every dataset has exactly one primary', holds: true, detail: '214 pointers, each verified' },
      { name: 'nothing-twice', says: 'No job has two effects', holds: true, detail: '1,204 jobs, 1,204 switches' },
      { name: 'reports', says: 'Every report of an agent is stored once', holds: false, detail: 'cloud-a: 1 hole, being asked for' },
    ],
  };
  const { certificates, documents } = fixtureCertificates(nowMs, devices[0]!);
  const integrations: IntegrationsView = {
    broker: { url: 'mqtt://127.0.0.1:1883', kind: 'embedded', connected: true },
    topics: [
      {
        name: 'batch',
        pattern: 'dim/v1/{nodeId}/up/batch',
        from: 'agent',
        qos: 1,
        retain: false,
        says: 'sealed, sequenced records: readings, assessments, accesses, what happened to jobs',
        messages: 40_812,
        perMinute: 62.4,
        lastAtMs: nowMs - 900,
      },
      {
        name: 'desired',
        pattern: 'dim/v1/{nodeId}/down/desired',
        from: 'control-plane',
        qos: 1,
        retain: false,
        says: 'signed: all that the agent should be doing',
        messages: 412,
        perMinute: 1.2,
        lastAtMs: nowMs - 12_000,
      },
    ],
    clients: nodes.map((one) => ({ clientId: one.nodeId, role: 'agent', connected: one.agentState === 'online', sinceMs: nowMs - 3 * hourMs })),
    keys: [{ keyId: 'k-01', name: 'first', role: 'admin', createdAtMs: nowMs - dayMs, lastUsedAtMs: nowMs - minuteMs }],
    documents: [
      { title: 'HTTP interface', href: '/docs' },
      { title: 'OpenAPI 3.1', href: '/openapi.json' },
      { title: 'AsyncAPI 3', href: '/asyncapi.json' },
    ],
    dependencies: [
      { name: 'database', state: 'up', detail: 'PGlite, 0.4 ms' },
      { name: 'agent links', state: 'up', detail: '3 of 4' },
    ],
  };
  return {
    nodes,
    targets,
    devices,
    status,
    datasets,
    detail,
    policy,
    jobs,
    plan,
    events,
    alerts,
    audit,
    history,
    consistency,
    chaos,
    certificates,
    documents,
    integrations,
  };
}

/** One genuine certificate, and one whose text was changed after it was signed. */
function fixtureCertificates(nowMs: number, device: DeviceView): { certificates: CertificateView[]; documents: Record<string, CertificateDocument> } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const keyId = createHash('sha256')
    .update(createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 32);
  const body: CertificateBody = {
    v: 1,
    kind: 'evacuation',
    certificateId: '01JQC1',
    issuedAtMs: nowMs - 10 * minuteMs,
    device: {
      deviceId: device.deviceId,
      serial: device.serial,
      model: device.model,
      nodeId: device.nodeId,
      siteId: device.siteId,
      targetIds: device.targetIds,
    },
    judge: { kind: 'rule', name: 'five-attributes', version: '1' },
    alarm: { atMs: nowMs - 26 * minuteMs, recordedDay: '2015-06-18', level: 'failing', probability: 0.87, reasons: ['48 pending sectors'] },
    readings: [{ atMs: nowMs - 26 * minuteMs, recordedDay: '2015-06-18', smart: { '197': 48 } }],
    replicas: [
      {
        datasetId: 'survey-2026',
        versionId: 'v1',
        root: '9f2c4e1a'.repeat(8),
        objects: 1204,
        bytes: 98e9,
        from: { replicaId: 'r1', targetId: 'berlin-a-disk', nodeId: 'berlin-a' },
        to: { replicaId: 'r2', targetId: 'berlin-b-disk', nodeId: 'berlin-b' },
        verifiedRoot: '9f2c4e1a'.repeat(8),
        verifiedAtMs: nowMs - 12 * minuteMs,
        switchedAtMs: nowMs - 11 * minuteMs,
        retiredAtMs: nowMs - 10 * minuteMs,
        keptBecause: null,
      },
    ],
    emptyAtMs: nowMs - 10 * minuteMs,
    outcome: { atMs: nowMs - 2 * minuteMs, state: 'failed', recordedDay: '2015-06-21', text: 'It failed on 2015-06-21, three days after it was empty.' },
  };
  const text = JSON.stringify(body);
  const signature = sign(null, Buffer.from(text), privateKey).toString('base64url');
  const view = (certificateId: string): CertificateView => ({
    certificateId,
    deviceId: device.deviceId,
    nodeId: device.nodeId,
    issuedAtMs: body.issuedAtMs,
    state: 'complete',
    replicas: 1,
    outcome: body.outcome?.text ?? null,
    verified: true,
  });
  return {
    certificates: [view('01JQC1'), view('01JQC2')],
    documents: {
      '01JQC1': { body: text, signature, keyId, publicKeyPem },
      '01JQC2': { body: text.replace('98000000000', '97000000000'), signature, keyId, publicKeyPem },
    },
  };
}
