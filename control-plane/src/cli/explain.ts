import { datasetExplanation } from '@data-in-motion/shared/api/explanation';
import type { Command } from 'commander';
import { explanationText } from './explanation-text.ts';
import { verb } from './session.ts';

export function addExplain(program: Command): void {
  verb(program, {
    usage: 'explain <dataset>',
    says: 'why each copy of a dataset is where it is: cost by part, the best alternatives, the rule that binds, and where the choice flips',
    examples: ['explain photos', "explain photos --json | jq '.copies[].binding'"],
    async run(session, [datasetId = '']) {
      const explained = await session.api.call('explainDataset', datasetExplanation, { path: { datasetId } });
      session.answer(explained, () => explanationText(explained));
    },
  });
}
