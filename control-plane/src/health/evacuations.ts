import { isRisky } from '@data-in-motion/shared/domain/assessment';
import type { DeviceId } from '@data-in-motion/shared/domain/ids';
import { defaultDecisionSettings, type EvacuationSettings, type RiskSettings } from '../fleet/decision-settings.ts';
import type { DeviceFacts, FleetSnapshot } from '../fleet/snapshot.ts';
import { bytesText, dollarsText } from '../fleet/words.ts';
import { type EvacuationPrice, evacuationPays, priceEvacuation, stakeOf } from './evacuation-price.ts';
import { observerHolds } from './observer-fault.ts';

/**
 * What is done about a device that gives signs. `evacuated` its copies are made elsewhere and do not count any more ·
 * `held` the observer is the likelier fault · `waits` it shall be emptied when there is room for one more · `watched` emptying it does not pay.
 * On none of them new data is put; on all but the first the copies count.
 */
export type EvacuationVerdict = 'evacuated' | 'held' | 'waits' | 'watched';

export interface DeviceEvacuation {
  readonly deviceId: DeviceId;
  readonly verdict: EvacuationVerdict;
  /** Null where nothing is weighed: by a rule's level, or when it is failing. */
  readonly price: EvacuationPrice | null;
  readonly reason: string;
}

interface Candidate {
  readonly device: DeviceFacts;
  readonly price: EvacuationPrice;
  readonly stage: 'new' | 'begun';
}

const known = new WeakMap<FleetSnapshot, Map<RiskSettings, ReadonlyMap<DeviceId, DeviceEvacuation>>>();

/**
 * What is done about each device; those about which nothing is done are left out. A rule's level decides as it is, and so does `failing`,
 * whoever says it; where a learned model says how likely it is that a device fails, that is weighed (`evacuation-price.ts`).
 * A device that was emptied stays empty until its judge calls it healthy, or it would be filled and emptied in turn.
 */
export function deviceEvacuations(snapshot: FleetSnapshot, settings: RiskSettings = defaultDecisionSettings): ReadonlyMap<DeviceId, DeviceEvacuation> {
  const answers = known.get(snapshot) ?? new Map<RiskSettings, ReadonlyMap<DeviceId, DeviceEvacuation>>();
  const answer = answers.get(settings) ?? judgeDevices(snapshot, settings);
  known.set(snapshot, answers.set(settings, answer));
  return answer;
}

/**
 * Which devices begin or end to be emptied, against what was decided last; to be kept, since what was begun goes on by other sums than what is new.
 * Only for devices that a model judges: a rule's level needs no memory. One that is held stays what it was.
 */
export function changedEvacuations(
  snapshot: FleetSnapshot,
  settings: RiskSettings,
): { readonly deviceId: DeviceId; readonly begins: boolean; readonly reason: string }[] {
  const verdicts = deviceEvacuations(snapshot, settings);
  return snapshot.devices.flatMap(({ deviceId, judgeKind, evacuatingSinceMs }) => {
    const said = verdicts.get(deviceId);
    if (said?.verdict === 'held') return [];
    const isEvacuated = said?.verdict === 'evacuated' && judgeKind === 'model';
    if (isEvacuated === (evacuatingSinceMs !== null)) return [];
    return [{ deviceId, begins: isEvacuated, reason: isEvacuated ? said.reason : (said?.reason ?? 'it does not pay any more') }];
  });
}

function judgeDevices(snapshot: FleetSnapshot, settings: RiskSettings): Map<DeviceId, DeviceEvacuation> {
  const holds = observerHolds(snapshot, settings.observer);
  const answer = new Map<DeviceId, DeviceEvacuation>();
  const say = (device: DeviceFacts, verdict: EvacuationVerdict, price: EvacuationPrice | null, reason: string): void =>
    void answer.set(device.deviceId, { deviceId: device.deviceId, verdict, price, reason });
  const candidates: Candidate[] = [];
  for (const device of snapshot.devices) {
    const isWeighed = device.judgeKind === 'model' && device.level !== 'failing';
    if (!isRisky(device.level) && !(isWeighed && (device.level === 'watch' || device.evacuatingSinceMs !== null))) continue;
    const hold = holds.get(device.deviceId);
    if (!isWeighed) {
      if (hold !== undefined) say(device, 'held', null, hold);
      else say(device, 'evacuated', null, signsOf(device));
      continue;
    }
    const weighed = weigh(snapshot, device, settings.evacuation);
    if (weighed.verdict === null) continue;
    if (hold !== undefined) say(device, 'held', weighed.price, hold);
    else if (weighed.verdict === 'evacuated' && weighed.price.bytes > 0) candidates.push({ device, ...weighed });
    else say(device, weighed.verdict, weighed.price, weighed.reason);
  }
  admitInTurn(snapshot, settings.evacuation, answer, candidates, say);
  return answer;
}

interface Weighed {
  readonly verdict: 'evacuated' | 'watched' | null;
  readonly price: EvacuationPrice;
  readonly stage: 'new' | 'begun';
  readonly reason: string;
}

