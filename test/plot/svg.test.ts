// What every SVG must be: well-formed, the same in each run, no text of others as markup, no number that is none.
import { readFileSync } from "node:fs";
import { digits, NablaError, randn, seed, tensor } from "nabla";
import {
  bars,
  beside,
  Chart,
  confusion,
  embedding,
  featureMaps,
  filters,
  heatmap,
  histogram,
  images,
  lines,
  pca,
  png,
  scatter,
} from "nabla/plot";
import { describe, expect, it } from "vitest";

/** The elements of an SVG in order, checked for balance; attributes must be quoted and free of < and &. */
function elements(svg: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  const token = /<(\/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(\/?)>|([^<]+)/g;
  let end = 0;
  for (const { 0: all, 1: closing, 2: name, 3: attributes, 4: alone, 5: text, index } of svg.matchAll(token)) {
    expect(index).toBe(end);
    end = index + all.length;
    expect(`${attributes ?? ""}${text ?? ""}`).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#39;)/);
    if (text !== undefined) continue;
    if (closing) expect(open.pop()).toBe(name);
    else {
      seen.push(name!);
      if (!alone) open.push(name!);
    }
  }
  expect([end, open]).toEqual([svg.length, []]);
  return seen;
}

const evil = `<script>alert("1")</script>&'\u0000\u001b[2J\u202e\ud800]]>`;
const wave = Array.from({ length: 50 }, (_, i) => ((i * 37) % 50) / 50);
const x = tensor(Float32Array.from({ length: 60 }, (_, i) => ((i * 7919) % 101) / 101)).reshape(20, 3);
const pixels = Uint8Array.from({ length: 2 * 36 }, (_, i) => (i * 53) % 256);
const two = { shape: [2, 6, 6], data: pixels };
const charts: Record<string, (name: string) => Chart> = {
  lines: (name) => lines({ [name]: wave, b: { x: [0, 25, 49], y: [0.1, 1, 0.4] } }, { title: name, x: name, y: name }),
  log: (name) => lines({ [name]: [1, 0.01, 1e-5, 0, 1e-3, Number.NaN] }, { log: "y", title: name }),
  scatter: (name) => scatter({ [name]: { x: [1, 2, 3], y: [3, 1, 2] }, b: { x: [2], y: [2] } }, { title: name }),
  bars: (name) => bars({ [name]: 2, b: -1, c: Number.NaN, d: 0 }, { title: name, x: name }),
  logBars: (name) => bars({ [name]: 1e-9, b: 1, c: 0 }, { title: name, log: true }),
  histogram: (name) => histogram({ [name]: wave, b: [0.5, Number.NaN] }, { title: name, x: name, bins: 8 }),
  heatmap: (name) =>
    heatmap(
      [
        [1, -0.5],
        [0, Number.NaN],
      ],
      { rows: [name, "b"], columns: [name, "d"], title: name, x: name, y: name },
    ),
  confusion: (name) =>
    confusion(
      [
        [9, 1],
        [0, 0],
      ],
      { classes: [name, "b"], title: name },
    ),
  images: (name) => images(two, { labels: [name, "b"], title: name }),
  filters: (name) => filters({ shape: [2, 1, 6, 6], data: Array.from(pixels, (v) => v - 128) }, { title: name }),
  featureMaps: (name) => featureMaps({ shape: [2, 6, 6], data: pixels }, { title: name }),
  embedding: (name) =>
    embedding(x, { labels: Array.from({ length: 20 }, (_, i) => (i % 2 ? name : "b")), title: name }),
  beside: (name) => beside([bars({ [name]: 1 }), lines({ [name]: wave })], { title: name, columns: 1 }),
};

describe.each(Object.entries(charts))("%s", (_, make) => {
  it("is the same in every run", async () => {
    const chart = make("a");
    expect(make("a").svg()).toBe(chart.svg());
    expect(chart.svg({ theme: "light" })).toMatchSnapshot();
    expect(chart.text({ width: 60, height: 8 })).toMatchSnapshot();
  });
  it("takes any text as text", () => {
    const chart = make(evil);
    const svg = chart.svg();
    expect(elements(svg)).not.toContain("script");
    expect(elements(svg)).toEqual(elements(make("x".repeat(evil.length)).svg()));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    const controls = /[\u0000-\u0009\u000b-\u001f\u202e]|[\ud800-\udbff](?![\udc00-\udfff])/;
    expect(svg).not.toMatch(controls);
    expect(chart.text()).not.toMatch(controls);
    expect(svg.replace(/>[^<]*</g, "><")).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });
  it("keeps words of any length within the picture", () => {
    const chart = make("W".repeat(3000));
    const { width, height, body } = chart.drawing();
    expect([width <= 1300, height <= 1300]).toEqual([true, true]);
    for (const [, attributes, text] of body.matchAll(/<text ([^>]*)>([^<]*)</g))
      expect([attributes, text!.length <= 90]).toEqual([attributes, true]);
    for (const line of chart.text({ width: 60 }).split("\n")) expect(line.length).toBeLessThan(100);
  });
  it("has colours for both grounds, or for one", () => {
    const chart = make("a");
    expect(chart.svg()).toContain("prefers-color-scheme:dark");
    expect(chart.svg({ theme: "dark" })).not.toContain("#ffffff");
    expect(chart.text({ color: true }).split("\n").length).toBe(chart.text().split("\n").length);
  });
});

const numbers: [string, readonly number[]][] = [
  ["all NaN", [Number.NaN, Number.NaN]],
  ["infinities", [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ["one", [3]],
  ["equal", [5, 5, 5]],
  ["equal but for rounding", [1, 1 + Number.EPSILON]],
  ["the largest", [Number.MAX_VALUE, -Number.MAX_VALUE, 1e299, -1e299]],
  ["the smallest", [Number.MIN_VALUE, 2 * Number.MIN_VALUE, 0]],
  ["tiny", [1e-200, 3e-200]],
  ["far from 0", [1e15, 1e15 + 1]],
  ["none", []],
];
it.each(numbers)("numbers that are hard to draw: %s", (_, values) => {
  const drawn = [
    lines({ a: values }),
    lines({ a: values, b: [1, 2, 3] }, { log: "both" }),
    lines({ a: values }, { smooth: 3 }),
    histogram({ a: values }),
    histogram({ a: values }, { log: true }),
    ...(values.length > 0
      ? [
          bars(values.map((value, i) => [`${i}`, value] as const)),
          bars(
            values.map((value, i) => [`${i}`, value] as const),
            { log: true },
          ),
          heatmap([[...values]]),
          images({ shape: [1, values.length], data: [...values] }),
          filters({ shape: [1, 1, 1, values.length], data: [...values] }),
        ]
      : []),
  ];
  for (const chart of drawn) {
    const svg = chart.svg();
    elements(svg);
    expect(svg.replace(/>[^<]*</g, "><")).not.toMatch(/NaN|Infinity|undefined|\d{8}/);
    expect(chart.text().split("\n").length).toBeLessThan(40);
  }
});

const bad = (value: unknown) => value as never;
it.each<[string, () => unknown, string, RegExp]>([
  ["no series", () => lines({}), "VALUE", /there are no series/],
  ["null", () => lines(bad(null)), "TYPE", /series must be an object or pairs, got null/],
  ["text", () => lines({ a: bad("abc") }), "TYPE", /"a" must be numbers/],
  ["texts", () => lines({ a: bad(["1"]) }), "TYPE", /"a"\[0\] is not a number but a string/],
  ["a hole", () => lines({ a: bad(new Array(2)) }), "TYPE", /"a"\[0\] is not a number but undefined/],
  ["different lengths", () => lines({ a: { x: [1], y: [1, 2] } }), "SHAPE", /1 places for 2 heights/],
  ["endless", () => lines({ a: bad({ length: 1e12 }) }), "VALUE", /more than/],
  ["no range", () => lines({ a: [1] }, { yRange: [2, 1] }), "VALUE", /a range must be/],
  ["a range below 0", () => lines({ a: [1] }, { log: "y", yRange: [-1, 1] }), "VALUE", /a range must be/],
  ["no mean", () => lines({ a: [1] }, { smooth: 0.5 }), "VALUE", /smooth must be/],
  ["too wide", () => lines({ a: [1] }, { width: 1e9 }).svg(), "VALUE", /width must be from 100/],
  ["no theme", () => lines({ a: [1] }).svg({ theme: bad('"><script>') }), "VALUE", /theme must be/],
  ["no columns", () => lines({ a: [1] }).text({ width: Number.NaN }), "VALUE", /width must be a whole/],
  ["no bins", () => histogram({ a: [1] }, { bins: 0 }), "VALUE", /bins must be/],
  ["ragged", () => heatmap([[1, 2], [3]]), "SHAPE", /not equally long/],
  ["empty", () => heatmap([]), "SHAPE", /none of them 0/],
  ["a list", () => heatmap(bad([1, 2])), "SHAPE", /\[2, 0\]/],
  ["too large", () => heatmap({ shape: [300, 1], data: new Float32Array(300) }), "VALUE", /too large/],
  ["names", () => heatmap([[1]], { rows: ["a", "b"] }), "SHAPE", /2 names for 1 rows/],
  ["not square", () => confusion([[1, 2]]), "SHAPE", /not square/],
  ["less than none", () => confusion([[-1]]), "VALUE", /a count is -1/],
  ["four channels", () => images({ shape: [1, 4, 2, 2], data: new Float32Array(16) }), "SHAPE", /1 or 3 channels/],
  ["too few numbers", () => images({ shape: [2, 2], data: [1] }), "SHAPE", /needs 4 numbers, got 1/],
  ["sizes that are none", () => images({ shape: [-1, -4], data: [1, 2, 3, 4] }), "SHAPE", /none of them 0/],
  ["too many", () => images({ shape: [3000, 1, 1], data: new Float32Array(3000) }), "VALUE", /too much/],
  ["labels", () => images(two, { labels: ["a"] }), "SHAPE", /1 labels for 2/],
  ["no scale", () => images(two, { scale: 0 }).svg(), "VALUE", /scale must be/],
  ["three sizes", () => filters({ shape: [2, 6, 6], data: pixels }), "SHAPE", /must have 4 sizes/],
  ["no picture", () => images(bad(undefined)), "TYPE", /a tensor or \{ shape, data \}/],
  ["one row", () => pca(tensor([[1, 2]])), "SHAPE", /n from 2/],
  ["too few columns", () => embedding(tensor([[1], [2]])), "SHAPE", /d from 2/],
  [
    "not finite",
    () =>
      pca(
        tensor([
          [1, 2],
          [Number.NaN, 1],
        ]),
      ),
    "VALUE",
    /not finite/,
  ],
  ["labels of rows", () => embedding(x, { labels: [1] }), "SHAPE", /1 labels for 20 rows/],
  ["no charts", () => beside([]), "VALUE", /needs charts/],
])("refused with a sentence: %s", (_, act, code, said) => {
  let error: unknown;
  try {
    act();
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(NablaError);
  expect((error as NablaError).code).toBe(`ERR_NABLA_${code}`);
  expect((error as NablaError).message).toMatch(said);
});

it.each([
  ["bars", (o: never) => bars({ a: 1 }, o)],
  ["beside", (o: never) => beside([bars({ a: 1 })], o)],
  ["confusion", (o: never) => confusion([[1]], o)],
  ["embedding", (o: never) => embedding(x, o)],
  ["featureMaps", (o: never) => featureMaps({ shape: [1, 1, 2, 2], data: pixels.slice(0, 4) }, o)],
  ["filters", (o: never) => filters({ shape: [1, 1, 2, 2], data: pixels.slice(0, 4) }, o)],
  ["heatmap", (o: never) => heatmap([[1]], o)],
  ["histogram", (o: never) => histogram({ a: [1, 2] }, o)],
  ["images", (o: never) => images(two, o)],
  ["lines", (o: never) => lines({ a: [1, 2] }, o)],
  ["scatter", (o: never) => scatter({ a: { x: [0, 1], y: [1, 0] } }, o)],
])("%s refuses options that there are not", (_, chart) => {
  expect(chart({} as never)).toBeInstanceOf(Chart);
  expect(() => chart(bad({ colour: 1 }))).toThrow("there is no option colour");
  expect(() => chart(bad(null))).toThrow(NablaError);
});

it("counts are written as they are", () => {
  const chart = confusion([
    [187, 1],
    [1234, 98765],
  ]);
  for (const text of [chart.text(), chart.svg()])
    for (const count of ["187", "1,234", "98,765"]) expect(text).toContain(count);
  expect(bars({ a: 123456 }).text()).toContain("123,456");
});

it("a long curve keeps its peaks, and not a point for each number", () => {
  const long = new Float32Array(200_000).fill(1);
  long[123_456] = 9;
  const svg = lines({ "": long }).svg();
  expect(svg.length).toBeLessThan(60_000);
  const rows = [...svg.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, , y]) => Number(y));
  expect(Math.max(...rows) - Math.min(...rows)).toBeGreaterThan(200);
});

describe("pca", () => {
  it("finds the axes of a stretched and turned cloud", () => {
    seed(4);
    const cloud = randn(400, 2).mul(tensor([5, 1]));
    const turn = tensor([
      [0.6, 0.8],
      [-0.8, 0.6],
    ]);
    const { axes, explained, points } = pca(cloud.matmul(turn));
    const [a, b] = axes.t().toArray() as [number[], number[]];
    expect(Math.abs(a[0]! * 0.6 + a[1]! * 0.8)).toBeGreaterThan(0.995);
    expect(Math.abs(a[0]! * b[0]! + a[1]! * b[1]!)).toBeLessThan(1e-12);
    expect(explained[0]! + explained[1]!).toBeCloseTo(1, 10);
    const [p, q] = points.square().mean(0).toArray() as [number, number];
    expect(p / q).toBeGreaterThan(15);
  });
  it("of points on a line, or all in one place, has no second direction", () => {
    expect(
      pca(
        tensor([
          [0, 0, 0],
          [1, 2, 2],
          [2, 4, 4],
        ]),
      ).explained[1],
    ).toBeLessThan(1e-12);
    expect(
      pca(
        tensor([
          [1, 1],
          [1, 1],
        ]),
      ).explained,
    ).toEqual([0, 0]);
  });
});

it("png makes a picture with sharp, and refuses what is no SVG", async () => {
  const bytes = await png(images(digits(4).images).svg(), { scale: 1 });
  expect([...bytes.slice(1, 4)]).toEqual([..."PNG"].map((letter) => letter.charCodeAt(0)));
  await expect(png("<html>")).rejects.toThrow(/needs the text of an SVG/);
  await expect(png("<svg", { scale: 2 })).rejects.toThrow(/cannot be drawn/);
  await expect(png("<svg/>", { scale: 1e9 })).rejects.toThrow(/scale must be/);
});

it("loads no package: sharp only when a PNG is asked for", () => {
  const code = readFileSync(new URL("../../lib/plot/png.ts", import.meta.url), "utf8");
  expect(code).not.toMatch(/^import .* from "sharp"/m);
});
