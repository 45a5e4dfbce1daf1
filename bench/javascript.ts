// A digit classifier trained in JavaScript alone, as fast as the language goes: the other side of the comparison.
// Typed arrays, nothing allocated per step, products in tiles of 4 x 2 sums that stay in registers. The tile is worth
// it: 32 x 784 times 784 x 128 runs at 4.7 GFLOP/s, against 1.4 for three plain loops and 3.2 for rows unrolled by 4.
// Sums run in f64, the only arithmetic that costs nothing here: Math.fround at every step halves the speed.
// Dense, as the library is: no sum skips a zero pixel.

/** How weights change; the formulas and defaults of PyTorch. */
export interface Rule {
  name: "sgd" | "adam" | "adamw";
  lr: number;
  momentum?: number;
  weightDecay?: number;
}

interface Layer {
  inputs: number;
  outputs: number;
  weight: Float32Array; // [outputs, inputs]
  bias: Float32Array;
  dWeight: Float32Array;
  dBias: Float32Array;
  y: Float32Array; // [batch, outputs]
  dy: Float32Array;
  slots: [parameter: Float32Array, gradient: Float32Array, first: Float32Array, second: Float32Array][];
}

/** c [m, n] = a [m, inner] b [inner, n], where a and b are read with the steps of their two indices. */
function matmul(
  a: Float32Array,
  aRow: number,
  aStep: number,
  b: Float32Array,
  bStep: number,
  bColumn: number,
  c: Float32Array,
  m: number,
  inner: number,
  n: number,
): void {
  const m4 = m - (m % 4);
  const n2 = n - (n % 2);
  for (let i = 0; i < m4; i += 4) {
    for (let j = 0; j < n2; j += 2) {
      let c00 = 0;
      let c01 = 0;
      let c10 = 0;
      let c11 = 0;
      let c20 = 0;
      let c21 = 0;
      let c30 = 0;
      let c31 = 0;
      let p0 = i * aRow;
      let p1 = p0 + aRow;
      let p2 = p1 + aRow;
      let p3 = p2 + aRow;
      let q0 = j * bColumn;
      let q1 = q0 + bColumn;
      for (let k = 0; k < inner; k++) {
        const b0 = b[q0]!;
        const b1 = b[q1]!;
        const a0 = a[p0]!;
        const a1 = a[p1]!;
        const a2 = a[p2]!;
        const a3 = a[p3]!;
        c00 += a0 * b0;
        c01 += a0 * b1;
        c10 += a1 * b0;
        c11 += a1 * b1;
        c20 += a2 * b0;
        c21 += a2 * b1;
        c30 += a3 * b0;
        c31 += a3 * b1;
        p0 += aStep;
        p1 += aStep;
        p2 += aStep;
        p3 += aStep;
        q0 += bStep;
        q1 += bStep;
      }
      const out = i * n + j;
      c[out] = c00;
      c[out + 1] = c01;
      c[out + n] = c10;
      c[out + n + 1] = c11;
      c[out + 2 * n] = c20;
      c[out + 2 * n + 1] = c21;
      c[out + 3 * n] = c30;
      c[out + 3 * n + 1] = c31;
    }
  }
  for (let i = 0; i < m; i++) {
    for (let j = i < m4 ? n2 : 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += a[i * aRow + k * aStep]! * b[k * bStep + j * bColumn]!;
      c[i * n + j] = sum;
    }
  }
}

/** Mean cross-entropy of logits y [batch, classes]; dy becomes its gradient, (softmax(y) - oneHot(labels)) / batch. */
function crossEntropy(y: Float32Array, labels: ArrayLike<number>, dy: Float32Array, classes: number): number {
  let loss = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = i * classes;
    let max = y[row]!;
    for (let j = 1; j < classes; j++) if (y[row + j]! > max) max = y[row + j]!;
    let sum = 0;
    for (let j = 0; j < classes; j++) {
      const e = Math.exp(y[row + j]! - max);
      dy[row + j] = e;
      sum += e;
    }
    const scale = 1 / (sum * labels.length);
    for (let j = 0; j < classes; j++) dy[row + j]! *= scale;
    dy[row + labels[i]!]! -= 1 / labels.length;
    loss += Math.log(sum) + max - y[row + labels[i]!]!;
  }
  return loss / labels.length;
}

