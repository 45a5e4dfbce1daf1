// Linear maps in whole numbers: weights of 8 bits with a scale for each output, inputs turned into 8 bits with a scale
// and a zero for each row. Sums are exact in 32 bits up to 66,311 terms, so every instruction set has the same bits.
#pragma once
#include "dot.h"
#include "finish.h"
#include "pack.h"

namespace nabla::NABLA_ISA {

// Weights [n, k] lie in groups of 16 outputs, [n / 16][k / 4][16][4], filled up with zeros: the order every tile reads
// them in, so that nothing is packed when they are used.
constexpr size_t wide = 16;
inline size_t fours(size_t k) { return (k + 3) / 4; }
inline size_t packed_bytes(size_t n, size_t k) { return (n + wide - 1) / wide * wide * fours(k) * 4; }

// q = round(w / scale), scale = max |w| / 127 of the row, sum = the sum of q.
template <class T>
void quantize_weight(Out<i8> q, Out<f32> scale, Out<i32> sum, Strided<In<T>, 2> w) {
  const size_t n = w.extent[0], k = w.extent[1];
  if (q.n != packed_bytes(n, k)) return;
  __builtin_memset(q.p, 0, q.n);
  for (size_t j = 0; j < n; j++) {
    const T* row = w.p + ptrdiff_t(j) * w.step[0];
    Lane<f32> top{0};
    for (size_t l = 0; l < k; l++) top = max(abs(Lane<f32>{row[ptrdiff_t(l) * w.step[1]]}), top);
    const Lane<f32> unit{top.v > 0 ? top.v / 127 : 1};
    i8* out = q.p + (j / wide * fours(k) * wide + j % wide) * 4;
    i32 all = 0;
    for (size_t l = 0; l < k; l++) {
      const Lane<i32> x = to_int(Lane<f32>{row[ptrdiff_t(l) * w.step[1]]} / unit);
      const i32 near = x.v < -127 ? -127 : x.v > 127 ? 127 : x.v;
      out[l / 4 * wide * 4 + l % 4] = i8(near);
      all += near;
    }
    scale.p[j] = unit.v;
    sum.p[j] = all;
  }
}

// One row of inputs as bytes: x = scale (q - zero), the range of the row and 0 from 0 to 255. NaN becomes 0.
struct Range {
  f32 scale;
  i32 zero;
};
inline Range quantize_row(u8* q, const f32* x, size_t k) {
  V low[2] = {all(0), all(0)}, high[2] = {all(0), all(0)};  // in turns, for each waits for itself
  auto reach = [&](V v, int i) {
    low[i] = min(v, low[i]);  // a NaN is passed over
    high[i] = max(v, high[i]);
  };
  size_t at = 0;
  for (; at + 2 * N <= k; at += 2 * N) {
    for (int line = 0; line < 2 * N; line += 16) prefetch(x + k + at + line);  // the next row
    reach(load(x + at), 0);
    reach(load(x + at + N), 1);
  }
  for (; at < k; at += N) reach(load(x + at, k - at < size_t(N) ? k - at : size_t(N)), 0);
  f32 lows[N], highs[N];
  store(lows, min(low[1], low[0]));
  store(highs, max(high[1], high[0]));
  for (int i = 1; i < N; i++) {
    if (lows[i] < lows[0]) lows[0] = lows[i];
    if (highs[i] > highs[0]) highs[0] = highs[i];
  }
  const f32 step = (highs[0] - lows[0]) / 255, scale = step > 0 ? step : 1;
  const Lane<i32> near = to_int(Lane<f32>{-lows[0] / scale});
  const Range range{scale, near.v < 0 ? 0 : near.v > 255 ? 255 : near.v};
  const V unit = all(scale);
  const I zero = all_i(range.zero), none = all_i(0), most = all_i(255);
  auto bytes = [&](V v, i32(&out)[N]) {
    I y = to_int(v / unit) + zero;
    y = select(y < none, none, select(y > most, most, y));
    store(out, select(v == v, y, none));
  };
  i32 each[N];
  size_t l = 0;
  for (; l + N <= k; l += N) {
    bytes(load(x + l), each);
    for (int i = 0; i < N; i++) q[l + size_t(i)] = u8(each[i]);
  }
  if (l < k) bytes(load(x + l, k - l), each);
  for (size_t i = 0; l < k; i++, l++) q[l] = u8(each[i]);
  for (; l < fours(k) * 4; l++) q[l] = 0;
  return range;
}

// y[i, j] = (sum of q[i, l] w[j, l] - zero[i] sum[j]) (scale[i] scale[j]) + bias[j]
struct Bytes {
  f32* c;
  ptrdiff_t c_row;
  const u8* a;  // [rows, words] of fours, quantized
  const Range* range;
  size_t top;  // the row of a and range
  const i8* b;
  const f32* scale;
  const i32* sum;
  const f32* bias;  // or null
  size_t k;         // words
  static constexpr bool add = false, ready = true;
  static constexpr size_t unit = 1;
  static constexpr ptrdiff_t step = wide;
  struct Mode {};

  static V dot(V acc, V x, V y) { return from_bits(dot4(bits(acc), bits(x), bits(y))); }
  bool beside() const { return false; }
  bool apart() const { return false; }
  void pack_a(f32* out, size_t i, size_t rows, size_t from, size_t words) const {
    const f32* x = (const f32*)a + (i - top) * k + from;
    for (size_t r = 0; r < rows; r += N)
      turn<true>(out + r, PR, x + r * k, ptrdiff_t(k), rows - r < size_t(N) ? rows - r : size_t(N), words);
  }
  f32* at(size_t j, size_t from) const { return (f32*)b + (j / wide * k + from) * wide + j % wide; }
  ptrdiff_t place(int j) const { return ptrdiff_t(size_t(j) * N / wide * k * wide + size_t(j) * N % wide); }
  // Sums of row i and w columns from j on as results.
  V finished(V sums, size_t i, size_t j, size_t w) const {
    const Range& x = range[i - top];
    const I whole = bits(sums) - all_i(x.zero) * load(sum + j, w);
    const V y = to_float(whole) * (all(x.scale) * load(scale + j, w));
    return bias ? y + load(bias + j, w) : y;
  }
};

template <class T>
void linear_i8(nabla::Rows<Out<T>> y, nabla::Rows<In<T>> x, In<i8> w, In<f32> scale, In<i32> sum, In<f32> bias) {
  const size_t m = y.rows, n = y.cols, k = x.cols, words = fours(k);
  if (!m || !n || w.n != packed_bytes(n, k)) return;
  const size_t each = (m + 255) / 256, band = (m + each - 1) / each;  // rows that are quantized at once
  for (size_t top = 0; top < m; top += band) {
    const size_t rows = m - top < band ? m - top : band;
    u8* q = static_cast<u8*>(scratch(rows * (words * 4 + sizeof(Range)) + 64, 3));
    Range* range = (Range*)(q + rows * words * 4);
    parallel((rows + 15) / 16, [&](size_t task) {
      for (size_t i = task * 16; i < rows && i < task * 16 + 16; i++)
        range[i] = quantize_row(q + i * words * 4, x.p + (top + i) * k, k);
    });
    multiply_all(1, rows, n, words, [&](size_t) {
      return Bytes{y.p + top * n, ptrdiff_t(n), q, range, 0, w.p, scale.p, sum.p, bias.p, words};
    });
  }
}

}  // namespace nabla::NABLA_ISA
