import type { experimentRequest } from '@data-in-motion/shared/api/operations';
import { faultKinds } from '@data-in-motion/shared/domain/fault-hooks';
import { Failure } from '@data-in-motion/shared/failure';
import type { z } from 'zod';
import type { Disturbance } from '../store/experiment-requests.ts';
import type { ReplicaRow } from '../store/kept-datasets.ts';
import { allReplicas, type FleetRows, reachableTargets } from './fleet-rows.ts';

type Request = z.infer<typeof experimentRequest>;

/**
 * Which node a fault goes to, after checking that nobody's last verified copy is in its way, counting what other faults have in their hands already.
 *
 * @param others faults that are armed, or may be
 * @throws refused with the reason: faults switched off, unknown subject or parameter, or a dataset that would be left without a verified copy
 */
export function placeFault(rows: FleetRows, request: Request, others: readonly Disturbance[], allowed: boolean): string {
  if (!allowed) throw refusal('chaos.forbidden', 'Faults are switched off on this control plane.', 'Start it with DIM_CHAOS=1; the local fleet does.');
  const kind = faultKinds[request.kind];
  const unknown = Object.keys(request.parameters).find((name) => !Object.hasOwn(kind.parameters, name));
  if (unknown !== undefined)
    throw refusal('chaos.invalid', `${request.kind} has no parameter "${unknown}".`, `Its parameters: ${Object.keys(kind.parameters).join(', ') || 'none'}.`);
  const nodeId = nodeOf(rows, kind.on, request.subject);
  const node = rows.nodes.find((one) => one.nodeId === nodeId);
  if (node === undefined)
    throw refusal(
      `${kind.on}.not-found`,
      `There is no ${kind.on} "${request.subject}".`,
      `dim ${kind.on === 'replica' ? 'datasets show' : `${kind.on}s`} lists them.`,
    );
  if (!node.faultsAllowed) throw refusal('chaos.forbidden', `The agent of ${nodeId} does not allow faults.`, 'Set faultsAllowed in its settings.');
  refuseLastCopies(
    rows,
    touched(rows, request),
    others.map((other) => touched(rows, other)),
  );
  return nodeId;
}

function nodeOf(rows: FleetRows, on: string, subject: string): string {
  if (on === 'node') return subject;
  if (on === 'target') return rows.targets.find((target) => target.targetId === subject)?.nodeId ?? '';
  if (on === 'device') return rows.devices.find((device) => device.deviceId === subject)?.nodeId ?? '';
  const replica = allReplicas(rows).find((one) => one.replicaId === subject);
  return rows.targets.find((target) => target.targetId === replica?.targetId)?.nodeId ?? '';
}

/** Targets whose copies a fault can make unreadable, or the one replica it changes. */
function touched(rows: FleetRows, { kind, subject }: Disturbance): (replica: ReplicaRow) => boolean {
  const { on } = faultKinds[kind];
  if (on === 'replica') return (replica) => replica.replicaId === subject;
  if (on === 'target') return (replica) => replica.targetId === subject;
  // A dying drive is what evacuation is for: it is a forecast, no byte is touched.
  if (on === 'device') return () => false;
  // A late, reordered or skewed link keeps the bytes readable; a cut one or a dead agent does not, for as long as it lasts.
  if (kind !== 'link-cut' && kind !== 'kill-agent') return () => false;
  const targets = new Set<string>(rows.targets.filter((target) => target.nodeId === subject).map((target) => target.targetId));
  return (replica) => targets.has(replica.targetId);
}

function refuseLastCopies(rows: FleetRows, isTouched: (replica: ReplicaRow) => boolean, byOthers: readonly ((replica: ReplicaRow) => boolean)[]): void {
  const reachable = reachableTargets(rows);
  for (const { row, pointer, replicas } of rows.datasets) {
    if (pointer === undefined) continue;
    const copies = replicas.filter((replica) => replica.versionId === pointer.versionId && replica.state === 'verified');
    const left = copies.filter((replica) => reachable.has(replica.targetId) && !isTouched(replica) && !byOthers.some((isTaken) => isTaken(replica)));
    if (copies.some(isTouched) && left.length === 0) {
      throw refusal(
        'chaos.last-copy',
        `Dataset ${row.datasetId} would be left without a verified copy that can be reached.`,
        'Wait until it has copies elsewhere and other faults are over (dim chaos stop), or choose another subject.',
      );
    }
  }
}

function refusal(code: string, message: string, hint: string): Failure {
  return new Failure('refused', { code, message, hint });
}
