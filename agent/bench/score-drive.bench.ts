/**
 * How long it takes to score one drive: the trees with their calibration, the features before them, and the whole assessment of two years of readings.
 * `npm run bench:score --workspace agent`. Prints microseconds and writes bench/results/score-drive.json.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DeviceIdentity, Reading } from '@data-in-motion/shared/domain/device';
import { driveFeatureNames, driveFeatures } from '@data-in-motion/shared/domain/drive-features';
import { historyOf } from '@data-in-motion/shared/domain/drive-history';
import { FailureJudge } from '@data-in-motion/shared/domain/failure-model';
import { deviceIdOf } from '@data-in-motion/shared/domain/ids';
import { seededRandom } from '@data-in-motion/shared/random';
import { assessDevice } from '../src/predict/assess-device.ts';
import { daysKept, median, modelToMeasure, pointsOfDrive } from './bench-model.ts';

const drives = 200;
const rounds = 15;
const lastDay = 20_000;
const dayMs = 86_400_000;

const { from, model } = modelToMeasure();
const judge = new FailureJudge(model);
const device: DeviceIdentity = {
  deviceId: deviceIdOf('ST4000DM000', 'BENCH'),
  serial: 'BENCH',
  model: 'ST4000DM000',
  kind: 'hdd',
  transport: 'ata',
  capacityBytes: 4e12,
  firmware: null,
  path: '/dev/sda',
};
const kind = { maker: 'seagate', capacityBytes: 4e12 } as const;

const random = seededRandom(2);
const points = Array.from({ length: drives }, () => pointsOfDrive(random, daysKept(lastDay)));
const histories = points.map(historyOf);
const readings = points.map((drive) => drive.map((point): Reading => readingOf(point.day * dayMs, point.powerOnHours ?? 0, point.smart)));
const known = new Float64Array(driveFeatureNames.length);
const inputs = histories.map((history) => {
  driveFeatures(history, kind, lastDay, known);
  return known.slice();
});

const measured = {
  treesUs: microseconds(200, (drive) => judge.score(inputs[drive]!).p30),
  featuresUs: microseconds(20, (drive) => {
    driveFeatures(histories[drive]!, kind, lastDay, known);
    return known[0]!;
  }),
  historyFeaturesAndTreesUs: microseconds(5, (drive) => {
    driveFeatures(historyOf(points[drive]!), kind, lastDay, known);
    return judge.score(known).p30;
  }),
  assessmentUs: microseconds(2, (drive) => assessDevice(readings[drive]!, lastDay * dayMs, { device, model: judge }).probability ?? 0),
};
const about = {
  model: from,
  trees: model.trees.roots.length,
  nodes: model.trees.feature.length,
  features: model.features.length,
  bytes: JSON.stringify(model).length,
};
console.log(
  `${from} model, ${about.trees} trees of ${about.nodes} nodes together, ${(about.bytes / 1e3).toFixed(0)} kB: trees ${measured.treesUs.toFixed(1)} µs, ` +
    `features ${measured.featuresUs.toFixed(1)} µs, from points to score ${measured.historyFeaturesAndTreesUs.toFixed(1)} µs, ` +
    `assessment of ${readings[0]!.length} readings ${measured.assessmentUs.toFixed(0)} µs`,
);
const file = path.join(import.meta.dirname, 'results/score-drive.json');
fs.mkdirSync(path.dirname(file), { recursive: true });
fs.writeFileSync(file, `${JSON.stringify({ atMs: Date.now(), cores: os.availableParallelism(), rounds, drives, about, measured }, null, 2)}\n`);

/** For one drive, the median of the rounds; each round goes over all drives `times` times, so that no answer is learned by heart. */
function microseconds(times: number, work: (drive: number) => number): number {
  let kept = 0;
  const tookUs = Array.from({ length: rounds }, () => {
    const startedMs = performance.now();
    for (let time = 0; time < times; time++) for (let drive = 0; drive < drives; drive++) kept += work(drive);
    return ((performance.now() - startedMs) * 1_000) / (times * drives);
  });
  if (Number.isNaN(kept)) throw new Error('a score is no number');
  return median(tookUs);
}

function readingOf(atMs: number, powerOnHours: number, smart: Reading['smart']): Reading {
  return {
    deviceId: device.deviceId,
    atMs,
    recordedDay: null,
    source: 'simulated',
    status: 'read',
    unreadableBecause: null,
    selfAssessmentPassed: true,
    temperatureCelsius: 30,
    powerOnHours,
    smart,
    nvme: null,
  };
}
