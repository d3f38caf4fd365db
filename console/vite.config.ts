import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import adapterStatic from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

const pages = path.join(import.meta.dirname, 'build');
const staticBuild = adapterStatic({ pages, fallback: 'index.html' });

/**
 * Kit starts a page by a script inside of it. A server that sends `default-src 'self'` would refuse that script, and a hash in a meta
 * element can not allow what a header forbids; so the script becomes a file of its own.
 */
function moveStartScript(): void {
  const file = path.join(pages, 'index.html');
  const html = readFileSync(file, 'utf8');
  const found = /<script>([\s\S]*?)<\/script>/.exec(html);
  if (found === null) throw new Error('index.html has no start script: kit changed how it starts');
  const name = `_app/immutable/start.${createHash('sha256').update(found[1]!).digest('hex').slice(0, 8)}.js`;
  writeFileSync(path.join(pages, name), found[1]!);
  writeFileSync(file, html.replace(found[0], `<script src="/${name}"></script>`));
}

/** Kit hides its announcer for screen readers by an inline style, which the same policy refuses; theme.css hides it instead. */
const announcerWithoutStyle = {
  name: 'announcer-without-inline-style',
  enforce: 'pre' as const,
  transform(code: string, id: string): { code: string; map: null } | undefined {
    return id.includes('runtime/components/root.svelte') ? { code: code.replace(/\sstyle="[^"]*"/g, ''), map: null } : undefined;
  },
};

export default defineConfig({
  plugins: [
    announcerWithoutStyle,
    sveltekit({
      adapter: {
        name: 'static-without-inline-script',
        async adapt(builder) {
          await staticBuild.adapt(builder);
          moveStartScript();
        },
      },
      compilerOptions: { runes: true },
    }),
  ],
  build: { chunkSizeWarningLimit: 200 },
});
