import {
  datasetPatch,
  datasetPolicyPatch,
  datasetView as datasetSchema,
  datasetDetail as detailSchema,
  datasetLocation as locationSchema,
  newDataset,
  newVersion,
  policyPatch,
  policyView,
} from '@data-in-motion/shared/api/datasets';
import { changedPolicy, datasetExplanation, policyVerdict } from '@data-in-motion/shared/api/explanation';
import { listOf } from '@data-in-motion/shared/api/fleet';
import type { DatasetId, NodeId, TargetId } from '@data-in-motion/shared/domain/ids';
import { effectivePolicy, type Policy, type PolicyOverride } from '@data-in-motion/shared/domain/policy';
import { Failure } from '@data-in-motion/shared/failure';
import { z } from '@hono/zod-openapi';
import { and, desc, eq, gte, sql } from 'drizzle-orm';
import { addVersion, changeDataset, createDataset, noteConflict } from '../../store/datasets.ts';
import { insertVerifyJobs } from '../../store/jobs.ts';
import type { DatasetRows } from '../../store/kept-datasets.ts';
import { readGlobalPolicy, writeGlobalPolicy } from '../../store/policies.ts';
import { accessAggregate, event, type ImportSource } from '../../store/schema.ts';
import type { ApiContext } from '../context.ts';
import { type Api, endpoint } from '../endpoint.ts';
import { type FleetRows, rowsOfDataset } from '../fleet-rows.ts';
import { checkPolicy } from '../policy-check.ts';
import { datasetDetail } from '../views/dataset-detail.ts';
import { datasetLocation, datasetView } from '../views/dataset-views.ts';
import { explainsFrom, explanationView } from '../views/explanation-view.ts';
import { found } from './fleet-routes.ts';

const hourMs = 3_600_000;
const hoursShown = 168;
const datasetsQuery = z.object({
  owner: z.string().optional(),
  search: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
  /** `next` of the page before. */
  before: z.string().optional(),
});
/** `warning`: its policy can not be met, now or ever. */
const started = z.object({ datasetId: z.string(), jobId: z.string(), warning: policyVerdict.optional() });
/** A policy that this fleet can never meet is refused, unless a target that fits is about to be added. */
const forced = z.object({ force: z.enum(['true', 'false']).optional() });

