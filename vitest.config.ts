import { defineConfig } from 'vitest/config';

/** Every test of the repository but the console's own browser build; suites that need a real server start it themselves. */
export default defineConfig({
  test: {
    include: ['{shared,agent,control-plane,chaos,console}/{src,test}/**/*.{test,prop.test}.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
