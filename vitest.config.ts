import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const filesBetween = 7;

/**
 * Suites that start whole fleets take a minute and more each and mostly wait. Spread over the run, with small ones between them, they neither
 * meet all at once nor leave the longest to the end, where the other core would have nothing to do.
 */
class SpreadFleets extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isFleet = ({ moduleId }: TestSpecification): boolean => /\/chaos\/test\/(scenarios|end-to-end\/)/.test(moduleId);
    const fleets = sorted.filter(isFleet);
    fleets.sort((a, b) => Number(b.moduleId.includes('scenarios')) - Number(a.moduleId.includes('scenarios')));
    const others = sorted.filter((file) => !isFleet(file));
    return [...fleets.flatMap((fleet, i) => [fleet, ...others.slice(i * filesBetween, (i + 1) * filesBetween)]), ...others.slice(fleets.length * filesBetween)];
  }
}

/** Every test of the repository but the console's own browser build; suites that need a real server start it themselves. */
export default defineConfig({
  test: {
    include: ['{shared,agent,control-plane,chaos,console}/{src,test}/**/*.{test,prop.test}.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: SpreadFleets },
  },
});
