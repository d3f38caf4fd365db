import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { removeTree } from '../src/fleet/remove-tree.ts';
import { inOwnFleet } from '../src/run-scenario.ts';
import { ownScenarios, readScenario } from '../src/scenarios/scenario.ts';
import { prepareHome } from './prepare-home.ts';

/** Each takes most of a minute: at a desk the ones that say most, everything where a machine waits and not a person. */
const atADesk = ['flip-byte', 'kill-agent-mid-copy', 'kill-everything'];
const chosen = process.env.CI === 'true' ? ownScenarios() : atADesk;
/** Another seed in every run finds other moments; the one that failed is printed. */
const seed = Number(process.env.DIM_TEST_SEED ?? Math.floor(Math.random() * 1e6));
const longestMs = 600_000;

for (const name of ownScenarios()) if (!chosen.includes(name)) console.log(`skipped: the scenario ${name} is played where CI=true`);

for (const name of ownScenarios()) {
  test.skipIf(!chosen.includes(name))(
    `what the scenario ${name} promises holds`,
    async () => {
      const lines: string[] = [];
      const home = mkdtempSync(path.join(tmpdir(), 'dim-chaos-'));
      onTestFinished(() => removeTree(home));
      await prepareHome(home);
      const played = await inOwnFleet(readScenario(name), { environment: { PATH: process.env.PATH ?? '' } }, seed, (line) => lines.push(line), home);
      const broken = played.promises.filter((one) => !one.holds).map((one) => `${one.name}: ${one.detail}`);
      expect({ stopped: played.stopped, broken }, `npx dim chaos run ${name} --seed ${seed} --own-fleet\n${lines.join('\n')}`).toEqual({
        stopped: null,
        broken: [],
      });
    },
    longestMs,
  );
}
