import type { LocationKind, TierClass } from '@data-in-motion/shared/domain/target';

/** What one target of the local fleet pretends to be; its bytes are real, below DIM_HOME. */
export interface LocalTarget {
  readonly name: string;
  readonly tier: TierClass;
  readonly provider: string;
  readonly region: string;
  readonly failureDomain: string;
  readonly encryptedAtRest: boolean;
  readonly priceClass: string;
  readonly capacityBytes: number;
  /** What such a medium and its way would add to the access that is measured here. */
  readonly addedLatencyMs: number;
  /** Which of the sample drives (all hard disks) lie under the target: the dying one, others by their place in the file. Flash here and a provider's shelves show none. */
  readonly drives: readonly (number | 'dying')[];
}

export interface LocalNode {
  readonly nodeId: string;
  readonly siteId: string;
  readonly locationKind: LocationKind;
  readonly targets: readonly LocalTarget[];
}

const gb = 1e9;

/**
 * Three sites of a company that has its own machine room, a hosted private cloud and an account with a public one.
 * Every tier exists at two sites or more, so that a copy can leave any single place without leaving its tier's price far behind.
 */
export const localNodes: readonly LocalNode[] = [
  {
    nodeId: 'berlin',
    siteId: 'berlin',
    locationKind: 'on-premises',
    targets: [
      {
        name: 'berlin-nvme',
        tier: 'hot',
        provider: 'own',
        region: 'eu-central',
        failureDomain: 'rack-1',
        encryptedAtRest: true,
        priceClass: 'onprem-nvme',
        capacityBytes: 20 * gb,
        addedLatencyMs: 0.1,
        drives: [],
      },
      {
        name: 'berlin-disk',
        tier: 'warm',
        provider: 'own',
        region: 'eu-central',
        failureDomain: 'rack-2',
        encryptedAtRest: true,
        priceClass: 'onprem-hdd',
        capacityBytes: 60 * gb,
        addedLatencyMs: 8,
        drives: [0, 1],
      },
      {
        name: 'berlin-archive',
        tier: 'cold',
        provider: 'own',
        region: 'eu-central',
        failureDomain: 'rack-3',
        encryptedAtRest: false,
        priceClass: 'onprem-archive',
        capacityBytes: 120 * gb,
        addedLatencyMs: 40,
        drives: ['dying', 2],
      },
    ],
  },
  {
    nodeId: 'frankfurt',
    siteId: 'frankfurt',
    locationKind: 'private-cloud',
    targets: [
      {
        name: 'frankfurt-ssd',
        tier: 'hot',
        provider: 'hosted',
        region: 'eu-central',
        failureDomain: 'hall-a',
        encryptedAtRest: true,
        priceClass: 'private-ssd',
        capacityBytes: 30 * gb,
        addedLatencyMs: 2,
        drives: [],
      },
      {
        name: 'frankfurt-disk',
        tier: 'warm',
        provider: 'hosted',
        region: 'eu-central',
        failureDomain: 'hall-b',
        encryptedAtRest: true,
        priceClass: 'private-hdd',
        capacityBytes: 80 * gb,
        addedLatencyMs: 12,
        drives: [3, 4],
      },
    ],
  },
  {
    nodeId: 'virginia',
    siteId: 'virginia',
    locationKind: 'public-cloud',
    targets: [
      {
        name: 'virginia-block',
        tier: 'hot',
        provider: 'public',
        region: 'us-east',
        failureDomain: 'zone-a',
        encryptedAtRest: true,
        priceClass: 'cloud-block',
        capacityBytes: 30 * gb,
        addedLatencyMs: 3,
        drives: [],
      },
      {
        name: 'virginia-standard',
        tier: 'warm',
        provider: 'public',
        region: 'us-east',
        failureDomain: 'zone-b',
        encryptedAtRest: true,
        priceClass: 'cloud-standard',
        capacityBytes: 100 * gb,
        addedLatencyMs: 35,
        drives: [],
      },
      {
        name: 'virginia-archive',
        tier: 'cold',
        provider: 'public',
        region: 'us-east',
        failureDomain: 'zone-c',
        encryptedAtRest: true,
        priceClass: 'cloud-archive',
        capacityBytes: 200 * gb,
        addedLatencyMs: 70,
        drives: [],
      },
    ],
  },
];