/** What the sums say of one device; null: nothing is done about it. */
function weigh(snapshot: FleetSnapshot, device: DeviceFacts, settings: EvacuationSettings): Weighed {
  const stage = device.evacuatingSinceMs === null ? 'new' : 'begun';
  const stake = stakeOf(snapshot, device, settings);
  const price = priceEvacuation(stake, { probability: device.probability ?? 0, horizonDays: device.horizonDays }, settings, stage);
  const of = (verdict: Weighed['verdict'], reason: string): Weighed => ({ verdict, price, stage, reason });
  if (stage === 'begun' && price.bytes === 0)
    return device.level === 'healthy' ? of(null, '') : of('evacuated', `${signsOf(device)}; it was emptied and stays so until it is judged healthy`);
  // A judge that fell silent takes no alarm back.
  if (device.probability === null && stage === 'begun') return of('evacuated', `${signsOf(device)}; its evacuation goes on`);
  if (device.probability === null) return of('evacuated', signsOf(device));
  if (evacuationPays(price, settings, stage)) return of('evacuated', signsOf(device));
  if (!isRisky(device.level)) return of(null, '');
  return price.bytes === 0
    ? of('watched', `${signsOf(device)}; there is nothing on it that could be lost`)
    : of('watched', `${signsOf(device)}; ${sumsText(price)}: it stays, watched`);
}

/**
 * Those under way go on, then the one that is dearest to leave first; none overtakes, so that a large one does not wait for ever.
 * Devices that leave whatever it costs do not wait, but take up the room.
 */
function admitInTurn(
  snapshot: FleetSnapshot,
  settings: EvacuationSettings,
  answer: ReadonlyMap<DeviceId, DeviceEvacuation>,
  candidates: readonly Candidate[],
  say: (device: DeviceFacts, verdict: EvacuationVerdict, price: EvacuationPrice, reason: string) => void,
): void {
  if (candidates.length === 0) return;
  const bytesOn = bytesByDevice(snapshot);
  const mostDevices = Math.max(1, Math.floor(settings.shareOfDevices * snapshot.devices.length));
  const mostBytes = settings.shareOfBytes * [...bytesOn.values()].reduce((sum, bytes) => sum + bytes, 0);
  const leaving = [...answer.values()].filter((one) => one.verdict === 'evacuated' && (bytesOn.get(one.deviceId) ?? 0) > 0);
  let devices = leaving.length;
  let bytes = leaving.reduce((sum, one) => sum + bytesOn.get(one.deviceId)!, 0);
  let isFull = false;
  const inTurn = [...candidates].sort(
    (a, b) =>
      Number(b.stage === 'begun') - Number(a.stage === 'begun') ||
      b.price.leavingDollars - a.price.leavingDollars ||
      (a.device.deviceId < b.device.deviceId ? -1 : 1),
  );
  for (const { device, price, stage } of inTurn) {
    const sums = `${signsOf(device)}; ${sumsText(price)}`;
    isFull ||= stage === 'new' && devices > 0 && (devices >= mostDevices || bytes + price.bytes > mostBytes);
    if (isFull && stage === 'new') {
      say(
        device,
        'waits',
        price,
        `${sums}: it shall be emptied, but ${devices} of ${snapshot.devices.length} devices with ${bytesText(bytes)} are being emptied already, and no more may be at once`,
      );
      continue;
    }
    devices++;
    bytes += price.bytes;
    say(
      device,
      'evacuated',
      price,
      stage === 'begun' && device.probability === null ? `${signsOf(device)}; its evacuation goes on` : `${sums}: it is being emptied`,
    );
  }
}

/** What lies on each device of the present versions, bytes. */
function bytesByDevice(snapshot: FleetSnapshot): Map<DeviceId, number> {
  const devicesOf = new Map(snapshot.targets.map((target) => [target.targetId, target.deviceIds]));
  const bytes = new Map<DeviceId, number>();
  for (const dataset of snapshot.datasets)
    for (const replica of dataset.replicas)
      if (replica.versionId === dataset.versionId && replica.state === 'verified')
        for (const deviceId of devicesOf.get(replica.targetId) ?? []) bytes.set(deviceId, (bytes.get(deviceId) ?? 0) + dataset.sizeBytes);
  return bytes;
}

function signsOf(device: DeviceFacts): string {
  const likely = device.judgeKind === 'model' && device.probability !== null ? ` (${percentText(device.probability)} within ${device.horizonDays} days)` : '';
  return `device ${device.deviceId} is ${device.level}${likely}${device.reasons[0] === undefined ? '' : `: ${device.reasons[0]}`}`;
}

function sumsText(price: EvacuationPrice): string {
  return `leaving it costs ${dollarsText(price.leavingDollars)} in expectation, moving ${dollarsText(price.movingDollars)}`;
}

function percentText(share: number): string {
  const percent = share * 100;
  return `${percent >= 10 ? Math.round(percent) : Number(percent.toPrecision(2))} %`;
}
