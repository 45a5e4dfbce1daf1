// Augmentation: what each transform does to pictures where it can be known, and that a seed fixes the rest.
import { batches, forkRng, type Images, rand, type Tensor, tensor, transforms, zeros } from "nabla";
import { describe, expect, it } from "vitest";
import { native } from "../../lib/core/native.ts";
import { backward, warp } from "../../lib/data/warp.ts";

const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
/** Pictures [n, 1, h, w] whose pixels tell picture, row and column: n.rc */
function numbered(n: number, h: number, w: number): Images {
  const all = Array.from({ length: n * h * w }, (_, i) => 100 * Math.floor(i / (h * w)) + (i % (h * w)));
  return tensor(Float32Array.from(all)).reshape(n, 1, h, w) as Images;
}
const x = numbered(64, 3, 4);

describe("flips", () => {
  it("mirror some pictures and leave the others", () => {
    for (const [flip, dim] of [
      [transforms.randomHorizontalFlip(), 3],
      [transforms.randomVerticalFlip(), 2],
    ] as const) {
      const y = forkRng(3, () => flip(x));
      const mirrored = x.flip([dim]);
      const whole = Array.from({ length: 64 }, (_, i) => {
        const [a, b, c] = [y, x, mirrored].map((all) => list(all.slice(0, i, i + 1)));
        expect([b, c]).toContainEqual(a);
        return String(a) === String(b);
      });
      const kept = whole.filter(Boolean).length;
      expect(kept).toBeGreaterThan(20);
      expect(kept).toBeLessThan(44);
    }
  });
  it("are sure at 1 and never at 0", () => {
    expect(list(transforms.randomHorizontalFlip(1)(x))).toEqual(list(x.flip([3])));
    expect(list(transforms.randomVerticalFlip(0)(x))).toEqual(list(x));
  });
});

describe("randomCrop", () => {
  it("takes every place equally often", () => {
    const many = numbered(600, 3, 4);
    const y = forkRng(1, () => transforms.randomCrop([2, 2])(many));
    const counts = new Map<number, number>();
    for (let i = 0; i < 600; i++) {
      const [a, b, c, d] = list(y.slice(0, i, i + 1)).map((v) => v - 100 * i) as [number, number, number, number];
      expect([b - a, c - a, d - a]).toEqual([1, 4, 5]);
      counts.set(a, (counts.get(a) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 4, 5, 6]);
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(40);
  });
  it("pads with the fill, and cuts all channels at one place", () => {
    const color = tensor(Float32Array.from({ length: 40 * 2 * 4 }, (_, i) => 1 + (i % 4))).reshape(
      40,
      2,
      2,
      2,
    ) as Images;
    const y = forkRng(1, () => transforms.randomCrop([2, 2], { padding: 1, fill: 9 })(color));
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const [first, second] = [0, 1].map((c) => String(list(y.select(0, i).select(0, c) as Tensor)));
      expect(second).toBe(first);
      seen.add(first as string);
    }
    expect(seen).toContain("9,9,9,1");
    expect(seen).toContain("1,2,3,4");
    expect(seen).toContain("4,9,9,9");
    expect(seen.size).toBe(9);
  });
  it("refuses pictures that are too small", () => {
    expect(() => transforms.randomCrop([5, 5])(x)).toThrow(/smaller than \[5, 5\][\s\S]*\{ padding: 1 \}/);
  });
});

