import type { Member, TrainSettings } from './train-model.ts';

const member: Member = {
  horizonDays: 20,
  monotone: true,
  trees: 110,
  learningRate: 0.05,
  rowShare: 0.7,
  columnShare: 0.3,
  failureWeight: 1,
  leaves: 16,
  depth: 6,
  evidence: 5,
  shrink: 5,
};

/** What the shipped model is trained with; `control-plane/models/README.md` says what else was tried. */
export const shippedSettings: Omit<TrainSettings, 'fromDay' | 'untilDay' | 'seed'> = {
  members: [member, { ...member, horizonDays: 60 }],
  sampling: { marginDays: 30, everyDays: 10, quietShare: 0.08, nearDays: 120 },
};
