/**
 * How often the agents of such a fleet look at their targets, which is also how often one that does nothing is heard.
 * What they see is gathered for two seconds more: late is only who left out two looks.
 */
export const targetEveryMs = 2_500;

/** Settings of the control plane for fleets on one machine. A real fleet takes its defaults of hours and days. */

/** To be watched by a person: a whole migration with grace and trash, a node that stays away, a dataset that nobody reads, each within minutes. */
export const watchableLife: Readonly<Record<string, string>> = {
  DIM_CHAOS: '1',
  DIM_GRACE_MS: '15000',
  DIM_TRASH_MS: '60000',
  DIM_LATE_AFTER_MS: '20000',
  DIM_LOST_AFTER_MS: '60000',
  DIM_LEASE_MS: '15000',
  DIM_COLD_AFTER_MS: '900000',
  DIM_DWELL_MS: '60000',
  DIM_PLAN_EVERY_MS: '60000',
};

/** To be over soon, for tests and scenarios in a fleet of their own. */
export const hurriedLife: Readonly<Record<string, string>> = {
  DIM_CHAOS: '1',
  DIM_GRACE_MS: '1000',
  DIM_TRASH_MS: '2000',
  DIM_LATE_AFTER_MS: '8000',
  DIM_LOST_AFTER_MS: '15000',
  DIM_LEASE_MS: '5000',
  DIM_LOOP_EVERY_MS: '500',
  DIM_DWELL_MS: '2000',
  DIM_PLAN_EVERY_MS: '5000',
};
