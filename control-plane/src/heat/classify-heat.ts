import type { Heat } from '@data-in-motion/shared/domain/heat';
import { heatWindows } from '@data-in-motion/shared/domain/heat';
import type { DatasetId } from '@data-in-motion/shared/domain/ids';
import type { TierClass } from '@data-in-motion/shared/domain/target';
import type { HeatSettings } from '../fleet/decision-settings.ts';
import type { DatasetFacts, FleetSnapshot } from '../fleet/snapshot.ts';

/** How much the rate of each window weighs: the long window keeps a single burst from ruling the month, the short one sees it at once. */
const windowWeights: Readonly<Record<(typeof heatWindows)[number]['name'], number>> = { '1h': 0.2, '6h': 0.3, '24h': 0.5 };
/** Frequency against recency in the score. LRFU (Lee et al., IEEE ToC 2001) combines the two the same way; frequency leads, since recency alone makes one read hot. */
const frequencyWeight = 0.7;
/** Recency halves this often until `coldAfterMs`. */
const halvingsUntilCold = 4;
/** At this distance from a threshold the class is certain; on the threshold it is a toss of a coin. */
const certainDistance = 0.2;

/**
 * How much a dataset is used now, and what that makes it.
 *
 *     score     = 0.7 · frequency + 0.3 · recency             0 when nobody used it for `coldAfterMs`
 *     frequency = min(1, ln(1 + usesPerHour) / ln(1 + fullUsesPerHour))
 *     recency   = 2 ^ −(4 · age / coldAfterMs)
 *
 * The logarithm is for the skew of real accesses: between 1 and 10 an hour lies as much as between 10 and 100.
 * A class is entered at its threshold and left only `hysteresis` beyond it.
 */
export function classifyHeat(dataset: DatasetFacts, nowMs: number, settings: HeatSettings): Heat {
  const usesPerHour = usesPerHourOf(dataset, nowMs, settings);
  const score = scoreOf(dataset, usesPerHour, nowMs, settings);
  const hotFrom = dataset.heatClass === 'hot' ? settings.hotFrom - settings.hysteresis : settings.hotFrom;
  const coldBelow = dataset.heatClass === 'cold' ? settings.coldBelow + settings.hysteresis : settings.coldBelow;
  const heatClass: TierClass = score >= hotFrom ? 'hot' : score < coldBelow ? 'cold' : 'warm';
  const distance = Math.min(Math.abs(score - hotFrom), Math.abs(score - coldBelow));
  return {
    class: heatClass,
    score,
    confidence: 0.5 + 0.5 * Math.min(1, distance / certainDistance),
    decidedAtMs: nowMs,
    lastAccessAtMs: dataset.lastAccessAtMs,
    ewmaPerHour: dataset.ewmaPerHour,
    windows: dataset.windows,
    ...(dataset.pastUse === null ? {} : { past: { ...dataset.pastUse, forecastShare: settings.forecastShare } }),
    reason: reasonOf(dataset, heatClass, score, usesPerHour, nowMs, settings),
  };
}

/** The heat of every dataset of the fleet. */
export function fleetHeats(snapshot: FleetSnapshot, settings: HeatSettings): Map<DatasetId, Heat> {
  return new Map(snapshot.datasets.map((dataset) => [dataset.datasetId, classifyHeat(dataset, snapshot.takenAtMs, settings)]));
}

/** Weighted uses per hour of the windows; a window that is not given counts as empty. */
export function windowRatePerHour(windows: Heat['windows'], countOf: (counts: Heat['windows'][number]) => number): number {
  return windows.reduce((sum, counts) => {
    const hours = (heatWindows.find((window) => window.name === counts.window)?.ms ?? Number.POSITIVE_INFINITY) / 3_600_000;
    return sum + (windowWeights[counts.window] * countOf(counts)) / hours;
  }, 0);
}

/** The agent's moving average is taken where it says more than the windows (they are empty for accesses that only file times show), faded by age because nobody lowers it in silence. */
function usesPerHourOf(dataset: DatasetFacts, nowMs: number, settings: HeatSettings): number {
  const counted = windowRatePerHour(dataset.windows, (counts) => counts.reads + counts.writes);
  return Math.max(counted, dataset.ewmaPerHour * recencyOf(dataset, nowMs, settings));
}

function scoreOf(dataset: DatasetFacts, usesPerHour: number, nowMs: number, settings: HeatSettings): number {
  const recency = recencyOf(dataset, nowMs, settings);
  if (recency === 0) return 0;
  const frequency = Math.min(1, Math.log1p(usesPerHour) / Math.log1p(settings.fullUsesPerHour));
  return frequencyWeight * frequency + (1 - frequencyWeight) * recency;
}

function recencyOf(dataset: DatasetFacts, nowMs: number, settings: HeatSettings): number {
  if (dataset.lastAccessAtMs === null) return 0;
  const ageMs = Math.max(0, nowMs - dataset.lastAccessAtMs);
  return ageMs >= settings.coldAfterMs ? 0 : 0.5 ** ((halvingsUntilCold * ageMs) / settings.coldAfterMs);
}

function reasonOf(dataset: DatasetFacts, heatClass: TierClass, score: number, usesPerHour: number, nowMs: number, settings: HeatSettings): string {
  if (dataset.lastAccessAtMs === null) return 'cold: nobody has used it yet';
  const age = durationText(Math.max(0, nowMs - dataset.lastAccessAtMs));
  if (score === 0) return `cold: nobody has used it for ${age}, and after ${durationText(settings.coldAfterMs)} a dataset is cold`;
  const kept = dataset.heatClass === heatClass ? 'stays' : dataset.heatClass === null ? 'is' : `was ${dataset.heatClass}, is now`;
  return `${kept} ${heatClass}: about ${usesPerHour < 10 ? usesPerHour.toFixed(1) : Math.round(usesPerHour)} uses an hour, the last ${age} ago; score ${score.toFixed(2)} (hot from ${settings.hotFrom}, cold below ${settings.coldBelow})`;
}

function durationText(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}