export function datasetRoutes(app: Api, context: ApiContext): void {
  const { store, fleet, loop, settings } = context;

  endpoint(app, 'datasets', {
    role: 'viewer',
    says: 'All datasets with heat, cost and the state of their policy',
    query: datasetsQuery,
    answer: listOf(datasetSchema),
    async run({ query, newest }) {
      const rows = await fleet.show({ newest });
      const { page, next } = pageOf(rows, query);
      return { body: { items: page.map((dataset) => datasetView(rows, dataset)), next, asOfMs: rows.asOfMs } };
    },
  });

  endpoint(app, 'addDataset', {
    role: 'operator',
    says: 'Register a dataset and import a directory of a node, or a made-up sample; it goes to the cheapest target that its policy allows',
    body: newDataset,
    query: forced,
    answer: started,
    status: 202,
    async run({ body, query, caller }) {
      const rows = await fleet.read();
      const own = ownPolicy(rows, body.policy, query.force === 'true');
      const source = importSource(rows, body.source);
      const sizeBytes = source.source.kind === 'sample' ? source.source.bytes : 0;
      const warning = checkPolicy(rows, { sizeBytes }, effectivePolicy(rows.policy.policy, own), own, query.force === 'true');
      const { jobId } = await createDataset(store, { datasetId: body.name as DatasetId, owner: body.owner, ownPolicy: own, source }, caller.who);
      changed();
      return { body: { datasetId: body.name, jobId, ...(warning === null ? {} : { warning }) } };
    },
  });

  endpoint(app, 'dataset', {
    role: 'viewer',
    says: 'One dataset: its copies, why each is where it is and what it costs, its policy and history',
    answer: detailSchema,
    async run({ params, newest }) {
      const rows = await fleet.show({ newest });
      const dataset = datasetOf(rows, params['datasetId']!);
      const { row } = dataset;
      const [byHour, history] = await Promise.all([accessByHour(context, row.datasetId, rows.asOfMs), historyOf(context, row.datasetId)]);
      return { body: await datasetDetail(rows, dataset, settings.decisions, { accessByHour: byHour, history }), rev: row.rev };
    },
  });

  endpoint(app, 'explainDataset', {
    role: 'viewer',
    says: 'Why each copy is where it is: its cost by part, the five best alternatives, the rule that binds, and the price, latency and use at which the choice flips',
    answer: datasetExplanation,
    async run({ params, newest }) {
      const rows = await fleet.show({ newest });
      const { row } = datasetOf(rows, params['datasetId']!);
      return { body: explanationView(rows, row.datasetId, explainsFrom(rows, settings.decisions)), rev: row.rev };
    },
  });

  endpoint(app, 'patchDataset', {
    role: 'operator',
    says: 'Change the owner',
    body: datasetPatch,
    answer: z.object({ datasetId: z.string(), rev: z.number() }),
    async run({ params, body, ifMatchRev, caller }) {
      const rev = await changeDataset(store, params['datasetId'] as DatasetId, ifMatchRev, () => ({ owner: body.owner }), caller.who);
      changed();
      return { body: { datasetId: params['datasetId']!, rev }, rev };
    },
  });

  endpoint(app, 'patchDatasetPolicy', {
    role: 'operator',
    says: "Set fields of the dataset's own policy, or clear them so that the global policy counts again",
    body: datasetPolicyPatch,
    query: forced,
    answer: z.object({ datasetId: z.string(), rev: z.number(), warning: policyVerdict.optional() }),
    async run({ params, body, query, ifMatchRev, caller }) {
      const rows = await fleet.read();
      const set = ownPolicy(rows, body.set, query.force === 'true');
      const merged = (own: PolicyOverride): PolicyOverride => {
        const fields: Record<string, unknown> = { ...own, ...set };
        for (const field of body.clear) delete fields[field];
        return fields as PolicyOverride;
      };
      const datasetId = params['datasetId'] as DatasetId;
      const asked = { ...set, ...Object.fromEntries(body.clear.map((field) => [field, rows.policy.policy[field]])) };
      const before = rowsOfDataset(rows, datasetId)?.row.ownPolicy ?? {};
      const policy = effectivePolicy(rows.policy.policy, merged(before as PolicyOverride));
      const warning = checkPolicy(rows, { datasetId }, policy, asked, query.force === 'true');
      const rev = await changeDataset(store, datasetId, ifMatchRev, ({ ownPolicy: own }) => ({ ownPolicy: merged(own as PolicyOverride) }), caller.who);
      changed();
      return { body: { datasetId, rev, ...(warning === null ? {} : { warning }) }, rev };
    },
  });

  endpoint(app, 'addVersion', {
    role: 'operator',
    says: 'Import another version; the pointer moves to it when it is verified',
    body: newVersion,
    answer: started,
    status: 202,
    async run({ params, body }) {
      const { jobId } = await addVersion(store, params['datasetId'] as DatasetId, importSource(await fleet.read(), body.source));
      changed();
      return { body: { datasetId: params['datasetId']!, jobId } };
    },
  });

  endpoint(app, 'locateDataset', {
    role: 'viewer',
    says: 'Where the verified primary copy is, and the other copies',
    answer: locationSchema,
    async run({ params, newest }) {
      const rows = await fleet.show({ newest });
      const { row } = datasetOf(rows, params['datasetId']!);
      return { body: datasetLocation(rows, row.datasetId) };
    },
  });

  endpoint(app, 'verifyDataset', {
    role: 'operator',
    says: 'Read every leaf of every copy again and compare it with the manifest',
    answer: z.object({ datasetId: z.string(), jobIds: z.array(z.string()) }),
    status: 202,
    async run({ params, caller }) {
      const rows = await fleet.read();
      const { row } = datasetOf(rows, params['datasetId']!);
      const jobIds = await store.transaction(async (tx) => insertVerifyJobs(tx, row.datasetId, `asked by ${caller.who}`, await store.nowMs(tx)));
      changed();
      return { body: { datasetId: row.datasetId, jobIds } };
    },
  });

  endpoint(app, 'policy', {
    role: 'viewer',
    says: 'The policy of every dataset that has none of its own',
    answer: policyView,
    async run() {
      const { rev, policy } = await readGlobalPolicy(store.db);
      return { body: mutable(policy), rev };
    },
  });

  endpoint(app, 'patchPolicy', {
    role: 'admin',
    says: 'Change the global policy',
    body: policyPatch,
    query: forced,
    answer: changedPolicy,
    async run({ body, query, ifMatchRev, caller }) {
      const rows = await fleet.read();
      const fields = ownPolicy(rows, body, query.force === 'true');
      for (let attempt = 0; attempt < 20; attempt++) {
        const { rev, policy } = await readGlobalPolicy(store.db);
        if (ifMatchRev !== null && ifMatchRev !== rev) {
          await noteConflict(store, 'the global policy', {}, caller.who);
          throw new Failure('refused', {
            code: 'policy.stale',
            message: `The global policy is at revision ${rev}, not ${ifMatchRev}.`,
            hint: 'Read it again and repeat the change.',
          });
        }
        const next = { ...policy, ...fields } as Policy;
        const warning = checkPolicy(rows, { sizeBytes: 0 }, next, fields, query.force === 'true');
        const written = await writeGlobalPolicy(store.db, rev, next);
        if (written === undefined) {
          if (ifMatchRev === null) await noteConflict(store, 'the global policy', {}, caller.who);
          continue;
        }
        changed();
        return { body: { ...mutable(next), ...(warning === null ? {} : { warning }) }, rev: written };
      }
      throw new Failure('unavailable', { code: 'policy.contended', message: 'The global policy is being changed by many at once.' });
    },
  });

  function changed(): void {
    fleet.forget();
    loop.wake();
  }
}

