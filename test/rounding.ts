// Arithmetic of floats in doubles: what a fused multiply-add and a rounding to bf16 give, bit for bit.
const wide = new Float64Array(1);
const halves = new Uint32Array(wide.buffer);
const [low, high] = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? [0, 1] : [1, 0];
/** a b + c rounded once to a float. a b is exact in a double; what the double sum loses decides the ties of the float. */
export function fma(a: number, b: number, c: number): number {
  const p = a * b;
  const s = p + c;
  const q = s - p;
  const lost = p - (s - q) + (c - q);
  if (lost === 0) return Math.fround(s);
  wide[0] = s;
  if ((halves[low]! & 0x1fffffff) === 0x10000000) {
    // Halfway between two floats: one bit towards what was lost, away from zero where the signs agree.
    halves[low] = halves[low]! + (lost > 0 === s > 0 ? 1 : -1);
    if (halves[low] === 0 && lost > 0 === s > 0) halves[high] = halves[high]! + 1;
  }
  return Math.fround(wide[0]!);
}

const single = new Float32Array(1);
const word = new Uint32Array(single.buffer);
/** The nearest bf16, ties to even, as its 16 bits; a NaN stays one. */
export function half(x: number): number {
  single[0] = x;
  const b = word[0]!;
  return (b & 0x7fffffff) > 0x7f800000 ? ((b | 0x400000) >>> 16) & 0xffff : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
}
/** The number of 16 bits. */
export function ofHalf(bits: number): number {
  word[0] = bits << 16;
  return single[0]!;
}
/** A number below 2^-126 as a zero of its sign. */
export const flush = (x: number): number => (Math.abs(x) < 2 ** -126 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : x);

const rounded = (x: number): number => flush(ofHalf(half(x)));
/** A sum of k products in bf16 by its definition: operands rounded, two fused multiply-adds a pair of terms, the later one first. */
export function chain(k: number, a: (l: number) => number, b: (l: number) => number, from = 0): number {
  const term = (acc: number, l: number) => flush(l < k ? fma(rounded(a(l)), rounded(b(l)), acc) : acc + 0);
  let acc = from;
  for (let l = 0; l < k; l += 2) acc = term(term(flush(acc), l + 1), l);
  return acc;
}
