/** The parts of what is minimised, in the order in which they are shown. */
export const partWords = {
  storagePerMonth: 'storage',
  requestsPerMonth: 'requests',
  retrievalPerMonth: 'retrieval',
  egressPerMonth: 'egress',
  waitingPerMonth: "readers' waiting",
  riskPerMonth: 'the risk of losing it',
  wayTherePerMonth: 'the way there',
  copyingPerMonth: 'the time and wear of copying',
  restPerMonth: 'what hysteresis asks',
} as const;