/** The datasets that were asked for, by name, from the one after `before` on; only of these a view is made. */
function pageOf(rows: FleetRows, { owner, search, limit, before }: z.infer<typeof datasetsQuery>): { page: DatasetRows[]; next: string | null } {
  const text = search?.toLowerCase();
  const page: DatasetRows[] = [];
  for (const dataset of rows.datasets) {
    const { row } = dataset;
    if ((before !== undefined && row.datasetId <= before) || (owner !== undefined && row.owner !== owner)) continue;
    if (text !== undefined && !row.datasetId.includes(text)) continue;
    if (page.length === limit) return { page, next: page.at(-1)!.row.datasetId };
    page.push(dataset);
  }
  return { page, next: null };
}

/** @throws refused `dataset.not-found` */
function datasetOf(rows: FleetRows, datasetId: string): DatasetRows {
  return found(rowsOfDataset(rows, datasetId), 'dataset', datasetId);
}

const mutable = (policy: Policy) => ({
  ...policy,
  regions: [...policy.regions],
  pinnedTargets: [...policy.pinnedTargets],
  forbiddenTargets: [...policy.forbiddenTargets],
});

/** A policy's names must be names that the fleet has: a typo would otherwise make it impossible in silence. */
function ownPolicy(rows: FleetRows, given: z.infer<typeof policyPatch>, force: boolean): PolicyOverride {
  const regions = new Set(rows.targets.map((target) => target.description.region));
  const targets = new Set<string>(rows.targets.map((target) => target.targetId));
  const unknownRegion = given.regions?.find((region) => !regions.has(region));
  if (unknownRegion !== undefined && !force) {
    throw new Failure('refused', {
      code: 'policy.infeasible',
      message: `No target is in the region "${unknownRegion}".`,
      hint: `Regions of this fleet: ${[...regions].join(', ') || 'none yet'}. Where a target there is about to be added, set it all the same (force).`,
    });
  }
  const unknownTarget = [...(given.pinnedTargets ?? []), ...(given.forbiddenTargets ?? [])].find((target) => !targets.has(target));
  if (unknownTarget !== undefined) {
    throw new Failure('refused', { code: 'policy.invalid', message: `There is no target "${unknownTarget}".`, hint: 'dim targets lists them.' });
  }
  return given as PolicyOverride & { pinnedTargets?: TargetId[] };
}

