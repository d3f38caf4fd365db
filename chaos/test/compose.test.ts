import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = path.resolve(import.meta.dirname, '../..');
const service = z.object({
  image: z.string().optional(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).default([]),
  profiles: z.array(z.string()).default([]),
});
const composeFile = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});
const compose = composeFile.parse(parse(readFileSync(path.join(root, 'docker-compose.yml'), 'utf8'), { merge: true }));
const services = Object.entries(compose.services);

describe('docker-compose.yml, read without an engine', () => {
  test('every file, volume, setting and service that it names is there', () => {
    const missing: string[] = [];
    for (const [name, one] of services) {
      if (one.build !== undefined && !existsSync(path.join(root, one.build.dockerfile))) missing.push(`${name}: ${one.build.dockerfile}`);
      for (const volume of one.volumes) {
        const from = volume.replace(/^\$\{\w+:-([^}]*)\}/, '$1').split(':')[0]!;
        if (from.startsWith('.') ? !existsSync(path.join(root, from)) : !(from in compose.volumes)) missing.push(`${name}: ${from}`);
      }
      for (const other of Array.isArray(one.depends_on) ? one.depends_on : Object.keys(one.depends_on))
        if (!(other in compose.services)) missing.push(`${name}: ${other}`);
    }
    expect(missing).toEqual([]);
  });

  test('images are named with their version, and nothing is published beyond this machine', () => {
    expect(services.filter(([, one]) => one.image !== undefined && !/:v?\d/.test(one.image)).map(([name]) => name)).toEqual([]);
    expect(services.flatMap(([, one]) => one.ports).filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('prometheus and grafana come only with the profile metrics', () => {
    expect(services.filter(([, one]) => one.profiles.includes('metrics')).map(([name]) => name)).toEqual(['prometheus', 'grafana']);
  });

  test('an image copies only what is there', () => {
    for (const dockerfile of services.flatMap(([, one]) => one.build?.dockerfile ?? [])) {
      const lines = readFileSync(path.join(root, dockerfile), 'utf8').split('\n');
      const copied = lines.filter((line) => /^COPY (?!--from)/.test(line)).flatMap((line) => line.split(' ').slice(1, -1));
      expect(copied.length, dockerfile).toBeGreaterThan(5);
      expect(
        copied.filter((name) => !existsSync(path.join(root, name))),
        dockerfile,
      ).toEqual([]);
    }
  });

  test('each agent has the settings of its own node', () => {
    const agents = services.filter(([, one]) => one.build?.dockerfile === 'agent/Dockerfile');
    expect(agents.map(([name]) => name)).toEqual(['berlin', 'frankfurt', 'virginia']);
    for (const [name, { volumes }] of agents) expect(volumes).toContain(`./agent/compose/${name}.json:/etc/data-in-motion/agent.json:ro`);
  });

  test('the dashboard asks only for figures that the control plane gives', () => {
    const dashboard = readFileSync(path.join(root, 'control-plane/grafana/dashboards/data-in-motion.json'), 'utf8');
    const given = readFileSync(path.join(root, 'control-plane/src/metrics/metrics.ts'), 'utf8');
    const asked = [...new Set([...dashboard.matchAll(/dim_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, '')))].filter(
      (name) => !name.startsWith('dim_process_'),
    );
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((name) => !given.includes(`'${name}'`))).toEqual([]);
  });
});
