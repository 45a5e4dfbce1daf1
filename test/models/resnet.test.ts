// ResNets have the names and shapes of torchvision's state dicts.
import { resnet18, resnet50, type Tensor } from "nabla";
import { expect, it } from "vitest";

const shapes = (net: { stateDict(): Map<string, Tensor> }) =>
  new Map([...net.stateDict()].map(([name, x]) => [name, x.shape.join()]));

function norm(name: string, channels: number): [string, string][] {
  const parts = ["weight", "bias", "running_mean", "running_var"].map((p): [string, string] => [
    `${name}.${p}`,
    `${channels}`,
  ]);
  return [...parts, [`${name}.num_batches_tracked`, ""]];
}
/** A convolution of a square window and the norm behind it, called conv1 and bn1 or 0 and 1. */
function pair(conv: string, bn: string, outs: number, ins: number, window: number): [string, string][] {
  return [[`${conv}.weight`, [outs, ins, window, window].join()], ...norm(bn, outs)];
}
/** torchvision.models.resnet: the stem, four stages of blocks, the classifier. */
function torchvision(blocks: readonly number[], windows: readonly number[], expansion: number): Map<string, string> {
  let ins = 64;
  const stages = blocks.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) => {
      const [name, inner] = [`layer${stage + 1}.${i}`, 64 * 2 ** stage];
      const last = inner * expansion;
      const entries = windows.flatMap((window, k) => {
        const outs = expansion > 1 && k === windows.length - 1 ? last : inner;
        return pair(`${name}.conv${k + 1}`, `${name}.bn${k + 1}`, outs, k === 0 ? ins : inner, window);
      });
      const shortcut = ins !== last ? pair(`${name}.downsample.0`, `${name}.downsample.1`, last, ins, 1) : [];
      ins = last;
      return [...entries, ...shortcut];
    }).flat(),
  );
  const ends: [string, string][] = [
    ["fc.weight", `1000,${ins}`],
    ["fc.bias", "1000"],
  ];
  return new Map([...pair("conv1", "bn1", 64, 3, 7), ...stages, ...ends]);
}

it.each([
  ["resnet18", resnet18, torchvision([2, 2, 2, 2], [3, 3], 1), 122],
  ["resnet50", resnet50, torchvision([3, 4, 6, 3], [1, 3, 1], 4), 320],
] as const)("%s", (_, make, expected, count) => {
  expect(expected.size).toBe(count);
  expect(shapes(make())).toEqual(expected);
});
