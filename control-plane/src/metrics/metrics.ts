import { sql } from 'drizzle-orm';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Store } from '../store/database.ts';
import { accessAggregate, agentStream, event, experiment, job, jobTransition, node, quarantine, replica } from '../store/schema.ts';

export interface Metrics {
  readonly requests: Histogram<'route' | 'method' | 'status'>;
  readonly refused: Counter<'code'>;
  /** The text of /metrics; reads the totals from the database, so that a restart loses none. */
  render(): Promise<{ text: string; contentType: string }>;
}

/** Figures for Prometheus. Totals come from the store: they are right after a restart and the same on every control plane. */
export function startMetrics(store: Store, startedAtMs: number, nowMs: () => number): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'dim_' });
  const registers = [registry];
  const requests = new Histogram({
    name: 'dim_http_request_seconds',
    help: 'Time of an HTTP answer',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const refused = new Counter({ name: 'dim_http_refused_total', help: 'Requests that were answered by a problem document', labelNames: ['code'], registers });
  const gauge = (name: string, help: string, labelNames: string[] = []) => new Gauge({ name, help, labelNames, registers });
  const uptime = gauge('dim_uptime_seconds', 'Time since this control plane started');
  const batches = gauge('dim_batches_stored_total', 'Telemetry batches stored, by the watermarks of the agents');
  const poison = gauge('dim_messages_quarantined', 'Messages kept for inspection because they could not be read');
  const nodes = gauge('dim_nodes', 'Nodes by the state of their agent', ['state']);
  const jobs = gauge('dim_jobs', 'Jobs by state', ['state']);
  const transitions = gauge('dim_job_transitions_total', 'Transitions of jobs', ['to']);
  const movedBytes = gauge('dim_moved_bytes_total', 'Bytes that agents moved');
  const accessBytes = gauge('dim_access_bytes_total', 'Bytes of datasets that were read and written', ['kind']);
  const replicas = gauge('dim_replicas', 'Replicas by state', ['state']);
  const faults = gauge('dim_faults_total', 'Faults armed on purpose, by kind', ['kind']);
  const events = gauge('dim_events_total', 'Events by severity', ['severity']);

  const fill = async (target: Gauge, label: string, rows: Promise<{ key: string; count: number }[]>): Promise<void> => {
    target.reset();
    for (const row of await rows) target.set({ [label]: row.key }, Number(row.count));
  };
  const count = sql<number>`count(*)`;

  return {
    requests,
    refused,
    async render() {
      const db = store.db;
      uptime.set((nowMs() - startedAtMs) / 1000);
      // Names of old batches are deleted, the watermarks only grow.
      const [stored] = await db.select({ count: sql<number>`coalesce(sum(${agentStream.watermark}), 0)` }).from(agentStream);
      batches.set(Number(stored?.count ?? 0));
      const [kept] = await db.select({ count }).from(quarantine);
      poison.set(Number(kept?.count ?? 0));
      const [moved] = await db.select({ bytes: sql<number>`coalesce(sum(${job.movedBytes}), 0)` }).from(job);
      movedBytes.set(Number(moved?.bytes ?? 0));
      const [used] = await db
        .select({ read: sql<number>`coalesce(sum(${accessAggregate.readBytes}), 0)`, written: sql<number>`coalesce(sum(${accessAggregate.writtenBytes}), 0)` })
        .from(accessAggregate);
      accessBytes.set({ kind: 'read' }, Number(used?.read ?? 0));
      accessBytes.set({ kind: 'write' }, Number(used?.written ?? 0));
      await fill(
        nodes,
        'state',
        db
          .select({ key: sql<string>`${node.agentState}`, count })
          .from(node)
          .groupBy(node.agentState),
      );
      await fill(
        jobs,
        'state',
        db
          .select({ key: sql<string>`${job.state}`, count })
          .from(job)
          .groupBy(job.state),
      );
      await fill(
        transitions,
        'to',
        db
          .select({ key: sql<string>`${jobTransition.to}`, count })
          .from(jobTransition)
          .groupBy(jobTransition.to),
      );
      await fill(
        replicas,
        'state',
        db
          .select({ key: sql<string>`${replica.state}`, count })
          .from(replica)
          .groupBy(replica.state),
      );
      await fill(
        faults,
        'kind',
        db
          .select({ key: sql<string>`${experiment.kind}`, count })
          .from(experiment)
          .groupBy(experiment.kind),
      );
      await fill(
        events,
        'severity',
        db
          .select({ key: sql<string>`${event.severity}`, count })
          .from(event)
          .groupBy(event.severity),
      );
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}
