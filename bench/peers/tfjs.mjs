// TensorFlow.js: tfjs.mjs CASE cpu|wasm. AdamW has no counterpart there: Adam without decay, which costs less.
import { absent, readCase, serve, transposed, unable } from "./protocol.mjs";

const [path, backend] = process.argv.slice(2);
const warn = console.warn;
console.warn = () => {};
const tf = await import("@tensorflow/tfjs").catch(() => absent("npm run bench:peers installs @tensorflow/tfjs"));
if (backend === "wasm") await import("@tensorflow/tfjs-backend-wasm").catch((e) => absent(e.message));
await tf.setBackend(backend);
await tf.ready();
console.warn = warn;

const { name, rule, batches, tensors } = readCase(path);
const variable = ({ shape, data }) => tf.variable(tf.tensor(data, shape));
const get = (key) => tensors.get(key);
const linear = (key) => ({
  w: variable(transposed(get(`${key}.weight`))),
  b: get(`${key}.bias`) && variable(get(`${key}.bias`)),
});
const apply = ({ w, b }, x) => (b ? tf.add(tf.matMul(x, w), b) : tf.matMul(x, w));
const hot = (y, n) => tf.oneHot(tf.tensor1d(y.data, "int32"), n).toFloat();
const entropy = (y, z) => tf.losses.softmaxCrossEntropy(y, z);
const all = (f) => Array.from({ length: batches }, (_, i) => f(get(`x.${i}`), get(`y.${i}`)));

function dense() {
  const layers = [...tensors.keys()].filter((k) => /^\d+\.weight$/.test(k)).map((k) => linear(k.split(".")[0]));
  const xor = name === "xor";
  const data = all((x, y) => [tf.tensor(x.data, x.shape), xor ? tf.tensor(y.data, y.shape) : hot(y, 10)]);
  const act = xor ? tf.tanh : tf.relu;
  return (i) => {
    const [x, y] = data[i % batches];
    const z = layers.reduce((h, layer, k) => (k < layers.length - 1 ? act(apply(layer, h)) : apply(layer, h)), x);
    return xor ? tf.mean(tf.squaredDifference(z, y)) : entropy(y, z);
  };
}

function cnn() {
  // [out, in, 3, 3] to [3, 3, in, out]; images are channels last, so the flat features come in another order.
  const kernel = (key) => tf.variable(tf.transpose(tf.tensor(get(key).data, get(key).shape), [2, 3, 1, 0]));
  const [c1, c2] = [kernel("0.weight"), kernel("3.weight")];
  const [b1, b2] = [variable(get("0.bias")), variable(get("3.bias"))];
  const wide = get("7.weight");
  const w = tf.variable(tf.reshape(tf.transpose(tf.tensor(wide.data, [128, 32, 7, 7]), [2, 3, 1, 0]), [1568, 128]));
  const [f1, f2] = [{ w, b: variable(get("7.bias")) }, linear("9")];
  const data = all((x, y) => [tf.tensor(x.data, [64, 28, 28, 1]), hot(y, 10)]);
  const stage = (x, k, b) => tf.maxPool(tf.relu(tf.add(tf.conv2d(x, k, 1, "same"), b)), 2, 2, "valid");
  return (i) => {
    const [x, y] = data[i % batches];
    const flat = tf.reshape(stage(stage(x, c1, b1), c2, b2), [64, 1568]);
    return entropy(y, apply(f2, tf.relu(apply(f1, flat))));
  };
}

function gpt() {
  const [batch, time] = get("x.0").shape;
  const [te, pe] = [variable(get("te.weight")), variable(get("pe.weight"))];
  const [vocab, width] = get("te.weight").shape;
  const heads = 4;
  const gain = (key) => variable(get(`${key}.weight`));
  const blocks = [];
  for (let k = 0; get(`b.${k}.ln1.weight`); k++) {
    const at = `b.${k}`;
    blocks.push({
      ln1: gain(`${at}.ln1`),
      ln2: gain(`${at}.ln2`),
      ...Object.fromEntries(["qkv", "proj", "fc", "out"].map((key) => [key, linear(`${at}.${key}`)])),
    });
  }
  const last = gain("ln");
  // The wasm backend has no gradient of gather: tokens there are one-hot rows.
  const rows = backend === "wasm";
  const data = all((x, y) => [rows ? hot(x, vocab) : tf.tensor1d(x.data, "int32"), hot(y, vocab)]);
  const norm = (g, x) => {
    const c = tf.sub(x, tf.mean(x, -1, true));
    return tf.mul(tf.mul(c, tf.rsqrt(tf.add(tf.mean(tf.square(c), -1, true), 1e-5))), g);
  };
  const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  const mask = tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([time, time]), -1, 0)), -1e9);
  const split = (x) => tf.transpose(tf.reshape(x, [batch, time, heads, width / heads]), [0, 2, 1, 3]);
  return (i) => {
    const [ids, y] = data[i % batches];
    const found = rows ? tf.matMul(ids, te) : tf.gather(te, ids);
    let x = tf.reshape(tf.add(tf.reshape(found, [batch, time, width]), pe), [batch * time, width]);
    for (const block of blocks) {
      const [q, k, v] = tf.split(apply(block.qkv, norm(block.ln1, x)), 3, 1).map(split);
      const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width / heads)), mask);
      const seen = tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]), [batch * time, width]);
      x = tf.add(x, apply(block.proj, seen));
      x = tf.add(x, apply(block.out, gelu(apply(block.fc, norm(block.ln2, x)))));
    }
    return entropy(y, tf.matMul(norm(last, x), te, false, true));
  };
}

const builders = { xor: dense, mlp: dense, digits: dense, cnn, gpt };
if (!builders[name]) unable();
const loss = builders[name]();
const optimizer = rule.name === "sgd" ? tf.train.sgd(rule.lr) : tf.train.adam(rule.lr, 0.9, 0.999, 1e-8);
await serve((i, wanted) => {
  const value = optimizer.minimize(() => loss(i), wanted);
  if (!wanted) return undefined;
  const [l] = value.dataSync();
  value.dispose();
  return l;
});