/** Where to import from; the agent of the node checks the path itself, here only what can be known is refused early. */
function importSource(rows: FleetRows, given: z.infer<typeof newVersion>['source']): ImportSource {
  if ('path' in given) {
    const node = rows.nodes.find((one) => one.nodeId === given.nodeId);
    if (node === undefined)
      throw new Failure('refused', { code: 'node.not-found', message: `There is no node "${given.nodeId}".`, hint: 'dim nodes lists them.' });
    if (!given.path.startsWith('/'))
      throw new Failure('refused', {
        code: 'path.invalid',
        message: `The path ${JSON.stringify(given.path)} is not absolute.`,
        hint: `Give the whole path on ${given.nodeId}, from / on.`,
      });
    const parts = given.path.split('/');
    const below = node.importRoots.some((root) =>
      root
        .split('/')
        .filter(Boolean)
        .every((part, i) => parts.filter(Boolean)[i] === part),
    );
    if (parts.includes('..') || !below) {
      throw new Failure('refused', {
        code: 'path.invalid',
        message: `${given.path} is not below an import root of ${given.nodeId}.`,
        hint: `Import roots there: ${node.importRoots.join(', ') || 'none'}.`,
      });
    }
    return { nodeId: node.nodeId, source: { kind: 'directory', path: given.path } };
  }
  const online = rows.nodes.filter((one) => one.agentState === 'online');
  const node = given.nodeId === undefined ? online[0] : rows.nodes.find((one) => one.nodeId === given.nodeId);
  if (node === undefined)
    throw new Failure('refused', {
      code: 'node.not-found',
      message: given.nodeId === undefined ? 'No node is online to make the sample.' : `There is no node "${given.nodeId}".`,
      hint: 'dim nodes lists them.',
    });
  return { nodeId: node.nodeId as NodeId, source: { kind: 'sample', bytes: given.sampleBytes, seed: given.seed } };
}

async function accessByHour({ store }: ApiContext, datasetId: DatasetId, nowMs: number): Promise<number[]> {
  const endMs = (Math.floor(nowMs / hourMs) + 1) * hourMs;
  const startMs = endMs - hoursShown * hourMs;
  const hour = sql<number>`(${accessAggregate.windowStartMs} - ${startMs}::bigint) / ${hourMs}::bigint`;
  const rows = await store.db
    .select({ hour, count: sql<number>`sum(${accessAggregate.reads} + ${accessAggregate.writes})` })
    .from(accessAggregate)
    .where(and(eq(accessAggregate.datasetId, datasetId), gte(accessAggregate.windowStartMs, startMs)))
    .groupBy(sql`1`);
  const hours = new Array<number>(hoursShown).fill(0);
  for (const row of rows) if (Number(row.hour) < hoursShown) hours[Number(row.hour)] = Number(row.count);
  return hours;
}

async function historyOf({ store }: ApiContext, datasetId: DatasetId) {
  return store.db
    .select({ atMs: event.atMs, text: event.text })
    .from(event)
    .where(sql`${event.ids}->>'datasetId' = ${datasetId}`)
    .orderBy(desc(event.seq))
    .limit(100);
}
