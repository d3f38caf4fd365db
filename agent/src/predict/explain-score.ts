import { amount } from '@data-in-motion/shared/domain/amount';
import type { AssessmentReason } from '@data-in-motion/shared/domain/assessment';
import type { DeviceIdentity } from '@data-in-motion/shared/domain/device';
import { driveMaker } from '@data-in-motion/shared/domain/drive-makers';
import type { Push } from '@data-in-motion/shared/domain/failure-model';
import { goneReason, signReason } from './counter-words.ts';
import type { Features } from './features.ts';

/** A person reads this many. */
const mostReasons = 5;
/** Log-odds below which a push is noise of the trees: 5 % more odds. */
const leastPush = 0.05;

/**
 * What pushed the score of a drive up, the strongest first, in sentences with the values; at most five. Features of one counter are summed,
 * and what counts several kinds of damage together is shared out among the counters that are above zero.
 */
export function explainScore(pushes: readonly Push[], features: Features, device: DeviceIdentity): AssessmentReason[] {
  const damaged = features.trends.filter((trend) => trend.value > 0).map((trend) => `smart.${trend.attribute}`);
  const bySubject = new Map<string, number>();
  const add = (subject: string, by: number): void => void bySubject.set(subject, (bySubject.get(subject) ?? 0) + by);
  for (const { feature, by } of pushes) {
    const subject = subjectOf(feature);
    if (subject !== 'damage') add(subject, by);
    else for (const attribute of damaged) add(attribute, by / damaged.length);
  }
  return [...bySubject]
    .filter(([, by]) => by >= leastPush)
    .sort(([, a], [, b]) => b - a)
    .flatMap(([subject]) => sentence(subject, features, device) ?? [])
    .slice(0, mostReasons);
}

type Subject = `smart.${number}` | 'damage' | 'movement' | 'age' | 'kind';

function subjectOf(feature: string): Subject {
  const attribute = /^smart(\d+)/.exec(feature)?.[1];
  if (attribute !== undefined) return `smart.${Number(attribute)}`;
  if (feature.startsWith('damage.')) return 'damage';
  if (feature === 'powerOnHours') return 'age';
  return /^(changes\d+|daysSinceChange)$/.test(feature) ? 'movement' : 'kind';
}

/** Undefined when there is nothing to see: a counter that is zero, or not reported, pushes by what it lets the model conclude about the rest. */
function sentence(subject: string, features: Features, device: DeviceIdentity): AssessmentReason | undefined {
  if (subject === 'age') return ageReason(features);
  if (subject === 'kind') return kindReason(device);
  if (subject === 'movement') return undefined;
  const trend = [...features.trends, ...features.furtherTrends].find(({ attribute }) => subject === `smart.${attribute}`);
  if (trend === undefined) return undefined;
  if (trend.value > 0) return signReason(trend, features.watchedDays);
  return trend.change30Days < 0 ? goneReason(trend) : undefined;
}

function ageReason({ last }: Features): AssessmentReason | undefined {
  const hours = last?.powerOnHours ?? null;
  return hours === null ? undefined : { text: `${amount(hours)} hours of operation`, attribute: 'smart.9', value: hours };
}

function kindReason({ model, capacityBytes }: DeviceIdentity): AssessmentReason {
  const maker = makerNames[driveMaker(model)];
  const size = capacityBytes > 0 ? ` of ${amount(Math.round(capacityBytes / 1e11) / 10)} TB` : '';
  return { text: `${maker} drives${size} failed more often than others in what the model learned from`, attribute: 'model', value: null };
}

const makerNames = {
  seagate: 'Seagate',
  hgst: 'HGST',
  wdc: 'Western Digital',
  toshiba: 'Toshiba',
  samsung: 'Samsung',
  other: 'Other',
} as const;
