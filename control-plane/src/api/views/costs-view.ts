import type { CostLineView, CostsView } from '@data-in-motion/shared/api/costs';
import { type CostLine, costReport } from '../../placement/cost-report.ts';
import type { FleetRows } from '../fleet-rows.ts';
import { perLook } from '../per-look.ts';

/** What the fleet costs as it is seen now, and with the current plan carried out. */
export const costReportOf = perLook((rows) => costReport(rows.snapshot, rows.heats, rows.plan?.moves ?? null));

export async function costsView(rows: FleetRows): Promise<CostsView> {
  const { total, tiers, targets, owners } = await costReportOf(rows);
  return {
    asOfMs: rows.asOfMs,
    total: lineView(total),
    tiers: tiers.map(lineView),
    targets: targets.map(lineView),
    owners: owners.map(lineView),
    plan:
      rows.plan === null
        ? null
        : {
            planId: rows.plan.planId,
            madeAtMs: rows.plan.madeAtMs,
            moves: rows.plan.moves.length,
            savesPerMonth: total.perMonth - (total.afterPerMonth ?? total.perMonth),
            migrationOnce: rows.plan.migrationOnce,
          },
  };
}

function lineView(line: CostLine): CostLineView {
  return { ...line, cost: { ...line.cost } };
}
