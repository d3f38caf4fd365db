import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Parser } from '@asyncapi/parser';
import { expect, test } from 'vitest';
import { asyncApiDocument, topicTable } from '../src/protocol/async-api.ts';

const root = path.resolve(import.meta.dirname, '../..');

test('the AsyncAPI document of the bus is one that AsyncAPI tools read without an error', async () => {
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument('0.1.0')));
  expect(diagnostics.filter((one) => one.severity === 0).map((one) => `${one.path.join('.')}: ${one.message}`)).toEqual([]);
  expect(document?.channels().all()).toHaveLength(Object.keys(asyncApiDocument('0.1.0').channels).length);
});

test('the topic table of the README is the one the code has', () => {
  expect(readFileSync(path.join(root, 'shared/README.md'), 'utf8')).toContain(topicTable());
});

test('everything that is installed has a licence that lets us ship it', () => {
  const allowed = /^(\(?((MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0|CC0-1\.0|Unlicense|Python-2\.0|CC-BY-4\.0|MIT-0|Zlib)( (OR|AND) )?)+\)?)$/;
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { license?: string; dev?: boolean; link?: boolean }>;
  };
  const shipped = Object.entries(lock.packages).filter(([name, entry]) => name.startsWith('node_modules/') && !entry.dev && !entry.link);
  expect(shipped.length).toBeGreaterThan(50);
  expect(shipped.filter(([, entry]) => !allowed.test(entry.license ?? 'none')).map(([name, entry]) => `${name}: ${entry.license}`)).toEqual([]);
});
