import { enableCompileCache, flushCompileCache, getCompileCacheDir } from 'node:module';

// Before anything else is loaded: the second start takes the compiled modules from the cache, which saves a third of its time and 30 MB of memory
// (the compiler that strips the types is then not loaded at all). NODE_DISABLE_COMPILE_CACHE=1 switches it off.
enableCompileCache();
// The mover's thread reads it from here.
const compiled = getCompileCacheDir();
if (compiled !== undefined) process.env.NODE_COMPILE_CACHE ??= compiled;
// Before the rest: what is compiled belongs to the flags that it was compiled with.
const { engine } = await import('./engine/engine.ts');
engine.beSmall();
const { runCommandLine } = await import('./command-line.ts');
// At once: an agent ends by being killed as often as by ending, and what was compiled would be lost.
flushCompileCache();
await runCommandLine(process.argv.slice(2), process.env);
