import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Suites that start whole fleets are spread evenly over the run: two of them side by side want more memory and CPU than the rest, so others lie between.
 * The scenarios, the longest, go first, and a quarter of the others comes after the last fleet, which would else run alone at the end.
 */
class SpreadFleets extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isFleet = ({ moduleId }: TestSpecification): boolean => /\/chaos\/test\/(scenarios|end-to-end\/)/.test(moduleId);
    const fleets = sorted.filter(isFleet);
    fleets.sort((a, b) => Number(b.moduleId.includes('scenarios')) - Number(a.moduleId.includes('scenarios')));
    const others = sorted.filter((file) => !isFleet(file));
    const othersBefore = (fleet: number): number => Math.floor((0.75 * others.length * fleet) / Math.max(1, fleets.length));
    return [...fleets.flatMap((fleet, i) => [fleet, ...others.slice(othersBefore(i), othersBefore(i + 1))]), ...others.slice(othersBefore(fleets.length))];
  }
}

/** Every test of the repository but the console's own browser build; suites that need a real server start it themselves. */
export default defineConfig({
  test: {
    include: ['{shared,agent,control-plane,chaos,console}/{src,test}/**/*.{test,prop.test}.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is waited for comes at once on an idle machine; on a busy one a second is nothing.
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    maxWorkers: 3,
    sequence: { sequencer: SpreadFleets },
  },
});
