import highsModule, { type Highs } from 'highs';

/** Minimise Σ cost · x over x in {0, 1}, each row Σ weight · x ≤ atMost. All rows allow x = 0. */
export interface MixedModel {
  readonly costs: readonly number[];
  readonly rows: readonly { readonly columns: readonly number[]; readonly weights: readonly number[]; readonly atMost: number }[];
}

export interface MixedSolution {
  readonly values: readonly boolean[];
  /** The cost of `values` less the proven lower bound, at least 0. */
  readonly gap: number;
  readonly solvedInMs: number;
  readonly status: 'optimal' | 'time-limit';
}

/** HiGHS' tolerances are absolute, and the dollars of a small dataset are many zeros behind the point. */
const scale = 1000;

/** Its types describe the CommonJS build, where the loader is the property `default`; as an ES module the loader is the default export itself. */
const loadHighs = highsModule as unknown as typeof highsModule.default;
let runtime: Promise<Highs> | undefined;

/**
 * Solve with HiGHS (WebAssembly, in this thread: the caller keeps it off a thread that must answer).
 * The same model gives the same answer unless the time limit strikes, in which case the best found so far is returned with its gap.
 *
 * @param limits `gap` is how far from the bound the answer may be, in the unit of the costs: not a share, because what answering needs is worth would swell it
 */
export async function solveMixed(model: MixedModel, limits: { readonly timeLimitMs: number; readonly gap: number }): Promise<MixedSolution> {
  runtime ??= loadHighs();
  const highs = await runtime;
  const columns = model.costs.length;
  const starts = [0];
  for (const row of model.rows) starts.push(starts.at(-1)! + row.columns.length);
  return highs.withModel(
    {
      numCols: columns,
      numRows: model.rows.length,
      colCost: model.costs.map((cost) => cost * scale),
      colLower: new Float64Array(columns),
      colUpper: new Float64Array(columns).fill(1),
      rowLower: new Float64Array(model.rows.length).fill(-highs.infinity),
      rowUpper: model.rows.map((row) => row.atMost),
      matrix: { format: 'csr', numRows: model.rows.length, numCols: columns, starts, indices: model.rows.flatMap((row) => row.columns), values: model.rows.flatMap((row) => row.weights) },
      integrality: new Int32Array(columns).fill(highs.constants.variableType.integer),
    },
    (solver): MixedSolution => {
      solver.options.set({ output_flag: false, time_limit: limits.timeLimitMs / 1000, mip_rel_gap: 0, mip_abs_gap: limits.gap * scale, random_seed: 1 });
      solver.run();
      const ended = solver.getModelStatus();
      const optimal = ended === highs.constants.modelStatus.optimal;
      const values = roundedWithin(model, Array.from(solver.getSolution().colValue ?? []));
      const cost = values.reduce((sum, value, column) => sum + (value ? model.costs[column]! : 0), 0);
      const bound = Number(solver.info.get('mip_dual_bound')) / scale;
      const lower = Number.isFinite(bound) ? bound : model.costs.reduce((sum, each) => sum + Math.min(0, each), 0);
      return { values, gap: Math.max(0, cost - lower), solvedInMs: Math.round(solver.getRunTime() * 1000), status: optimal ? 'optimal' : 'time-limit' };
    },
  );
}

/**
 * The solver's numbers as decisions. Rows hold within its tolerance only, a target must hold its bytes exactly: of what would break a row,
 * the choice that gains least is given up, until every row holds.
 */
function roundedWithin(model: MixedModel, solution: readonly number[]): boolean[] {
  const values = model.costs.map((_, column) => (solution[column] ?? 0) > 0.5);
  const broken = (row: MixedModel['rows'][number]): boolean => row.columns.reduce((sum, column, entry) => sum + (values[column] ? row.weights[entry]! : 0), 0) > row.atMost + 1e-12 * Math.abs(row.atMost);
  for (let row = model.rows.find(broken); row !== undefined; row = model.rows.find(broken)) {
    const chosen = row.columns.filter((column, entry) => values[column] && row!.weights[entry]! > 0);
    values[chosen.reduce((least, column) => (model.costs[column]! > model.costs[least]! ? column : least))] = false;
  }
  return values;
}
