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

type Row = MixedModel['rows'][number];

/** HiGHS' tolerances are absolute: the cents of small datasets must stand above them, and the largest number must stay where doubles are exact enough. */
const finest = 1000;
const largest = 1e7;

/** Its types describe the CommonJS build, where the loader is the property `default`; as an ES module the loader is the default export itself. */
const loadHighs = highsModule as unknown as typeof highsModule.default;
let runtime: Promise<Highs> | undefined;

/**
 * Solve with HiGHS (WebAssembly, in this thread: the caller keeps it off a thread that must answer), starting from a greedy answer.
 * The same model gives the same answer unless the time limit strikes, in which case the best found so far is returned with its gap.
 *
 * @param limits `gap` is how far from the bound the answer may be, in the unit of the costs: not a share, because what answering needs is worth would swell it
 */
export async function solveMixed(model: MixedModel, limits: { readonly timeLimitMs: number; readonly gap: number }): Promise<MixedSolution> {
  runtime ??= loadHighs();
  try {
    return solveWith(await runtime, model, limits);
  } catch (thrown) {
    // A WebAssembly trap (out of memory) leaves the runtime unusable; the next call gets a new one.
    runtime = undefined;
    throw thrown;
  }
}

function solveWith(highs: Highs, model: MixedModel, limits: { readonly timeLimitMs: number; readonly gap: number }): MixedSolution {
  const columns = model.costs.length;
  const scale = Math.min(finest, largest / Math.max(1, ...model.costs.map(Math.abs)));
  const greedy = greedyAnswer(model);
  const starts = [0];
  for (const row of model.rows) starts.push(starts.at(-1)! + row.columns.length);
  const solver = highs.createModel({
    numCols: columns,
    numRows: model.rows.length,
    colCost: model.costs.map((cost) => cost * scale),
    colLower: new Float64Array(columns),
    colUpper: new Float64Array(columns).fill(1),
    rowLower: new Float64Array(model.rows.length).fill(-highs.infinity),
    rowUpper: model.rows.map((row) => row.atMost),
    matrix: {
      format: 'csr',
      numRows: model.rows.length,
      numCols: columns,
      starts,
      indices: model.rows.flatMap((row) => row.columns),
      values: model.rows.flatMap((row) => row.weights),
    },
    integrality: new Int32Array(columns).fill(highs.constants.variableType.integer),
  });
  try {
    solver.options.set({ output_flag: false, time_limit: limits.timeLimitMs / 1000, mip_rel_gap: 0, mip_abs_gap: limits.gap * scale, random_seed: 1 });
    solver.setSolution({ colValue: greedy.map(Number) });
    solver.run();
    const optimal = solver.getModelStatus() === highs.constants.modelStatus.optimal;
    const found = roundedWithin(model, Array.from(solver.getSolution().colValue ?? []));
    const values = costOf(model, greedy) < costOf(model, found) ? greedy : found;
    const bound = Number(solver.info.get('mip_dual_bound')) / scale;
    const lower = Number.isFinite(bound) ? bound : model.costs.reduce((sum, each) => sum + Math.min(0, each), 0);
    return {
      values,
      gap: Math.max(0, costOf(model, values) - lower),
      solvedInMs: Math.round(solver.getRunTime() * 1000),
      status: optimal ? 'optimal' : 'time-limit',
    };
  } finally {
    solver.dispose();
  }
}

function costOf(model: MixedModel, values: readonly boolean[]): number {
  return values.reduce((sum, value, column) => sum + (value ? model.costs[column]! : 0), 0);
}

/** Take every choice that gains, the largest gain first, as long as its rows hold; twice, since one that leaves opens the way for another. */
function greedyAnswer(model: MixedModel): boolean[] {
  const rowsOf = model.costs.map((): { row: number; weight: number }[] => []);
  for (const [row, { columns, weights }] of model.rows.entries())
    for (const [entry, column] of columns.entries()) rowsOf[column]!.push({ row, weight: weights[entry]! });
  const used = model.rows.map(() => 0);
  const values = model.costs.map(() => false);
  const order = model.costs
    .map((cost, column) => ({ cost, column }))
    .filter(({ cost }) => cost < 0)
    .sort((a, b) => a.cost - b.cost);
  for (const { column } of [...order, ...order]) {
    if (values[column] || rowsOf[column]!.some(({ row, weight }) => weight > 0 && used[row]! + weight > model.rows[row]!.atMost)) continue;
    values[column] = true;
    for (const { row, weight } of rowsOf[column]!) used[row]! += weight;
  }
  return values;
}

/**
 * The solver's numbers as decisions. Rows hold within its tolerance only, a target must hold its bytes exactly: of what would break a row,
 * the choice that gains least is given up, until every row holds.
 */
function roundedWithin(model: MixedModel, solution: readonly number[]): boolean[] {
  const values = model.costs.map((_, column) => (solution[column] ?? 0) > 0.5);
  const isBroken = (row: Row): boolean =>
    row.columns.reduce((sum, column, entry) => sum + (values[column] ? row.weights[entry]! : 0), 0) > row.atMost + 1e-12 * Math.abs(row.atMost);
  for (let row = model.rows.find(isBroken); row !== undefined; row = model.rows.find(isBroken)) {
    const { columns, weights } = row;
    const chosen = columns.filter((column, entry) => values[column] && weights[entry]! > 0);
    values[chosen.reduce((least, column) => (model.costs[column]! > model.costs[least]! ? column : least))] = false;
  }
  return values;
}
