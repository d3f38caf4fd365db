/** Where in a list from the least number to the greatest the first stands that is not less than this one; its length where all are. */
export function lowerBound(numbers: ArrayLike<number>, number: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
