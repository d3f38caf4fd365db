import type { ComparedFeature, ModelDrift } from '@data-in-motion/shared/api/models';
import { counted } from '../../../lib/format/number.ts';

/** Three digits that count; a value that nobody reports says so. */
export function value(of: number | null): string {
  return of === null ? 'not reported' : of.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

export function drifted(features: readonly ComparedFeature[]): ComparedFeature[] {
  return features.filter((one) => one.driftedSince !== null);
}

/** Whether the drives are still those that the model got to know here, in a sentence. */
export function driftSentence({ look, first, features }: ModelDrift): string {
  if (look === null) return 'Nobody has looked yet: the drives are compared once a day, after a model scored them.';
  if (look.version === null) return 'No failure model is active that the drives could be compared for.';
  if (first === null || look.drives < look.leastDrives) {
    const { drives, leastDrives, watchedDays } = look;
    return `Too few drives to compare: ${drives} of at least ${leastDrives} that were watched for ${watchedDays} days or more.`;
  }
  const moved = drifted(features);
  if (moved.length === 0) return `The drives report as they did in the first weeks of their model: none of ${counted(features.length, 'feature')} has drifted.`;
  return `The drives report otherwise than in the first weeks of their model: ${moved.length} of ${counted(features.length, 'feature')} drifted, ${moved[0]!.words} the most.`;
}

/** Whether they ever were those that it was trained on, in a sentence. */
export function unlikeSentence({ look, training, trainingUnknownBecause }: ModelDrift): string {
  if (training === null) return `Whether the drives are like those of the training is unknown: ${trainingUnknownBecause}.`;
  const others = `the ${counted(training.drives, 'drive')} that model ${look?.version} was trained on, from ${training.from} to ${training.to}`;
  if (training.features.length === 0) return `Too few drives to compare with ${others}.`;
  const unlike = drifted(training.features);
  if (unlike.length === 0) return `These drives report as ${others}: none of ${counted(training.features.length, 'feature')} differs.`;
  return `This model was trained on drives unlike yours: beside ${others}, ${unlike.length} of ${counted(training.features.length, 'feature')} differ, ${unlike[0]!.words} the most.`;
}

export interface Bin {
  readonly name: string;
  readonly before: number;
  readonly now: number;
}

/** Of a feature the shares of drives by what they report, lowest first; bins in which no drive was or is are left out. */
export function binsOf({ edges, sharesBefore, shares }: ComparedFeature): Bin[] {
  const name = (bin: number): string => {
    if (bin > edges.length) return 'not reported';
    if (edges.length === 0) return 'any value';
    if (bin === 0) return `up to ${value(edges[0]!)}`;
    return bin === edges.length ? `above ${value(edges[bin - 1]!)}` : `${value(edges[bin - 1]!)} to ${value(edges[bin]!)}`;
  };
  // Half a drive is counted in each bin, so that an index never is infinite: that little is none.
  const none = 0.005;
  return shares.flatMap((now, bin) => (now < none && sharesBefore[bin]! < none ? [] : [{ name: name(bin), before: sharesBefore[bin]!, now }]));
}
