// Attention: y = softmax(q kT scale) v for each head, and its gradient.
//
// A row of scores is whole when its softmax is taken: m = max s, p = exp(s - m), l = sum p, y = (sum p v) / l, and
// m + log l is kept. Backward computes p = exp(s - m - log l) again, and with dp = dy vT
//   ds = p (dp - sum p dp),  dq = ds k scale,  dk = dsT q scale,  dv = pT dy.
#pragma once
#include "scores.h"

namespace nabla::NABLA_ISA {

// Sixteen elements of each of R rows, one after the other: f(row, word, mask of what is left of the row) joins them.
// Rows are independent chains, so R of them hide the latency of an exponential. Words wholly inside all rows have no
// mask.
template <int R, class F>
NABLA_INLINE void over_rows(const size_t* far, size_t reach, const F& f) {
  constexpr int K = 16 / N;
  size_t low = far[0];
  for (int r = 1; r < R; r++) low = far[r] < low ? far[r] : low;
  size_t j = 0;
  for (; j + 16 <= low; j += 16)
#pragma GCC unroll 4
    for (int w = 0; w < K; w++)
#pragma GCC unroll 4
      for (int r = 0; r < R; r++) f(r, w, j + size_t(w * N), [](V x, f32) { return x; });
  for (; j < reach; j += 16)
    for (int w = 0; w < K; w++)
      for (int r = 0; r < R; r++) {
        const size_t i = j + size_t(w * N), n = far[r] < i ? 0 : far[r] - i < 16 ? far[r] - i : 16;
        f(r, w, i, [n](V x, f32 other) { return select(iota() < all_i(i32(n)), x, all(other)); });
      }
}

// Rows of scores, each as far as it looks, become exp2(s - m), with zeros up to `reach` and to the end of 16 elements.
// m of a row without a key is 0 and its sum is 0.
template <int R>
inline void weigh_rows(f32* s, size_t s_row, const size_t* far, size_t reach, f32* peak, f32* sum) {
  constexpr f32 none = -__builtin_inff();
  Lanes<V> most[R], total[R];
  V m[R];
  for (int r = 0; r < R; r++)
    for (V& w : most[r].w) w = all(none);
  for (int r = 0; r < R; r++)
    for (V& w : total[r].w) w = all(0);
  over_rows<R>(far, reach, [&](int r, int w, size_t j, auto only) {
    most[r].w[w] = max(most[r].w[w], only(load(s + r * s_row + j), none));
  });
  for (int r = 0; r < R; r++) {
    const f32 top = tree<Peak>(most[r]).v;
    m[r] = all(peak[r] = top == none ? 0 : top);
  }
  over_rows<R>(far, reach, [&](int r, int w, size_t j, auto only) {
    f32* at = s + r * s_row + j;
    const V p = only(exp2(load(at) - m[r]), 0);
    store(at, p);
    total[r].w[w] = total[r].w[w] + p;
  });
  for (int r = 0; r < R; r++) sum[r] = tree<Sum>(total[r]).v;
}

// share = 1 / l, log = m + log2 l; 0 and infinity for a row without a key.
struct Weights {
  f32 peak[group_rows] = {}, sum[group_rows] = {}, share[group_rows], log[group_rows];
};
inline void weigh(Weights& to, f32* s, size_t s_row, const size_t* far, size_t rows, size_t reach) {
  size_t r = 0;
  for (; r + 4 <= rows; r += 4) weigh_rows<4>(s + r * s_row, s_row, far + r, reach, to.peak + r, to.sum + r);
  for (; r < rows; r++) weigh_rows<1>(s + r * s_row, s_row, far + r, reach, to.peak + r, to.sum + r);
  each<f32>(group_rows, [&](auto at) {
    const V m = get(to.peak, at), l = get(to.sum, at);
    put(to.share, at, select(l == all(0), all(0), all(1) / l));
    put(to.log, at, select(l == all(0), all(__builtin_inff()), m + log2(l)));
  });
}

inline void write_row(f32* y, ptrdiff_t step, const f32* x, size_t n, f32 scale) {
  const V s = all(scale);
  if (step == 1) return each<f32>(n, [&](auto at) { put(y, at, get(x, at) * s); });
  for (size_t j = 0; j < n; j++) y[ptrdiff_t(j) * step] = x[j] * scale;
}

// Parts of all blocks of queries that share a head of keys, so that few heads still make 8 tasks. Each part prepares
// keys and values again, which 256 queries pay for.
inline size_t parts_of(const Heads<f32>& x, size_t heads) {
  const size_t queries = x.q.extent[1] / x.k.extent[1] * x.queries();
  const size_t most = queries / 256, wanted = heads && heads < 8 ? 8 / heads : 1;
  return most < 1 ? 1 : most < wanted ? most : wanted;
}
template <class F>
inline void for_heads(const Heads<f32>& x, size_t parts, size_t width, const F& f) {
  const size_t shared = x.k.extent[1], tasks = x.q.extent[0] * shared * parts;
  auto task = [&](size_t t) { f(t / parts / shared, t / parts % shared, t % parts); };
  if (x.q.extent[0] * x.q.extent[1] * x.queries() * x.keys() * width >= SHARED) return parallel(tasks, task);
  for (size_t t = 0; t < tasks; t++) task(t);
}

// `count` arrays in the scratch of a task, each of whole cache lines.
template <size_t count>
struct Rooms {
  f32* at[count];
  Rooms(const size_t (&sizes)[count]) {
    size_t total = 0;
    for (size_t size : sizes) total += (size + 15) / 16 * 16;
    at[0] = static_cast<f32*>(scratch(total * sizeof(f32), 1));
    for (size_t i = 1; i < count; i++) at[i] = at[i - 1] + (sizes[i - 1] + 15) / 16 * 16;
  }
};

template <class W>
inline void attend(const Heads<f32>& x, Strided<Out<f32>, 4> y, f32* lse, size_t b, size_t g, size_t part,
                   size_t parts) {
  const size_t keys = x.keys(), e = x.k.extent[3], w = x.v.extent[3], s_row = score_row(keys);
  const Rooms<7> room({turned_size(keys, W::words(e)), W::words(keys) * W::run(w), block_rows * e, block_rows * s_row,
                       group_rows * w, W::room(block_rows * W::words(e)), W::room(group_rows * W::words(s_row))});
  f32 *strips = room.at[0], *s = room.at[3], *o = room.at[4];
  W::turn(strips, at(x.k, b, g, 0, 0), {x.k.step[2], x.k.step[3]}, keys, e);
  const f32* values = W::below(room.at[1], at(x.v, b, g, 0, 0), {x.v.step[2], x.v.step[3]}, keys, w);
  size_t turn = 0;
  for (size_t h = x.first_of(g); h < x.first_of(g + 1); h++) {
    for (size_t first = 0; first < x.queries(); first += block_rows) {
      if (turn++ % parts != part) continue;
      const Block block(x, b, h, first);
      const f32* q = straight(room.at[2], at(x.q, b, h, first, 0), {x.q.step[2], x.q.step[3]}, block.rows, e, x.scale);
      scores<W>(block, s, s_row, W::rows(room.at[5], q, e, block.rows, e), strips, W::words(e), keys);
      for (size_t group = 0; group < block.groups; group++) {
        const size_t top = block.end_of(group), end = block.end_of(group + 1), reach = block.reach[group];
        Weights weights;
        for (size_t r = top; r < end; r++) {
          x.hide(s + r * s_row, block.far[r], b, h, first + r);
          for (size_t j = 0; j < w; j += LINE) prefetch_write(at(y, b, h, first + r, j));
        }
        weigh(weights, s + top * s_row, s_row, block.far + top, end - top, reach);
        const f32* p = W::rows(room.at[6], s + top * s_row, s_row, end - top, reach);
        W::multiply(o, w, p, {ptrdiff_t(W::words(s_row)), 1}, values, W::run(w), end - top, w, W::words(reach), false);
        for (size_t r = top; r < end; r++) {
          write_row(at(y, b, h, first + r, 0), y.step[3], o + (r - top) * w, w, weights.share[r - top]);
          if (lse) lse[(b * x.q.extent[1] + h) * x.queries() + first + r] = weights.log[r - top];
        }
      }
    }
  }
}

// Slopes of R rows: s becomes p = exp2(s - log), dp becomes p (dp - sum p dp), both with zeros up to `reach`. log is
// rounded, so the sum of p is taken again: rows of p that miss 1 by 1e-6 would cost dq as much.
template <int R>
inline void slope_rows(f32* s, f32* dp, size_t s_row, const size_t* far, size_t reach, const f32* log) {
  Lanes<V> total[R], cross[R];
  V l[R], share[R], mean[R];
  for (int r = 0; r < R; r++) {
    l[r] = all(log[r]);
    for (V& w : total[r].w) w = all(0);
    for (V& w : cross[r].w) w = all(0);
  }
  over_rows<R>(far, reach, [&](int r, int w, size_t j, auto only) {
    const size_t at = r * s_row + j;
    const V p = only(exp2(load(s + at) - l[r]), 0);
    store(s + at, p);
    total[r].w[w] = total[r].w[w] + p;
    cross[r].w[w] = cross[r].w[w] + only(p * load(dp + at), 0);
  });
  for (int r = 0; r < R; r++) {
    const V sum = all(tree<Sum>(total[r]).v);
    share[r] = select(sum == all(0), all(0), all(1) / sum);
    mean[r] = all(tree<Sum>(cross[r]).v) * share[r];
  }
  over_rows<R>(far, reach, [&](int r, int, size_t j, auto only) {
    const size_t at = r * s_row + j;
    const V p = load(s + at) * share[r];
    store(s + at, p);
    store(dp + at, only(p * (load(dp + at) - mean[r]), 0));
  });
}
inline void slopes(f32* s, f32* dp, size_t s_row, const Block& x, const f32* log) {
  size_t r = 0;
  for (; r + 4 <= x.rows; r += 4) slope_rows<4>(s + r * s_row, dp + r * s_row, s_row, x.far + r, x.most, log + r);
  for (; r < x.rows; r++) slope_rows<1>(s + r * s_row, dp + r * s_row, s_row, x.far + r, x.most, log + r);
}

// d [keys, width] += sT rows over the rows of a block, both in words of rows: keys of a causal block that its first
// rows do not see begin with the group that does.
template <class W>
inline void spread_back(f32* d, const f32* s, size_t s_row, const f32* rows, size_t width, const Block& x,
                        bool causal) {
  const size_t seen = !causal || x.first + group_rows > x.most ? x.most : x.first + group_rows;
  auto add = [&](size_t key, size_t keys, size_t top) {
    const size_t from = W::words(top), run = W::run(width);
    W::multiply(d + key * width, width, s + from * s_row + key, {1, ptrdiff_t(s_row)}, rows + from * run, run, keys,
                width, W::words(x.rows - top), true);
  };
  add(0, seen, 0);
  for (size_t key = seen; key < x.most; key += group_rows) {
    add(key, x.most - key < group_rows ? x.most - key : group_rows, key - x.first);
  }
}

template <class T>
struct Slopes {
  Strided<Out<T>, 4> q, k, v;
};
inline Steps last_steps(const ptrdiff_t (&step)[4]) { return {step[2], step[3]}; }

// Gradients of one head of keys and of the heads of queries that share it.
template <class W>
inline void attend_back(const Heads<f32>& x, const Slopes<f32>& d, Strided<In<f32>, 4> dy, const f32* lse, f32 scale,
                        size_t b, size_t g) {
  const size_t keys = x.keys(), e = x.k.extent[3], w = x.v.extent[3], s_row = score_row(keys);
  const size_t half = W::words(block_rows), heap = W::room(half * s_row);
  const Rooms<17> room({turned_size(keys, W::words(e)), turned_size(keys, W::words(w)), W::words(keys) * W::run(e),
                        keys * e, keys * w, block_rows * e, block_rows * w, block_rows * s_row, block_rows * s_row,
                        group_rows * e, W::room(block_rows * W::words(e)), W::room(block_rows * W::words(w)),
                        W::room(half * W::run(e)), W::room(half * W::run(w)), W::room(group_rows * W::words(s_row)),
                        heap, heap});
  f32 *const *r = room.at, *dk = r[3], *dv = r[4], *s = r[7], *dp = r[8], *dq = r[9];
  const Steps k_step = last_steps(x.k.step);
  W::turn(r[0], at(x.k, b, g, 0, 0), k_step, keys, e);
  W::turn(r[1], at(x.v, b, g, 0, 0), last_steps(x.v.step), keys, w);
  const f32* k = W::below(r[2], at(x.k, b, g, 0, 0), k_step, keys, e);
  std::memset(dk, 0, keys * e * sizeof(f32));
  std::memset(dv, 0, keys * w * sizeof(f32));
  for (size_t h = x.first_of(g); h < x.first_of(g + 1); h++) {
    for (size_t first = 0; first < x.queries(); first += block_rows) {
      const Block block(x, b, h, first);
      const f32* q = straight(r[5], at(x.q, b, h, first, 0), last_steps(x.q.step), block.rows, e, x.scale);
      const f32* up = straight(r[6], at(dy, b, h, first, 0), last_steps(dy.step), block.rows, w);
      scores<W>(block, s, s_row, W::rows(r[10], q, e, block.rows, e), r[0], W::words(e), keys);
      scores<W>(block, dp, s_row, W::rows(r[11], up, w, block.rows, w), r[1], W::words(w), keys);
      for (size_t i = 0; i < block.rows; i++) x.hide(s + i * s_row, block.far[i], b, h, first + i);
      slopes(s, dp, s_row, block, lse + (b * x.q.extent[1] + h) * x.queries() + first);
      for (size_t group = 0; group < block.groups; group++) {
        const size_t top = block.end_of(group), end = block.end_of(group + 1), reach = block.reach[group];
        const f32* ds = W::rows(r[14], dp + top * s_row, s_row, end - top, reach);
        W::multiply(dq, e, ds, {ptrdiff_t(W::words(s_row)), 1}, k, W::run(e), end - top, e, W::words(reach), false);
        for (size_t i = top; i < end; i++)
          write_row(at(d.q, b, h, first + i, 0), d.q.step[3], dq + (i - top) * e, e, scale);
      }
      spread_back<W>(dk, W::pairs(r[15], dp, s_row, block.rows, block.most), s_row,
                     W::below(r[12], q, {ptrdiff_t(e), 1}, block.rows, e), e, block, x.causal);
      spread_back<W>(dv, W::pairs(r[16], s, s_row, block.rows, block.most), s_row,
                     W::below(r[13], up, {ptrdiff_t(w), 1}, block.rows, w), w, block, x.causal);
    }
  }
  // q was scaled by scale log2 e
  for (size_t j = 0; j < keys; j++) {
    write_row(at(d.k, b, g, j, 0), d.k.step[3], dk + j * e, e, 0.6931471805599453f);
    write_row(at(d.v, b, g, j, 0), d.v.step[3], dv + j * w, w, 1);
  }
}

// Gradient checks only: the definition in loops.
inline f64 product_of(const f64* a, ptrdiff_t a_step, const f64* b, ptrdiff_t b_step, size_t n) {
  f64 sum = 0;
  for (size_t j = 0; j < n; j++) sum += a[ptrdiff_t(j) * a_step] * b[ptrdiff_t(j) * b_step];
  return sum;
}
// f(b, h, g, i, n, scores of row i): every row of every head, n the keys as far as it looks.
template <class F>
inline void plain_rows(const Heads<f64>& x, const F& f) {
  if (x.keys() > size_t(1) << 48) scratch(size_t(1) << 62, 1);
  f64* s = static_cast<f64*>(scratch(x.keys() * sizeof(f64), 1));
  for (size_t b = 0; b < x.q.extent[0]; b++)
    for (size_t g = 0; g < x.k.extent[1]; g++)
      for (size_t h = x.first_of(g); h < x.first_of(g + 1); h++)
        for (size_t i = 0; i < x.queries(); i++) {
          const size_t n = x.far(b, h, i);
          for (size_t j = 0; j < n; j++) {
            s[j] =
                x.scale * product_of(at(x.q, b, h, i, 0), x.q.step[3], at(x.k, b, g, j, 0), x.k.step[3], x.q.extent[3]);
          }
          x.hide(s, n, b, h, i);
          f(b, h, g, i, n, s);
        }
}
inline void attend(const Heads<f64>& x, Strided<Out<f64>, 4> y, f64* lse) {
  plain_rows(x, [&](size_t b, size_t h, size_t g, size_t i, size_t n, f64* s) {
    f64 m = -__builtin_inf(), l = 0;
    for (size_t j = 0; j < n; j++) m = s[j] > m ? s[j] : m;
    for (size_t j = 0; j < n; j++) l += s[j] = m == -__builtin_inf() ? 0 : std::exp2(s[j] - m);
    for (size_t c = 0; c < x.v.extent[3]; c++) {
      const f64 sum = product_of(s, 1, at(x.v, b, g, 0, c), x.v.step[2], n);
      *at(y, b, h, i, c) = l == 0 ? 0 : sum / l;
    }
    if (lse) lse[(b * x.q.extent[1] + h) * x.queries() + i] = l == 0 ? __builtin_inf() : m + std::log2(l);
  });
}
inline void attend_back(const Heads<f64>& x, const Slopes<f64>& d, Strided<In<f64>, 4> dy, const f64* lse, f64 scale) {
  const size_t e = x.k.extent[3], w = x.v.extent[3];
  plain_rows(x, [&](size_t b, size_t h, size_t g, size_t i, size_t n, f64* s) {
    const f64 *up = at(dy, b, h, i, 0), *q = at(x.q, b, h, i, 0);
    auto back = [&](size_t j) { return product_of(up, dy.step[3], at(x.v, b, g, j, 0), x.v.step[3], w); };
    const f64 log = lse[(b * x.q.extent[1] + h) * x.queries() + i];
    f64 mean = 0;
    for (size_t j = 0; j < n; j++) mean += (s[j] = std::exp2(s[j] - log)) * back(j);
    for (size_t j = 0; j < n; j++) {
      const f64 p = s[j];
      s[j] = p * (back(j) - mean) * scale;
      for (size_t c = 0; c < w; c++) *at(d.v, b, g, j, c) += p * up[ptrdiff_t(c) * dy.step[3]];
      for (size_t c = 0; c < e; c++) *at(d.k, b, g, j, c) += s[j] * q[ptrdiff_t(c) * x.q.step[3]];
    }
    for (size_t c = 0; c < e; c++) *at(d.q, b, h, i, c) = product_of(s, 1, at(x.k, b, g, 0, c), x.k.step[2], n);
  });
}

template <class T>
inline void clear(const Strided<Out<T>, 4>& x) {
  for (size_t b = 0; b < x.extent[0]; b++)
    for (size_t h = 0; h < x.extent[1]; h++)
      for (size_t i = 0; i < x.extent[2]; i++)
        for (size_t j = 0; j < x.extent[3]; j++) *at(x, b, h, i, j) = 0;
}

constexpr f64 log2_e = 1.4426950408889634;  // powers of 2 take fewer steps than those of e

// In words of W; f64, for gradient checks, has its own loops.
template <class W, class T>
inline void attend_all(Strided<Out<T>, 4> y, Out<T> log, Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v,
                       Strided<In<b8>, 4> mask, u32 causal, f64 scale) {
  const Heads<T> x{q, k, v, mask, causal != 0, T(scale * log2_e)};
  if (k.extent[1] == 0) {
    clear(y);
    for (size_t i = 0; i < log.n; i++) log.p[i] = T(__builtin_inf());
  } else if constexpr (same<T, f64>) {
    attend(x, y, log.p);
  } else {
    refuse_overflow(q, k, v.extent[3]);
    const size_t parts = parts_of(x, k.extent[0] * k.extent[1]);
    for_heads(x, parts, v.extent[3],
              [&](size_t b, size_t g, size_t part) { attend<W>(x, y, log.p, b, g, part, parts); });
  }
}
template <class W, class T>
inline void attend_all_back(const Slopes<T>& d, Strided<In<T>, 4> dy, Strided<In<T>, 4> q, Strided<In<T>, 4> k,
                            Strided<In<T>, 4> v, In<T> log, Strided<In<b8>, 4> mask, u32 causal, f64 scale) {
  const Heads<T> x{q, k, v, mask, causal != 0, T(scale * log2_e)};
  if (k.extent[1] == 0) return clear(d.q);
  if constexpr (same<T, f64>) {
    clear(d.k);
    clear(d.v);
    attend_back(x, d, dy, log.p, scale);
  } else {
    refuse_overflow(q, k, v.extent[3]);
    for_heads(x, 1, 3 * v.extent[3],
              [&](size_t b, size_t g, size_t) { attend_back<W>(x, d, dy, log.p, T(scale), b, g); });
  }
}

// y [b, heads, q, w]; log [b, heads, q] = log2 sum exp scores
template <class T>
void attention(Strided<Out<T>, 4> y, Out<T> log, Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v,
               Strided<In<b8>, 4> mask, u32 causal, f64 scale) {
  attend_all<Wide>(y, log, q, k, v, mask, causal, scale);
}
template <class T>
void attention_grad(Strided<Out<T>, 4> dq, Strided<Out<T>, 4> dk, Strided<Out<T>, 4> dv, Strided<In<T>, 4> dy,
                    Strided<In<T>, 4> q, Strided<In<T>, 4> k, Strided<In<T>, 4> v, In<T> log, Strided<In<b8>, 4> mask,
                    u32 causal, f64 scale) {
  attend_all_back<Wide>(Slopes<T>{dq, dk, dv}, dy, q, k, v, log, mask, causal, scale);
}

}  // namespace nabla::NABLA_ISA
