// jax-js on WebAssembly, the whole step under one jit: jax.mjs CASE.
import { absent, readCase, serve, transposed, unable } from "./protocol.mjs";

const jax = await import("@jax-js/jax").catch(() => absent("npm run bench:peers installs @jax-js/jax"));
const { numpy: np, nn, lax, tree, jit, valueAndGrad } = jax;
await jax.init("wasm");
jax.defaultDevice("wasm");

const { name, rule, batches, tensors } = readCase(process.argv[2]);
const get = (key) => tensors.get(key);
const array = ({ shape, data }) => np.array(Float32Array.from(data)).reshape(shape);
const linear = (key) => {
  const b = get(`${key}.bias`);
  return { w: array(transposed(get(`${key}.weight`))), ...(b ? { b: array(b) } : {}) };
};
const apply = ({ w, b }, x) => (b ? np.matmul(x, w).add(b) : np.matmul(x, w));
const hot = ({ data }, n) => {
  const rows = new Float32Array(data.length * n);
  data.forEach((c, i) => {
    rows[i * n + c] = 1;
  });
  return np.array(rows).reshape([data.length, n]);
};
const entropy = (z, y) => nn.logSoftmax(z, -1).mul(y).sum(-1).mean().neg();
const all = (f) => Array.from({ length: batches }, (_, i) => f(get(`x.${i}`), get(`y.${i}`)));

function dense() {
  const keys = [...tensors.keys()].filter((k) => /^\d+\.weight$/.test(k)).map((k) => k.split(".")[0]);
  const xor = name === "xor";
  return {
    params: keys.map(linear),
    data: all((x, y) => [array(x), xor ? array(y) : hot(y, 10)]),
    loss: (p, x, y) => {
      const z = p.reduce((h, l, k) => (k < p.length - 1 ? (xor ? np.tanh : nn.relu)(apply(l, h)) : apply(l, h)), x);
      return xor ? np.square(z.sub(y)).mean() : entropy(z, y);
    },
  };
}

function cnn() {
  const bias = (key, n) => array(get(key)).reshape([1, n, 1, 1]);
  const pool = (x, c, s) => np.max(x.reshape([64, c, s / 2, 2, s / 2, 2]), [3, 5]);
  return {
    params: {
      c1: array(get("0.weight")),
      b1: bias("0.bias", 16),
      c2: array(get("3.weight")),
      b2: bias("3.bias", 32),
      f1: linear("7"),
      f2: linear("9"),
    },
    data: all((x, y) => [array(x), hot(y, 10)]),
    loss: (p, x, y) => {
      const a = pool(nn.relu(lax.conv(x, p.c1, [1, 1], "SAME").add(p.b1)), 16, 28);
      const b = pool(nn.relu(lax.conv(a, p.c2, [1, 1], "SAME").add(p.b2)), 32, 14);
      return entropy(apply(p.f2, nn.relu(apply(p.f1, b.reshape([64, 1568])))), y);
    },
  };
}

function gpt() {
  const [batch, time] = get("x.0").shape;
  const [vocab, width] = get("te.weight").shape;
  const heads = 4;
  const blocks = [];
  for (let k = 0; get(`b.${k}.ln1.weight`); k++) {
    const at = `b.${k}`;
    const gain = (key) => array(get(`${at}.${key}.weight`));
    const maps = Object.fromEntries(["qkv", "proj", "fc", "out"].map((key) => [key, linear(`${at}.${key}`)]));
    blocks.push({ ln1: gain("ln1"), ln2: gain("ln2"), ...maps });
  }
  const upper = new Float32Array(time * time).map((_, i) => (i % time > Math.floor(i / time) ? -1e9 : 0));
  const mask = np.array(upper).reshape([time, time]);
  const norm = (g, x) => {
    const c = x.ref.sub(np.mean(x, -1, { keepdims: true }));
    const v = np.mean(np.square(c.ref), -1, { keepdims: true });
    return c.div(np.sqrt(v.add(1e-5))).mul(g);
  };
  const gelu = (x) => x.ref.mul(0.5).mul(lax.erf(x.mul(Math.SQRT1_2)).add(1));
  const split = (t) => np.transpose(t.reshape([batch, time, heads, width / heads]), [0, 2, 1, 3]);
  return {
    params: {
      te: array(get("te.weight")),
      pe: array(get("pe.weight")),
      blocks,
      ln: array(get("ln.weight")),
    },
    data: all((x, y) => [hot(x, vocab), hot(y, vocab)]),
    loss: (p, x, y) => {
      let z = np
        .matmul(x, p.te.ref)
        .reshape([batch, time, width])
        .add(p.pe)
        .reshape([batch * time, width]);
      for (const b of p.blocks) {
        const parts = apply(b.qkv, norm(b.ln1, z.ref)).reshape([batch, time, 3, width]);
        const [q, k, v] = np.split(parts, 3, 2).map((t) => split(t.reshape([batch * time, width])));
        const scores = np.matmul(q, np.matrixTranspose(k)).mul(1 / Math.sqrt(width / heads));
        const seen = np.transpose(np.matmul(nn.softmax(scores.add(mask.ref), -1), v), [0, 2, 1, 3]);
        z = z.add(apply(b.proj, seen.reshape([batch * time, width])));
        z = z.ref.add(apply(b.out, gelu(apply(b.fc, norm(b.ln2, z)))));
      }
      return entropy(np.matmul(norm(p.ln, z), np.matrixTranspose(p.te)), y);
    },
  };
}

const builders = { xor: dense, mlp: dense, digits: dense, cnn, gpt };
if (!builders[name]) unable();
const { params, data, loss } = builders[name]();
const gradient = valueAndGrad(loss);
const { lr } = rule;

function sgd({ p }, _c1, _c2, x, y) {
  const [l, g] = gradient(tree.ref(p), x, y);
  return [l, { p: tree.map((a, b) => a.sub(b.mul(lr)), p, g) }];
}
/** c1 and c2 are 1 / (1 - beta^t). */
function adam(s, c1, c2, x, y) {
  const [l, g] = gradient(tree.ref(s.p), x, y);
  const m = tree.map((a, b) => a.mul(0.9).add(b.mul(0.1)), s.m, tree.ref(g));
  const v = tree.map((a, b) => a.mul(0.999).add(np.square(b).mul(0.001)), s.v, g);
  const move = (p, a, b) =>
    p.sub(
      a
        .mul(c1.ref)
        .mul(lr)
        .div(np.sqrt(b.mul(c2.ref)).add(1e-8)),
    );
  return [l, { p: tree.map(move, s.p, tree.ref(m), tree.ref(v)), m, v }];
}
const plain = rule.name === "sgd";
const step = jit(plain ? sgd : adam);
const none = () => tree.map((p) => np.zeros(p.shape), tree.ref(params));
let state = plain ? { p: params } : { m: none(), v: none(), p: params };
await serve(async (i, wanted) => {
  const [x, y] = data[i % batches];
  const corrections = [0.9, 0.999].map((beta) => np.array(1 / (1 - beta ** (i + 1))));
  const [l, next] = step(state, ...corrections, x.ref, y.ref);
  state = next;
  await jax.blockUntilReady(next);
  if (wanted) return l.js();
  l.dispose();
  return undefined;
});
