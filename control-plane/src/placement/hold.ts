import { daysPerMonth } from '../fleet/copy-cost.ts';
import { dollarsText } from '../fleet/words.ts';
import { copiesOf, jobsOf } from '../reconcile/copies.ts';
import { datasetNeeds } from '../reconcile/needs.ts';
import type { AskContext } from './asks.ts';
import type { OneChoice } from './choose-one.ts';
import { slackOf } from './objective.ts';
import type { CopyPlaces, Place } from './places-of-copy.ts';

/** What holds a copy back from a place that is allowed and cheaper in the long run. */
export interface Hold {
  readonly by: 'way' | 'margin' | 'work' | 'place' | 'rest' | 'advisory' | 'certainty';
  readonly text: string;
}

/** Why a copy stays although an allowed place would cost less every month, or does not go yet although its move pays; null where nothing holds it. */
export function holdOf(context: AskContext, places: CopyPlaces, choice: OneChoice): Hold | null {
  if (choice.kind === 'goes' && places.need === null) return heldNow(context, places);
  if (choice.kind !== 'stays' || places.isPinned) return null;
  const cheaper = places.others.filter(({ obstacles, lasting }) => obstacles.length === 0 && lasting < places.here.lasting);
  const best = cheaper.sort((a, b) => a.objective - b.objective)[0];
  return best === undefined ? null : doesNotPay(context, places, best);
}

function doesNotPay({ settings }: AskContext, places: CopyPlaces, best: Place): Hold {
  const { overWay } = slackOf(places.here.parts, best.parts, places.marginPerMonth);
  const saving = places.here.lasting - best.lasting;
  const name = best.target.targetId;
  if (overWay < 0) {
    const once = ((best.parts.wayTherePerMonth + best.parts.copyingPerMonth) * settings.horizonDays) / daysPerMonth;
    const days = Math.ceil((once / saving) * daysPerMonth);
    return {
      by: 'way',
      text: `a move to ${name} would save ${dollarsText(saving)} a month and cost ${dollarsText(once)} once, the time of copying included: paid back after ${days.toLocaleString('en-US')} days, at most ${settings.horizonDays} count`,
    };
  }
  const { forecastMargin } = places.dataset.policy;
  const share = (overWay / places.marginPerMonth) * forecastMargin;
  return {
    by: 'margin',
    text: `a move to ${name} would save ${percentText(share)} of what the dataset costs once it is paid (${dollarsText(overWay)} a month), the policy asks for ${percentText(forecastMargin)}`,
  };
}

/** The move pays; what keeps the next plan from making it. */
function heldNow(context: AskContext, { dataset, replica }: CopyPlaces): Hold | null {
  const { snapshot, health, heats, settings } = context;
  const place = health.get(replica.targetId);
  const copies = copiesOf(snapshot, dataset, health);
  if (place?.mayLetGo !== true) return { by: 'place', text: place?.reason ?? `${replica.targetId} can not be emptied now` };
  const working =
    jobsOf(snapshot)
      .get(dataset.datasetId)
      ?.some((job) => job.purpose !== 'verify') === true;
  if (working || copies.comingTo.length > 0 || copies.inHand.size > 0) return { by: 'work', text: 'a job of the dataset is under way, and is waited for' };
  const open = datasetNeeds(snapshot, dataset, health)[0];
  if (open !== undefined) return { by: 'work', text: `something else comes first: ${open.reason}` };
  const restMs = dataset.lastMovedAtMs === null ? 0 : dataset.lastMovedAtMs + settings.dwellMs - snapshot.takenAtMs;
  if (restMs > 0) return { by: 'rest', text: `it moved not long ago and rests for ${Math.ceil(restMs / 60_000).toLocaleString('en-US')} min more` };
  if (dataset.policy.mode === 'advisory') return { by: 'advisory', text: 'the policy is advisory: the move waits for a person' };
  const confidence = heats.get(dataset.datasetId)?.confidence ?? 0.5;
  if (confidence < dataset.policy.probabilityCutoff)
    return { by: 'certainty', text: `the forecast is ${percentText(confidence)} sure, the policy acts from ${percentText(dataset.policy.probabilityCutoff)}` };
  return null;
}

function percentText(share: number): string {
  const percent = share * 100;
  return `${percent >= 10 ? Math.round(percent) : Number(percent.toPrecision(2))} %`;
}
