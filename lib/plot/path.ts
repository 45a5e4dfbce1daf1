export type Point = readonly [x: number, y: number];

/** Pixels that a line may pass beside a point that is left out. */
const tolerance = 0.2;

/** Of more than four neighbours in one column of pixels, the first, the highest, the lowest and the last. */
function columns(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (let i = 0; i < points.length; ) {
    const from = i;
    let [high, low] = [i, i];
    while (i < points.length && Math.floor(points[i]![0]) === Math.floor(points[from]![0])) {
      if (points[i]![1] < points[high]![1]) high = i;
      if (points[i]![1] > points[low]![1]) low = i;
      i++;
    }
    const few = i - from <= 4;
    const chosen = few
      ? points.slice(from, i)
      : [from, ...[high, low].sort((a, b) => a - b), i - 1].map((k) => points[k]!);
    kept.push(...chosen);
  }
  return kept;
}

/** Without points that a straight line from the last kept one to a later one passes, where x goes to the right. */
function thin(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  let [steepest, flattest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [i, point] of points.entries()) {
    const last = kept.at(-1);
    if (last !== undefined && i > 0) {
      const run = point[0] - last[0];
      const slope = (point[1] - last[1]) / run;
      if (run > 0 && slope <= steepest && slope >= flattest) {
        steepest = Math.min(steepest, (point[1] + tolerance - last[1]) / run);
        flattest = Math.max(flattest, (point[1] - tolerance - last[1]) / run);
        continue;
      }
      const before = points[i - 1]!;
      if (before !== last) kept.push(before);
    } else {
      kept.push(point);
      continue;
    }
    const anchor = kept.at(-1)!;
    const run = point[0] - anchor[0];
    [steepest, flattest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    if (run > 0) {
      steepest = (point[1] + tolerance - anchor[1]) / run;
      flattest = (point[1] - tolerance - anchor[1]) / run;
    } else kept.push(point);
  }
  const end = points.at(-1);
  if (end !== undefined && kept.at(-1) !== end) kept.push(end);
  return kept;
}

const tenth = (value: number): string => String(Math.round(value * 10) / 10 || 0);

/** The path through points; null is a gap. Its size follows from what can be seen, not from the number of points. */
export function pathOf(points: Iterable<Point | null>): string {
  let path = "";
  let run: Point[] = [];
  const flush = (): void => {
    const kept = thin(columns(run));
    path += kept.map(([x, y], i) => `${i === 0 ? "M" : "L"}${tenth(x)} ${tenth(y)}`).join("");
    // A point between gaps is a dot: a line of no length with round ends.
    if (kept.length === 1) path += "h0";
    run = [];
  };
  for (const point of points) {
    if (point === null) flush();
    else run.push(point);
  }
  flush();
  return path;
}
