import { expect, test } from 'vitest';
import { causeOf, isOfTopic } from './cause-of.ts';

test('what is told of models and of drift leads to their pages, and stands under health', () => {
  expect(causeOf({ modelVersion: '0123456789ab' })).toEqual({ href: '/models/0123456789ab', name: 'model' });
  expect(causeOf({ features: 'smart5 smart197', rule: 'model.drift', subject: 'fleet' })).toEqual({ href: '/models/drift', name: 'drift' });
  expect(causeOf({ deviceId: 'd/1', modelVersion: 'v' })).toEqual({ href: '/devices/d%2F1', name: 'drive' });
  expect([isOfTopic('model.promoted', 'health'), isOfTopic('model.promoted', 'chaos')]).toEqual([true, false]);
});
