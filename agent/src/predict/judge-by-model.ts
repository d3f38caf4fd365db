import type { RiskLevel } from '@data-in-motion/shared/domain/assessment';
import type { DeviceIdentity } from '@data-in-motion/shared/domain/device';
import { driveFeatureNames, driveFeatures } from '@data-in-motion/shared/domain/drive-features';
import { historyOf } from '@data-in-motion/shared/domain/drive-history';
import { driveMaker } from '@data-in-motion/shared/domain/drive-makers';
import { type FailureJudge, levelOfScore } from '@data-in-motion/shared/domain/failure-model';
import { signReason } from './counter-words.ts';
import { explainScore } from './explain-score.ts';
import type { Features } from './features.ts';
import { judgeAttributes, type Verdict } from './judge-attributes.ts';
import { twoDigits } from './probability.ts';

const known = new Set(driveFeatureNames);

export interface ModelVerdict extends Verdict {
  readonly p7: number;
  readonly p30: number;
}

/** What a model learned from are hard drives: of another kind it knows nothing, nor does it of one that it is asked about in words that it does not know. */
export function canJudge(judge: FailureJudge, device: DeviceIdentity): boolean {
  return device.kind === 'hdd' && judge.model.features.every((feature) => known.has(feature));
}

/**
 * Judge a hard drive by a learned model: its probabilities, the level they amount to, and the counters that pushed them up. The published rule
 * stands beside it in words only. The moment judged is that of the newest values: a sign does not age away because the drive is silent.
 *
 * @param judge one that `canJudge` the device
 * @returns null when the drive reports no counter that tells of damage: then there is nothing the model could have learned from
 */
export function judgeByModel(features: Features, device: DeviceIdentity, judge: FailureJudge): ModelVerdict | null {
  const newest = features.points.at(-1);
  if (newest === undefined || features.trends.length === 0) return null;
  const asked = new Float64Array(driveFeatureNames.length);
  driveFeatures(historyOf(features.points), { maker: driveMaker(device.model), capacityBytes: device.capacityBytes }, newest.day, asked);
  const { p7, p30 } = judge.score(asked);
  if (!isProbability(p7) || !isProbability(p30)) return null;

  const level = levelOfScore(p30, judge.model.levels);
  const rule = judgeAttributes(features);
  const signs = [...features.trends, ...features.furtherTrends].filter((trend) => trend.value > 0);
  const reasons =
    level === 'healthy'
      ? [...rule.reasons, ...signs.filter(({ attribute }) => !isTold(rule, attribute)).map((sign) => signReason(sign, features.watchedDays))]
      : [
          ...explainScore(judge.pushes(asked), features, device),
          { text: `By the published rule on SMART 5, 187, 188, 197, 198 it is ${inWords[rule.level]}`, attribute: 'rule', value: null },
        ];
  return { level, reasons, p7: twoDigits(p7), p30: twoDigits(p30) };
}

const inWords: Readonly<Record<RiskLevel, string>> = {
  healthy: 'healthy',
  watch: 'one to watch',
  'at-risk': 'at risk',
  failing: 'failing',
  unknown: 'not to be judged',
};

function isTold(verdict: Verdict, attribute: number): boolean {
  return verdict.reasons.some((reason) => reason.attribute === `smart.${attribute}`);
}

function isProbability(value: number): boolean {
  return value >= 0 && value <= 1;
}
