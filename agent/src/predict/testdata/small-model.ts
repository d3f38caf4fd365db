import type { FailureModel, TreeColumns } from '@data-in-motion/shared/domain/failure-model';

/** A question, what stands below it on the left (at most, or missing) and on the right (more); a number is a leaf with its log-odds. */
interface Question {
  readonly feature: string;
  readonly atMost: number;
  readonly mean: number;
  readonly left: Question | number;
  readonly right: Question | number;
}

const questions: readonly Question[] = [
  { feature: 'smart5.change30', atMost: 0.5, mean: -0.9, left: -1, right: { feature: 'smart5.change7', atMost: 20, mean: 3, left: 2.6, right: 4.5 } },
  { feature: 'smart197', atMost: 0.5, mean: -0.9, left: -1, right: { feature: 'smart197.change30', atMost: 0.5, mean: 0.5, left: -0.5, right: 3 } },
  { feature: 'smart187.change90', atMost: 0.5, mean: -0.4, left: -0.5, right: 2 },
  { feature: 'damage.kinds', atMost: 0.5, mean: -0.1, left: -0.2, right: 0.4 },
  { feature: 'powerOnHours', atMost: 40_000, mean: 0, left: -0.1, right: 0.3 },
];

/** A hand-written model that asks for rises of damage and for little else, with the shape of a trained one. */
export const smallModel: FailureModel = {
  format: 1,
  name: 'small',
  version: '0123456789ab',
  features: [...new Set(questions.flatMap(featuresOf))],
  base: -3,
  trees: treesOf(questions),
  calibration: [
    { horizonDays: 7, logOdds: [-8, -4, 0, 4], probability: [0.0001, 0.001, 0.08, 0.5] },
    { horizonDays: 30, logOdds: [-8, -4, 0, 4], probability: [0.0004, 0.004, 0.2, 0.8] },
  ],
  levels: { watch: 0.01, 'at-risk': 0.05, failing: 0.3 },
  trained: { dataHash: '', from: '2014-01-01', to: '2014-12-31', drives: 0, failures: 0, seed: 1, parameters: {} },
};

function featuresOf(question: Question | number): string[] {
  return typeof question === 'number' ? [] : [question.feature, ...featuresOf(question.left), ...featuresOf(question.right)];
}

function treesOf(roots: readonly Question[]): TreeColumns {
  const trees = { roots: [], feature: [], threshold: [], left: [], right: [], missingLeft: [], value: [] } as { [Column in keyof TreeColumns]: number[] };
  const features = [...new Set(roots.flatMap(featuresOf))];
  const add = (node: Question | number): number => {
    const place = trees.feature.length;
    const isLeaf = typeof node === 'number';
    trees.feature.push(isLeaf ? -1 : features.indexOf(node.feature));
    trees.threshold.push(isLeaf ? 0 : node.atMost);
    trees.missingLeft.push(isLeaf ? 0 : 1);
    trees.value.push(isLeaf ? node : node.mean);
    trees.left.push(0);
    trees.right.push(0);
    if (!isLeaf) {
      trees.left[place] = add(node.left);
      trees.right[place] = add(node.right);
    }
    return place;
  };
  for (const root of roots) trees.roots.push(add(root));
  return trees;
}
