/** The rows of a list of so many, or every so many-eth of them. By a loop: `Int32Array.from` takes ten times as long, which is ten milliseconds for a hundred thousand. */
export function everyRow(count: number, stride = 1): Int32Array {
  const rows = new Int32Array(Math.ceil(count / stride));
  for (let at = 0; at < rows.length; at++) rows[at] = at * stride;
  return rows;
}
