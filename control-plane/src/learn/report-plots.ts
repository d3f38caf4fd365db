import type { CalibrationBin, Evaluation } from './evaluate-model.ts';

const size = 420;
const edge = 50;

/** A share on a logarithmic axis from `10 ** lowest` to 1, as a share of the axis. */
const onLog = (share: number, lowest: number): number => (Math.log10(Math.max(share, 10 ** lowest)) - lowest) / -lowest;
const across = (share: number): string => (edge + share * (size - 2 * edge)).toFixed(1);
const up = (share: number): string => (size - edge - share * (size - 2 * edge)).toFixed(1);
const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

/** The plots of a report: file name to SVG text. */
export function plotFiles(evaluation: Evaluation): Record<string, string> {
  return { 'calibration.svg': calibrationPlot(evaluation.calibration), 'found.svg': foundPlot(evaluation) };
}

/** Foretold against happened on logarithmic axes, the line on which they are equal, and the size of each group as a number beside its point. */
function calibrationPlot(bins: readonly CalibrationBin[]): string {
  const x = (share: number): string => across(onLog(share, -4));
  const y = (share: number): string => up(onLog(share, -4));
  const ticks = [0.0001, 0.001, 0.01, 0.1, 1];
  return drawing('Foretold and happened, on logarithmic axes', 'foretold within 30 days', 'happened', [
    `<line x1="${x(0.0001)}" y1="${y(0.0001)}" x2="${x(1)}" y2="${y(1)}" stroke="#bbb" stroke-dasharray="4 3"/>`,
    ...ticks.flatMap((tick) => [below(x(tick), percent(tick)), beside(y(tick), percent(tick))]),
    ...bins.map(({ foretold, happened, decisions }) => point(x(foretold), y(happened), decisions.toLocaleString('en-GB'), '#0d6b75')),
  ]);
}

/** Share of failures found against the share of false alarms; the rules as points, each with its name. */
function foundPlot({ curve, rules }: Evaluation): string {
  const x = (share: number): string => across(onLog(share, -4));
  const line = curve.map(({ falsePositiveRate, truePositiveRate }) => `${x(falsePositiveRate)},${up(truePositiveRate)}`).join(' ');
  return drawing('Failures found at rising shares of false alarms', 'false alarms', 'failures found', [
    ...[0.0001, 0.001, 0.01, 0.1, 1].map((tick) => below(x(tick), percent(tick))),
    ...[0, 0.25, 0.5, 0.75, 1].map((tick) => beside(up(tick), percent(tick))),
    `<polyline points="${line}" fill="none" stroke="#0d6b75" stroke-width="2"/>`,
    ...rules.flatMap(({ name, falsePositiveRate, truePositiveRate }) =>
      falsePositiveRate === null || truePositiveRate === null ? [] : [point(x(falsePositiveRate), up(truePositiveRate), name, '#a34a00')],
    ),
  ]);
}

function drawing(title: string, horizontal: string, vertical: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" font-family="system-ui, sans-serif" font-size="11" fill="#444">`,
    `<title>${title}</title>`,
    `<rect width="${size}" height="${size}" fill="#fff"/>`,
    `<text x="${size / 2}" y="${size - 8}" text-anchor="middle">${horizontal}</text>`,
    `<text x="12" y="${size / 2}" text-anchor="middle" transform="rotate(-90 12 ${size / 2})">${vertical}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

const below = (x: string, text: string): string => `<text x="${x}" y="${size - edge + 18}" text-anchor="middle">${text}</text>`;
const beside = (y: string, text: string): string => `<text x="${edge - 6}" y="${y}" text-anchor="end">${text}</text>`;
const point = (x: string, y: string, text: string, colour: string): string =>
  `<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/><text x="${Number(x) + 7}" y="${y}">${text}</text>`;
