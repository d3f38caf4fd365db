import type { Clock } from '@data-in-motion/shared/clock';
import type { FaultHooks } from '@data-in-motion/shared/domain/fault-hooks';
import type { TargetDescription } from '@data-in-motion/shared/domain/target';
import { Failure } from '@data-in-motion/shared/failure';
import type { FaultDocument } from '@data-in-motion/shared/protocol/messages';
import type { z } from 'zod';

/** What a fault does to messages while it is armed. */
export interface LinkWeather {
  /** Nothing is heard and nothing said. */
  readonly cut: boolean;
  readonly addedMs: number;
  readonly duplicateProbability: number;
  readonly reorderProbability: number;
}

export const calmWeather: LinkWeather = { cut: false, addedMs: 0, duplicateProbability: 0, reorderProbability: 0 };

/** A fault that lives in this process only: consulted while it is armed, gone when it is not. */
export interface Condition {
  readonly before?: FaultHooks['before'];
  readonly link?: Partial<LinkWeather>;
  readonly clockOffsetMs?: number;
}

/** Ages a replayed drive; false when there is no such drive, or it is a real one. */
export interface DriveAging {
  degrade(deviceId: string, pace: number): boolean;
  restore(deviceId: string): void;
}

/** What faults may touch. */
export interface FaultWorld {
  readonly nodeId: string;
  readonly targets: readonly TargetDescription[];
  readonly clock: Clock;
  readonly drives: DriveAging;
  /** Ends the process at once, as `kill -9` does. */
  kill(): void;
  impose(experimentId: string, condition: Condition): void;
  lift(experimentId: string): void;
}

export type FaultOrder = Pick<FaultDocument, 'experimentId' | 'subject' | 'parameters' | 'seed'>;

/** One fault of the catalogue. `detail` is the text that is written to the undo log before anything is touched; it is all that undoing has. */
export interface Fault {
  /**
   * Decide what would be done, and touch nothing.
   * @throws Failure `refused` when the subject or a parameter is not one that this fault takes
   */
  prepare(order: FaultOrder, world: FaultWorld): Promise<string>;
  make(experimentId: string, detail: string, world: FaultWorld): Promise<void>;
  /** Take it back; harmless when it was never made, or was taken back already. @returns what was found and done, in words */
  takeBack(experimentId: string, detail: string, world: FaultWorld): Promise<string>;
}

export interface FaultOf<Plan> {
  readonly plan: z.ZodType<Plan>;
  prepare(order: FaultOrder, world: FaultWorld): Plan | Promise<Plan>;
  make(experimentId: string, plan: Plan, world: FaultWorld): void | Promise<void>;
  takeBack(experimentId: string, plan: Plan, world: FaultWorld): string | Promise<string>;
}

/** A fault whose plan is checked when it is written down and when it is read back. */
export function defineFault<Plan>(fault: FaultOf<Plan>): Fault {
  return {
    prepare: async (order, world) => JSON.stringify(fault.plan.parse(await fault.prepare(order, world))),
    make: async (experimentId, detail, world) => fault.make(experimentId, fault.plan.parse(JSON.parse(detail)), world),
    takeBack: async (experimentId, detail, world) => fault.takeBack(experimentId, fault.plan.parse(JSON.parse(detail)), world),
  };
}

/** A fault that is only a condition of this process: undone by forgetting it, also by the end of the process. */
export function conditionFault<Plan>(plan: z.ZodType<Plan>, prepare: FaultOf<Plan>['prepare'], condition: (plan: Plan, world: FaultWorld) => Condition): Fault {
  return defineFault<Plan>({
    plan,
    prepare,
    make: (experimentId, planned, world) => world.impose(experimentId, condition(planned, world)),
    takeBack(experimentId, _, world) {
      world.lift(experimentId);
      return 'lifted';
    },
  });
}

export function refusedFault(message: string): Failure {
  return new Failure('refused', { code: 'fault.refused', message });
}

/** @throws Failure `refused` when the target is not one of this node's */
export function targetNamed(order: FaultOrder, world: FaultWorld): TargetDescription {
  const target = world.targets.find(({ targetId }) => targetId === order.subject);
  if (target === undefined) throw refusedFault(`this node has no target "${order.subject}"`);
  return target;
}

/** @throws Failure `refused` when the fault is for another node */
export function onThisNode(order: FaultOrder, world: FaultWorld): void {
  if (order.subject !== world.nodeId) throw refusedFault(`the fault is for node "${order.subject}", this is "${world.nodeId}"`);
}

/** @throws Failure `refused` when the parameter is missing or outside the bounds, which are part of them */
export function numberParameter(order: FaultOrder, name: string, from: number, to: number): number {
  const value = order.parameters[name];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < from || value > to)
    throw refusedFault(`parameter ${name} has to be a number from ${from} to ${to}`);
  return value;
}

/** An error as the operating system would give it. */
export function systemError(code: string, operation: string, targetId: string): Error {
  return Object.assign(new Error(`${code}: injected, ${operation} on target ${targetId}`), { code, syscall: operation });
}