function sgd({ slots }: Layer, { lr, momentum = 0, weightDecay = 0 }: Rule): void {
  for (const [p, g, velocity] of slots) {
    for (let i = 0; i < p.length; i++) {
      const v = momentum * velocity[i]! + g[i]! + weightDecay * p[i]!;
      velocity[i] = v;
      p[i]! -= lr * v;
    }
  }
}

function adam({ slots }: Layer, { name, lr, weightDecay = name === "adamw" ? 0.01 : 0 }: Rule, t: number): void {
  const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];
  const rate = lr / (1 - beta1 ** t);
  const root = 1 / Math.sqrt(1 - beta2 ** t);
  const keep = name === "adamw" ? 1 - lr * weightDecay : 1;
  const pull = name === "adam" ? weightDecay : 0;
  for (const [p, gradient, first, second] of slots) {
    for (let i = 0; i < p.length; i++) {
      const g = gradient[i]! + pull * p[i]!;
      const m = beta1 * first[i]! + (1 - beta1) * g;
      const v = beta2 * second[i]! + (1 - beta2) * g * g;
      first[i] = m;
      second[i] = v;
      p[i] = keep * p[i]! - (rate * m) / (Math.sqrt(v) * root + eps);
    }
  }
}

/** Linear layers with ReLU between them, from the weights of a state dict: [weight [out, in], bias [out]] per layer. */
export class Mlp {
  readonly layers: Layer[];
  readonly batch: number;
  readonly rule: Rule;
  #steps = 0;

  constructor(weights: [weight: Float32Array, bias: Float32Array][], batch: number, rule: Rule) {
    this.batch = batch;
    this.rule = rule;
    this.layers = weights.map(([weight, bias], index) => {
      const outputs = bias.length;
      const of = (length: number) => new Float32Array(length);
      const layer = { weight: weight.slice(), bias: bias.slice(), y: of(batch * outputs), dy: of(batch * outputs) };
      const gradients = { dWeight: of(weight.length), dBias: of(outputs) };
      const slots: Layer["slots"] = [
        [layer.weight, gradients.dWeight, of(weight.length), of(weight.length)],
        [layer.bias, gradients.dBias, of(outputs), of(outputs)],
      ];
      if (index > 0 && weight.length !== weights[index - 1]![1].length * outputs) {
        throw new RangeError(`layer ${index} takes ${weight.length / outputs} numbers, not what the one before gives`);
      }
      return { inputs: weight.length / outputs, outputs, ...layer, ...gradients, slots };
    });
  }

  /** One step on x [batch, inputs]; the loss before it. */
  step(x: Float32Array, labels: ArrayLike<number>): number {
    this.#steps++;
    this.#forward(x);
    const last = this.layers.at(-1)!;
    const loss = crossEntropy(last.y, labels, last.dy, last.outputs);
    this.#backward(x);
    for (const layer of this.layers) {
      if (this.rule.name === "sgd") sgd(layer, this.rule);
      else adam(layer, this.rule, this.#steps);
    }
    return loss;
  }

  #forward(x: Float32Array): void {
    for (const layer of this.layers) {
      const { inputs, outputs, weight, bias, y } = layer;
      matmul(x, inputs, 1, weight, 1, inputs, y, this.batch, inputs, outputs);
      const floor = layer === this.layers.at(-1) ? Number.NEGATIVE_INFINITY : 0;
      for (let i = 0; i < y.length; i += outputs) {
        for (let j = 0; j < outputs; j++) {
          const sum = y[i + j]! + bias[j]!;
          y[i + j] = sum > floor ? sum : floor;
        }
      }
      x = y;
    }
  }

  #backward(x: Float32Array): void {
    for (let index = this.layers.length - 1; index >= 0; index--) {
      const { inputs, outputs, weight, dWeight, dBias, dy } = this.layers[index]!;
      const before = this.layers[index - 1];
      matmul(dy, 1, outputs, before?.y ?? x, inputs, 1, dWeight, outputs, this.batch, inputs);
      dBias.fill(0);
      for (let i = 0; i < dy.length; i += outputs) for (let j = 0; j < outputs; j++) dBias[j]! += dy[i + j]!;
      if (!before) return;
      matmul(dy, outputs, 1, weight, inputs, 1, before.dy, this.batch, outputs, inputs);
      for (let i = 0; i < before.dy.length; i++) if (before.y[i]! === 0) before.dy[i] = 0;
    }
  }
}
