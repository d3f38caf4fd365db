import { resources } from './assignment.ts';
import { compiledLook } from './compiled-look.ts';
import type { PreparedAssignment } from './prepare-assignment.ts';
import { opensDomain, shutToReaders } from './row-candidates.ts';

/** Rows that are looked at in one go, and how much is special or near to them together, at the least. */
export const rowsOfBlock = 256;
const leastSpecials = 4_096;

/** Sizes in bytes of what `kernel/look-at-rows.ts` reads and writes, which says what is in them. */
const sizes = { column: 64, rare: 40, row: 96, special: 24, near: 16, domain: 16, slot: 16, bent: 16 } as const;
const page = 65_536;
/** Of each growth, for all views are made anew. */
const leastPages = 16;

/** What is used of it: the types of the runtime have none of this. */
declare global {
  namespace WebAssembly {
    interface Memory {
      readonly buffer: ArrayBuffer;
      grow(pages: number): number;
    }
    interface Global {
      value: number;
    }
    class Module {
      constructor(bytes: Uint8Array);
    }
    class Instance {
      constructor(module: Module);
      readonly exports: Readonly<Record<string, unknown>>;
    }
  }
}

interface Kernel {
  readonly memory: WebAssembly.Memory;
  free(): number;
  begin(): void;
  look(rows: number, wantsValues: number, list: number): void;
}

const compiled = new WebAssembly.Module(Buffer.from(compiledLook, 'base64'));

/** The memory of one compiled loop, and where in it everything is. Its views are of whole stretches: entries are found at their address / bytes of a number. */
export class LookMemory {
  floats!: Float64Array;
  ints!: Int32Array;
  shorts!: Int16Array;
  /** Of what is used, and how demand bends. */
  used!: Float64Array;
  bends!: Float64Array;
  /** Addresses. */
  readonly at: Readonly<Record<Region, number>>;
  /** So much may be special, or near, to the rows of a block. */
  readonly mostSpecials: number;
  readonly #kernel: Kernel;
  readonly #unknowns: number;
  readonly #set: (name: string, value: number) => void;

  constructor(prepared: PreparedAssignment) {
    const { exports } = new WebAssembly.Instance(compiled);
    this.#kernel = exports as unknown as Kernel;
    this.#set = (name, value) => {
      (exports[name] as WebAssembly.Global).value = value;
    };
    const { problem, width } = prepared;
    this.#unknowns = resources.length * problem.targets.count;
    this.mostSpecials = Math.max(leastSpecials, problem.targets.count, prepared.homes);
    this.at = this.#layOut(regionsOf(prepared, this.mostSpecials));
    this.#refresh();
    this.set({ targets: problem.targets.count, width });
    this.set({ usualByte: prepared.usual[0]!, usualRead: prepared.usual[1]!, usualRequest: prepared.usual[2]! });
    this.#writeTargets(prepared);
  }

  /** Numbers of the problem or of a look, by the names that the kernel gives them. */
  set(numbers: Readonly<Record<string, number>>): void {
    for (const [name, number] of Object.entries(numbers)) this.#set(name, number);
  }

  begin(): void {
    this.#kernel.begin();
  }

  /** Looks at the first so many rows that were written. */
  look(rows: number, wantsValues: boolean, list: number): void {
    this.#kernel.look(rows, Number(wantsValues), list);
  }

  /** @returns a number of a look, by the name that the kernel gives it */
  number(name: 'sum' | 'magnitude' | 'chosen'): number {
    return ((this.#kernel as unknown as Record<string, WebAssembly.Global>)[name] as WebAssembly.Global).value;
  }

  /** Has room to an address, which may replace all views. */
  reach(end: number): void {
    const { memory } = this.#kernel;
    const lacking = end - memory.buffer.byteLength;
    if (lacking <= 0) return;
    memory.grow(Math.max(leastPages, Math.ceil(lacking / page)));
    this.#refresh();
  }

  #refresh(): void {
    const { buffer } = this.#kernel.memory;
    [this.floats, this.ints, this.shorts] = [new Float64Array(buffer), new Int32Array(buffer), new Int16Array(buffer)];
    this.used = new Float64Array(buffer, this.at.used, this.#unknowns);
    this.bends = new Float64Array(buffer, this.at.bends, this.#unknowns ** 2);
  }

  #layOut(regions: Readonly<Record<Region, number>>): Record<Region, number> {
    let next = this.#kernel.free();
    const at: Partial<Record<Region, number>> = {};
    for (const [name, bytes] of Object.entries(regions) as [Region, number][]) {
      // Pairs of numbers are read at once.
      next = Math.ceil(next / 16) * 16;
      at[name] = next;
      if (name !== 'entries') this.#set(name, next);
      next += bytes;
    }
    const { memory } = this.#kernel;
    memory.grow(Math.max(0, Math.ceil((next - memory.buffer.byteLength) / page)));
    return at as Record<Region, number>;
  }

  #writeTargets({ problem, homes, members, groupMembers, groupOf, serves }: PreparedAssignment): void {
    const { targets } = problem;
    const { home, roomBytes, readBytesLimit, requestsLimit, minimumObjectBytes, holdPerByte } = targets;
    for (let column = 0; column < targets.count; column++) {
      const rare = [roomBytes, readBytesLimit, requestsLimit, minimumObjectBytes, holdPerByte];
      for (const [number, list] of rare.entries()) this.floats[(this.at.rare + column * sizes.rare) / 8 + number] = list[column]!;
    }
    const least = (limits: Float64Array): number => limits.reduce((lowest, limit) => Math.min(lowest, limit), Infinity);
    this.set({ leastRoom: least(roomBytes), leastReadBytes: least(readBytesLimit), leastRequests: least(requestsLimit) });
    this.set({ mostMinimum: minimumObjectBytes.reduce((most, bytes) => Math.max(most, bytes), 0) });
    let found = 0;
    for (let one = 0; one < homes; one++) {
      for (let column = 0; column < targets.count; column++) if (home[column] === one) this.ints[this.at.homeColumns / 4 + found++] = column;
      this.ints[this.at.homesFrom / 4 + one + 1] = found;
    }
    for (const [member, column] of members.entries()) {
      const flags = (groupMembers[groupOf[member]!] === member ? opensDomain : 0) + (serves[member] === 1 ? 0 : shutToReaders);
      this.shorts[this.at.entries / 2 + member] = column + flags;
    }
  }
}

/** What there is, in the order in which it lies there; lists grow at the end. */
function regionsOf({ problem, width, homes, mostGroups, members }: PreparedAssignment, mostSpecials: number) {
  const { count } = problem.targets;
  const unknowns = resources.length * count;
  return {
    columns: count * sizes.column,
    rare: count * sizes.rare,
    homesFrom: (homes + 1) * 4,
    homeColumns: count * 4,
    rows: rowsOfBlock * sizes.row,
    specials: mostSpecials * sizes.special,
    nears: mostSpecials * sizes.near,
    costs: count * 16,
    least: (mostGroups + 1) * sizes.domain,
    plain: (mostGroups + 1) * sizes.domain,
    ends: (mostGroups + 1) * 4,
    top: (width + 2) * sizes.slot,
    slots: width * sizes.slot,
    bent: (2 * resources.length + 2 * width) * sizes.bent,
    used: unknowns * 8,
    bends: unknowns ** 2 * 8,
    places: rowsOfBlock * width * 2,
    values: rowsOfBlock * 8,
    listEnds: rowsOfBlock * 4,
    entries: members.length * 2,
  };
}

export type Region = keyof ReturnType<typeof regionsOf>;
