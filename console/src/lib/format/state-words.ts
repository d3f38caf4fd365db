/** What a state means for the reader: `ok` nothing to do · `busy` work under way · `wait` held back · `warn` look soon · `bad` act · `idle` of no interest now. */
export type Tone = 'ok' | 'busy' | 'wait' | 'warn' | 'bad' | 'idle';
/** Drawn beside the word, so that a state is told without colour. */
export type Shape = 'disc' | 'ring' | 'half' | 'triangle' | 'square' | 'diamond' | 'cross' | 'dash';

export interface StateWord {
  readonly word: string;
  readonly tone: Tone;
  readonly shape: Shape;
  /** One letter for cells too small for a word. */
  readonly letter: string;
}

const as = (word: string, tone: Tone, shape: Shape, letter = word.charAt(0).toUpperCase()): StateWord => ({ word, tone, shape, letter });

const words = {
  risk: {
    healthy: as('healthy', 'ok', 'disc', ''),
    watch: as('watch', 'wait', 'half', 'W'),
    'at-risk': as('at risk', 'warn', 'triangle', 'R'),
    failing: as('failing', 'bad', 'cross', 'F'),
    unknown: as('unknown', 'idle', 'ring', '?'),
  },
  agent: {
    expected: as('expected', 'idle', 'ring'),
    online: as('online', 'ok', 'disc'),
    late: as('late', 'warn', 'half'),
    lost: as('lost', 'bad', 'cross'),
    returned: as('returned', 'busy', 'diamond'),
    revoked: as('revoked', 'idle', 'dash'),
  },
  target: {
    ok: as('in use', 'ok', 'disc'),
    draining: as('draining', 'warn', 'triangle'),
    frozen: as('frozen', 'wait', 'square'),
    lost: as('lost', 'bad', 'cross'),
  },
  tier: { hot: as('hot', 'warn', 'disc'), warm: as('warm', 'wait', 'half'), cold: as('cold', 'busy', 'ring') },
  policy: {
    met: as('met', 'ok', 'disc'),
    working: as('working', 'busy', 'half'),
    short: as('short of copies', 'bad', 'triangle'),
    infeasible: as('infeasible', 'bad', 'cross'),
    empty: as('no version yet', 'idle', 'ring'),
  },
  replica: {
    joining: as('joining', 'busy', 'half'),
    verified: as('verified', 'ok', 'disc'),
    suspect: as('suspect', 'warn', 'triangle'),
    corrupt: as('corrupt', 'bad', 'cross'),
    missing: as('missing', 'bad', 'cross'),
    retiring: as('retiring', 'wait', 'half'),
    trashed: as('in the trash', 'idle', 'dash'),
    purged: as('purged', 'idle', 'dash'),
    conflict: as('conflict', 'bad', 'diamond'),
    abandoned: as('abandoned', 'idle', 'dash'),
  },
  job: {
    planned: as('planned', 'idle', 'ring'),
    leased: as('taken', 'busy', 'half'),
    scanning: as('scanning', 'busy', 'half'),
    copying: as('copying', 'busy', 'half'),
    copied: as('copied', 'busy', 'half'),
    verifying: as('verifying', 'busy', 'half'),
    verified: as('verified', 'busy', 'half'),
    switched: as('switched', 'busy', 'half'),
    grace: as('grace', 'busy', 'half'),
    retiring: as('retiring', 'busy', 'half'),
    trashed: as('in the trash', 'busy', 'half'),
    purged: as('purged', 'busy', 'half'),
    done: as('done', 'ok', 'disc'),
    'retry-wait': as('waits to retry', 'wait', 'square'),
    'no-space': as('waits for space', 'wait', 'square'),
    'source-changed': as('source changed', 'wait', 'square'),
    paused: as('paused', 'wait', 'square'),
    conflict: as('conflict', 'bad', 'diamond'),
    'dead-letter': as('gave up', 'bad', 'cross'),
    cancelled: as('cancelled', 'idle', 'dash'),
  },
  verdict: { admitted: as('admitted', 'ok', 'disc'), advised: as('advised', 'wait', 'ring'), held: as('held back', 'idle', 'square') },
  plan: {
    current: as('current', 'busy', 'disc'),
    applied: as('applied', 'ok', 'disc'),
    superseded: as('superseded', 'idle', 'dash'),
    preview: as('preview', 'wait', 'ring'),
    holds: as('still holds', 'ok', 'disc'),
    overtaken: as('overtaken', 'warn', 'triangle'),
  },
  stage: {
    waiting: as('waits', 'wait', 'square'),
    running: as('under way', 'busy', 'half'),
    done: as('done', 'ok', 'disc'),
    failed: as('gave up', 'bad', 'cross'),
    'left-out': as('left out', 'idle', 'dash'),
    stopped: as('stopped', 'warn', 'triangle'),
    'called-off': as('called off', 'idle', 'cross'),
  },
  severity: { info: as('info', 'idle', 'dash'), warning: as('warning', 'warn', 'triangle'), error: as('error', 'bad', 'cross') },
  experiment: {
    sent: as('sent', 'wait', 'ring'),
    armed: as('armed', 'warn', 'triangle'),
    refused: as('refused', 'idle', 'cross'),
    undone: as('undone', 'ok', 'disc'),
    expired: as('ended by time', 'ok', 'disc'),
  },
  certificate: { open: as('open', 'busy', 'half'), complete: as('complete', 'ok', 'disc') },
  consistency: {
    pending: as('pending', 'wait', 'ring'),
    working: as('working', 'busy', 'half'),
    waiting: as('waiting', 'wait', 'square'),
    'needs-person': as('needs a person', 'bad', 'triangle'),
  },
  model: {
    candidate: as('candidate', 'idle', 'ring'),
    shadow: as('in the shadow', 'wait', 'half'),
    active: as('active', 'ok', 'disc'),
    retired: as('retired', 'idle', 'dash'),
    rejected: as('rejected', 'idle', 'cross'),
  },
  invariant: { holds: as('holds', 'ok', 'disc'), broken: as('broken', 'bad', 'cross') },
  dependency: { up: as('up', 'ok', 'disc'), down: as('down', 'bad', 'cross') },
  connection: { on: as('connected', 'ok', 'disc'), off: as('away', 'idle', 'ring') },
} as const satisfies Record<string, Record<string, StateWord>>;

export type StateKind = keyof typeof words;

/** The word, tone and shape of a state; one that is not in the table is shown as it is, in neutral. */
export function stateWord(kind: StateKind, state: string): StateWord {
  const table: Record<string, StateWord> = words[kind];
  return Object.hasOwn(table, state) ? table[state]! : { word: state, tone: 'idle', shape: 'ring', letter: '?' };
}

const needWords: Record<string, string> = {
  'add-copy': 'a copy is missing',
  'drop-copy': 'a copy too many',
  'evacuate-device': 'leaves a risky drive',
  'replace-bad-copy': 'replaces a bad copy',
  'drop-stale-copy': 'an old version leaves',
  'leave-forbidden-place': 'leaves a forbidden place',
  'follow-heat': 'follows its use',
  'cheaper-place': 'costs less there',
};

/** Why a move is wanted, in few words. */
export function needWord(need: string | null): string {
  if (need === null) return 'asked by a person';
  return Object.hasOwn(needWords, need) ? needWords[need]! : need;
}
