import { expect, test } from 'vitest';
import { ownScenarios, parseScenario, readScenario } from './scenario.ts';

const good = `
name: x
says: something
steps:
  - add: { dataset: data, sizeMb: 5 }
  - kill: everything
holds: [one-good-copy]
healedWithinSeconds: 10
`;
const wrong = (change: (text: string) => string): string => {
  try {
    parseScenario(change(good), 'my.yaml');
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
};

test('every scenario of ours is one, promises something, and can be told by its name', () => {
  expect(ownScenarios()).toEqual(['cut-link', 'dying-drive', 'flip-byte', 'full-target', 'kill-agent-mid-copy', 'kill-everything', 'rough-weather']);
  for (const name of ownScenarios()) expect(readScenario(name)).toMatchObject({ name, holds: expect.arrayContaining(['one-good-copy', 'policy-met']) });
});

test('a mistake is told by its field', () => {
  expect(wrong((text) => text.replace('sizeMb: 5', 'sizeMb: five'))).toContain('steps.0.add.sizeMb: Invalid input: expected number');
  expect(wrong((text) => text.replace('sizeMb: 5', 'size: 5'))).toMatch(/steps\.0\.add.*sizeMb[\s\S]*Unrecognized key: "size"/);
  expect(wrong((text) => text.replace('kill: everything', 'explode: everything'))).toContain('steps.1: "explode" is no step that there is');
  expect(wrong((text) => text.replace('one-good-copy', 'world-peace'))).toContain('holds.0');
  expect(wrong((text) => text.replace('healedWithinSeconds', 'healed'))).toContain('healedWithinSeconds');
  expect(wrong((text) => `${text}\n  bad: [`)).toContain('is no YAML');
  expect(wrong((text) => text)).toBe('accepted');
});

test('a scenario that is not there names those that are', () => {
  expect(() => readScenario('rain')).toThrow(expect.objectContaining({ hint: expect.stringContaining('kill-everything') }));
});