describe("randomAffine", () => {
  const one = tensor([
    [
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
    ],
  ]) as unknown as Images;
  it("turns clockwise", () => {
    expect(list(transforms.randomRotation([90, 90])(one))).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    expect(list(transforms.randomRotation([180, 180])(one))).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    const [a, b] = [10, 350].map((d) => list(transforms.randomRotation([d, d])(one)));
    expect(a).not.toEqual(b);
    expect(a![4]).toBeCloseTo(5, 5);
  });
  it("turns by an eighth as geometry says", () => {
    // The pixel right of the middle now shows what lies at (cos 45, -sin 45) from it.
    const t = Math.SQRT1_2;
    const expected = (1 - t) * ((1 - t) * 5 + t * 6) + t * ((1 - t) * 2 + t * 3);
    expect(list(transforms.randomRotation([45, 45])(one))[5]).toBeCloseTo(expected, 5);
  });
  it("scales about the middle, and fills what lies outside", () => {
    const small = transforms.randomAffine({ scale: [0.5, 0.5], fill: -1 })(one);
    expect(list(small)).toEqual([-1, -1, -1, -1, 5, -1, -1, -1, -1]);
    const large = transforms.randomAffine({ scale: [2, 2] })(one);
    expect(list(large)).toEqual([3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7]);
  });
  it("shifts by up to a share of the size, in all directions", () => {
    const dot = tensor(Float32Array.from({ length: 200 * 81 }, (_, i) => (i % 81 === 40 ? 1 : 0))).reshape(
      200,
      1,
      9,
      9,
    );
    const y = list(forkRng(2, () => transforms.randomAffine({ translate: [1 / 3, 0] })(dot)));
    const centers = Array.from({ length: 200 }, (_, i) => {
      const ink = y.slice(81 * i, 81 * (i + 1));
      expect(ink.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
      expect(ink.reduce((a, v, p) => a + v * Math.floor(p / 9), 0)).toBeCloseTo(4, 4);
      return ink.reduce((a, v, p) => a + v * (p % 9), 0);
    });
    expect(Math.min(...centers)).toBeGreaterThanOrEqual(1 - 1e-4);
    expect(Math.max(...centers)).toBeLessThanOrEqual(7 + 1e-4);
    expect(Math.max(...centers) - Math.min(...centers)).toBeGreaterThan(5);
  });
  it("leans rows to the side", () => {
    expect(list(transforms.randomAffine({ shear: [45, 45] })(one)).slice(3, 6)).toEqual([4, 5, 6]);
    const [first, , last] = [0, 1, 2].map((r) =>
      list(transforms.randomAffine({ shear: [45, 45] })(one)).slice(3 * r, 3 * r + 3),
    );
    expect([first, last].map((row) => row!.map((v) => Number(v.toFixed(4))))).toEqual([
      [0, 1, 2],
      [8, 9, 0],
    ]);
  });
  it("does nothing without options", () => {
    expect(list(transforms.randomAffine({})(x))).toEqual(list(x));
  });
  it("agrees with its definition, on every instruction set and number of threads", () => {
    const [h, w, channels] = [21, 37, 3];
    const pictures = forkRng(4, () => rand(5, channels, h, w));
    const map = backward({ angle: 33, shift: [3.5, -4], scale: 0.7, shear: [8, 0] }, h, w);
    const from = pictures.dataSync() as Float32Array;
    const expected = Float32Array.from({ length: pictures.size }, (_, i) => {
      const [column, row, plane] = [i % w, Math.floor(i / w) % h, Math.floor(i / w / h)];
      const sx = map[0] * column + (map[1] * row + map[2]);
      const sy = map[3] * column + (map[4] * row + map[5]);
      const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
      const [tx, ty] = [sx - x0, sy - y0];
      const at = (r: number, c: number) => (r >= 0 && r < h && c >= 0 && c < w ? from[(plane * h + r) * w + c]! : 0.25);
      const top = (1 - tx) * at(y0, x0) + tx * at(y0, x0 + 1);
      return (1 - ty) * top + ty * ((1 - tx) * at(y0 + 1, x0) + tx * at(y0 + 1, x0 + 1));
    });
    const [best, threads] = [native.isa(), native.threads()];
    try {
      for (const isa of native.isas) {
        for (const count of [1, 3]) {
          native.use(isa);
          native.setThreads(count);
          const got = warp(pictures, Array(5).fill(map), [h, w], 0.25) as Tensor;
          expect(list(got), `${isa}, ${count} threads`).toEqual([...expected]);
        }
      }
    } finally {
      native.use(best);
      native.setThreads(threads);
    }
  });
});

it("randomResizedCrop sees a part of the picture, the whole one at scale 1", () => {
  const ramp = numbered(50, 8, 8);
  const y = forkRng(1, () => transforms.randomResizedCrop([4, 4], { scale: [0.25, 0.25], ratio: [1, 1] })(ramp));
  for (let i = 0; i < 50; i++) {
    const [a, b] = list(y.slice(0, i, i + 1)) as [number, number];
    expect(b - a).toBeCloseTo(1, 3);
    expect(a - 100 * i).toBeLessThanOrEqual(4 * 8 + 4 + 1e-3);
  }
  const whole = transforms.randomResizedCrop([8, 8], { scale: [1, 1], ratio: [1, 1] });
  expect(list(whole(ramp))).toEqual(list(ramp));
});

it("gaussianNoise has its mean and deviation, within 0 and 1 unless told otherwise", () => {
  const flat = zeros(10, 1, 40, 40);
  const y = forkRng(1, () => transforms.gaussianNoise({ mean: 1, sigma: 0.5, clip: false })(flat));
  expect(y.mean().item()).toBeCloseTo(1, 1);
  expect(y.std().item()).toBeCloseTo(0.5, 1);
  const clipped = transforms.gaussianNoise({ sigma: 5 })(flat);
  expect([clipped.min().item(), clipped.max().item()]).toEqual([0, 1]);
});

it("normalize goes channel by channel", () => {
  const y = transforms.normalize([1, 2], [2, 4])(tensor([[[[3]], [[10]]]]) as unknown as Images);
  expect(list(y)).toEqual([1, 2]);
  expect(() => transforms.normalize([1], [2])(tensor([[[[3]], [[10]]]]) as unknown as Images)).toThrow(
    "has 1 channels, the pictures 2",
  );
});

const augment = transforms.compose(
  transforms.randomAffine({ degrees: 20, translate: [0.1, 0.1], scale: [0.8, 1.2], shear: 5 }),
  transforms.randomHorizontalFlip(),
  transforms.gaussianNoise({ sigma: 1, clip: false }),
);
it("the same seed gives the same bits, another seed others, the generator outside is left alone", () => {
  const [a, b, c] = [1, 1, 2].map((seed) => list(forkRng(seed, () => augment(x))));
  expect(b).toEqual(a);
  expect(c).not.toEqual(a);
  const outside = () => list(rand(4));
  const [before] = [forkRng(7, () => [outside(), outside()])];
  const between = forkRng(7, () => {
    const first = outside();
    forkRng(9, () => augment(x));
    return [first, outside()];
  });
  expect(between).toEqual(before);
});
it("batches() augments by seed, epoch and position: other numbers in each epoch, the same after resuming", () => {
  const data = (seed = 5) => batches(x, zeros(64), { size: 16, shuffle: true, seed, transform: augment });
  const one = data();
  const epochs = [0, 1].map(() => [...one].map(([b]) => list(b)));
  expect(epochs[1]).not.toEqual(epochs[0]);
  const again = data(99).load(JSON.parse(JSON.stringify({ ...one.state(), epoch: 1, position: 2 })));
  expect([...again].map(([b]) => list(b))).toEqual(epochs[1]!.slice(2));
});
it("a view is transformed as it looks", () => {
  const turned = x.transpose(2, 3) as Images;
  expect(list(forkRng(1, () => augment(turned)))).toEqual(
    list(forkRng(1, () => augment(turned.contiguous() as Images))),
  );
});

it.each([
  [() => transforms.randomHorizontalFlip(1.5), "1.5 is not a probability"],
  [() => transforms.randomCrop([0, 2]), "the size is [height, width]"],
  [() => transforms.randomCrop([2, 2], { padding: -1 }), "padding is a whole number from 0"],
  [() => transforms.randomAffine({ degrees: Number.NaN }), "degrees is no range"],
  [() => transforms.randomAffine({ scale: [0, 1] }), "scale is no range"],
  [() => transforms.randomAffine({ scale: [2, 1] }), "scale is no range"],
  [() => transforms.randomAffine({ translate: [2, 0] }), "translate is two shares"],
  [() => transforms.gaussianNoise({ sigma: -1 }), "a deviation from 0"],
  [() => transforms.normalize([0], [0]), "a deviation other than 0"],
  [() => transforms.randomResizedCrop([2, 2], { ratio: [-1, 1] }), "ratio is no range"],
  [() => transforms.randomHorizontalFlip()(zeros(2, 3, 3) as never), "takes pictures f32 [batch, channels"],
])("refuses what cannot be: %#", (f, sentence) => {
  expect(f).toThrow(sentence);
});
