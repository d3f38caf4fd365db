import { engine } from './engine/engine.ts';
import { isBuiltOf, sourceState } from './source-state.ts';

engine.beSmall();
// What `agent/build/main.js` is built of. Where other sources stand beside it than it was made of, those are what runs, and it says so.
if (isBuiltOf(import.meta.dirname, sourceState())) {
  void import('./command-line.ts').then(({ runCommandLine }) => runCommandLine(process.argv.slice(2), process.env));
} else {
  process.stderr.write('agent/build is older than the sources, which run in its place and take more memory. To build it: npm run build --workspace agent\n');
  // Named in parts, so that it is not built in.
  void import(new URL('../src/main.ts', import.meta.url).href);
}
