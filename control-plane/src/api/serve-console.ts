import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Api } from './endpoint.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};

const docsPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Data in Motion: HTTP interface</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="page"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>
`;
const docsStart = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', deepLinking: true, persistAuthorization: false });\n`;

/** The console and the page of the HTTP interface: files of ours only, no code from elsewhere. */
export function serveConsole(app: Api, directory: string | null): void {
  const swagger = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  app.get('/docs', async (c, next) => {
    await next();
    // This page's own library sets styles inline; the console needs none.
    c.header(
      'Content-Security-Policy',
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'",
    );
  });
  app.get('/docs', (c) => c.html(docsPage));
  app.get('/docs/start.js', (c) => c.body(docsStart, 200, { 'Content-Type': types['.js']! }));
  app.get('/docs/:file{swagger-ui\\.css|swagger-ui-bundle\\.js}', async (c) => (await fileAnswer(swagger, c.req.param('file'), false)) ?? c.notFound());

  app.get('*', async (c, next) => {
    if (c.req.path.startsWith('/v1/')) return next();
    if (directory === null) return c.text('The console is not built. Run: npm run build --workspace console\n', 404);
    const immutable = c.req.path.includes('/immutable/');
    const name = decoded(c.req.path);
    if (name === undefined) return c.notFound();
    const found = await fileAnswer(directory, name.slice(1), immutable);
    if (found !== undefined) return found;
    // A page of the single-page console; a missing file with an ending is really missing.
    if (path.extname(c.req.path) !== '' && !/\/(datasets|nodes|devices)\//.test(c.req.path)) return c.notFound();
    const index = await readFile(path.join(directory, 'index.html'), 'utf8');
    return c.html(index, 200, { 'Cache-Control': 'no-cache' });
  });
}

/** Undefined for what is no percent-encoding. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** A file below the directory; undefined when there is none, or when the name leads outside. */
async function fileAnswer(directory: string, name: string, immutable: boolean): Promise<Response | undefined> {
  const file = path.resolve(directory, name);
  if (name === '' || name.includes('\0') || !file.startsWith(directory + path.sep)) return undefined;
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  return new Response(Readable.toWeb(createReadStream(file)) as ReadableStream, {
    headers: {
      'Content-Type': types[path.extname(file)] ?? 'application/octet-stream',
      'Content-Length': String(found.size),
      'Cache-Control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    },
  });
}
