import { defineMachine } from '../machine.ts';

/**
 * One version of one dataset on one target. Only `verified` counts as a copy; `suspect` is read last and checked leaf by leaf.
 * `joining` bytes are being written or checked · `verified` equals its manifest, read back · `suspect` a leaf was bad or the place was lost ·
 * `corrupt` read back and differs · `missing` not there · `retiring` a permit to leave was given, still whole ·
 * `trashed` renamed away, whole until it is purged · `purged` gone · `conflict` differs from its manifest because somebody wrote: kept for a person.
 */
export const replicaStates = ['joining', 'verified', 'suspect', 'corrupt', 'missing', 'retiring', 'trashed', 'purged', 'conflict', 'abandoned'] as const;
export type ReplicaState = (typeof replicaStates)[number];
export type ReplicaEvent = 'verified' | 'doubted' | 'found-corrupt' | 'found-missing' | 'permit' | 'kept' | 'trashed' | 'purged' | 'differs' | 'abandon';

export const replicaMachine = defineMachine<ReplicaState, ReplicaEvent>({
  initial: 'joining',
  states: {
    joining: { verified: 'verified', abandon: 'abandoned' },
    verified: { verified: 'verified', doubted: 'suspect', 'found-corrupt': 'corrupt', 'found-missing': 'missing', permit: 'retiring' },
    // One that is kept because its permit was withdrawn, too late: `trashed` then says where it is, whatever was believed meanwhile.
    suspect: { verified: 'verified', 'found-corrupt': 'corrupt', 'found-missing': 'missing', doubted: 'suspect', permit: 'retiring', trashed: 'trashed' },
    // A corrupt or missing copy is never mended in place: a new one is made, this one leaves.
    corrupt: { permit: 'retiring', abandon: 'abandoned', 'found-missing': 'missing', 'found-corrupt': 'corrupt' },
    missing: { verified: 'verified', abandon: 'abandoned', 'found-missing': 'missing', 'found-corrupt': 'corrupt', trashed: 'trashed' },
    retiring: { trashed: 'trashed', kept: 'suspect', differs: 'conflict', 'found-missing': 'missing' },
    trashed: { purged: 'purged', differs: 'conflict' },
    conflict: { abandon: 'abandoned' },
    abandoned: { purged: 'purged', trashed: 'trashed' },
    purged: {},
  },
});

/** How thoroughly bytes were compared with the manifest: L0 sizes, L1 a provider's checksum, L2 every leaf read again. */
export type VerificationLevel = 'L0' | 'L1' | 'L2';
