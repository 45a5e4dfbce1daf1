// One time step of recurrent layers, one row a sequence, after the products with the weights. A sequence shorter than
// the batch's longest has ended at lengths[r] <= step: it keeps its state, and its gates are 0.
//
// Gates of a row lie side by side, n each; n is what fits if the extents do not belong together.
#pragma once
#include "activation.h"
#include "fold.h"

namespace nabla::NABLA_ISA {

inline bool ended(In<i32> lengths, size_t r, i32 step) { return lengths.p && lengths.p[r] <= step; }
inline size_t gate_size(size_t cols, size_t all, size_t gates) { return cols < all / gates ? cols : all / gates; }

template <class T>
inline void clear_row(T* y, size_t n) {
  each<T>(n, [&](auto at) { put(y, at, splat<Word<T>>(0)); });
}
template <class T>
inline void copy_row(T* y, const T* x, size_t n) {
  each<T>(n, [&](auto at) { put(y, at, get(x, at)); });
}
// y += x, x may be absent
template <class T>
inline void add_row(T* y, const T* x, size_t n) {
  if (x) each<T>(n, [&](auto at) { put(y, at, get(y, at) + get(x, at)); });
}
// x[i], or 0 where x is absent
template <class T, class At>
inline auto get_or_zero(const T* x, At at) {
  return x ? get(x, at) : splat<Word<T>>(0);
}
template <class T>
inline const T* row_of(Rows<In<T>> x, size_t r) {
  return x.p ? x.p + r * x.cols : nullptr;
}

// Slopes at a gate's value y with one rounding each: errors add up over the steps.
template <class X>
inline X bend_sigmoid(X y) {
  return fma(-y, y, y);
}
template <class X>
inline X bend_tanh(X y) {
  return fma(-y, y, splat<X>(1));
}

// h = act(h): tanh, or relu where relu is 1
template <class T>
void rnn_cell(Rows<InOut<T>> h, Rows<In<T>> before, In<i32> lengths, u32 rectify, i32 step) {
  for (size_t r = 0; r < h.rows; r++) {
    T* y = h.p + r * h.cols;
    if (ended(lengths, r, step))
      copy_row(y, row_of(before, r), h.cols);
    else if (rectify)
      each<T>(h.cols, [&](auto at) { put(y, at, relu(get(y, at))); });
    else
      each<T>(h.cols, [&](auto at) { put(y, at, tanh(get(y, at))); });
  }
}
// dz = (dh + dy) act'(z); dh becomes what goes to the state before on its own
template <class T>
void rnn_cell_grad(Rows<Out<T>> dz, Rows<InOut<T>> dh, Rows<In<T>> h, Rows<In<T>> dy, In<i32> lengths, u32 rectify,
                   i32 step) {
  const size_t n = h.cols;
  for (size_t r = 0; r < h.rows; r++) {
    T *g = dh.p + r * n, *z = dz.p + r * n;
    const T *y = row_of(h, r), *up = row_of(dy, r);
    if (ended(lengths, r, step)) {
      clear_row(z, n);
      add_row(g, up, n);
      continue;
    }
    each<T>(n, [&](auto at) {
      auto s = get(y, at);
      put(z, at, (get(g, at) + get_or_zero(up, at)) * (rectify ? relu_slope(s) : bend_tanh(s)));
    });
    clear_row(g, n);
  }
}

// gates i, f, g, o hold the input's share, turned the state's; of their sums c = sigmoid(f) before + sigmoid(i) tanh(g)
// and h = sigmoid(o) tanh(c). gates keep the activations.
template <class T>
void lstm_cell(Rows<InOut<T>> gates, Rows<Out<T>> h, Rows<Out<T>> c, Rows<In<T>> turned, Rows<In<T>> before_h,
               Rows<In<T>> before_c, In<i32> lengths, i32 step) {
  const size_t d = h.cols, n = gate_size(d, gates.cols, 4);
  for (size_t r = 0; r < h.rows; r++) {
    T *i = gates.p + r * gates.cols, *f = i + n, *g = f + n, *o = g + n;
    T *to_h = h.p + r * d, *to_c = c.p + r * d;
    const T *t = row_of(turned, r), *from = row_of(before_c, r);
    if (ended(lengths, r, step)) {
      clear_row(i, gates.cols);
      copy_row(to_h, row_of(before_h, r), d);
      copy_row(to_c, from, d);
      continue;
    }
    each<T>(n, [&](auto at) {
      auto in = sigmoid(get(i, at) + get(t, at)), keep = sigmoid(get(f, at) + get(t + n, at));
      auto fresh = tanh(get(g, at) + get(t + 2 * n, at)), out = sigmoid(get(o, at) + get(t + 3 * n, at));
      auto state = fma(keep, get(from, at), in * fresh);
      put(i, at, in), put(f, at, keep), put(g, at, fresh), put(o, at, out);
      put(to_c, at, state), put(to_h, at, out * tanh(state));
    });
  }
}
// With t = tanh(c): dh += dy, dc += dv + dh o (1 - t^2), and for the pre-activations z of the gates
//   dz_i = dc g i (1 - i)   dz_f = dc before f (1 - f)   dz_g = dc i (1 - g^2)   dz_o = dh t o (1 - o)
// du, if given, is added to the gradients of the activations. dc becomes dc f, dh what goes to the state before on its
// own.
template <class T>
void lstm_cell_grad(Rows<Out<T>> dz, Rows<InOut<T>> dh, Rows<InOut<T>> dc, Rows<In<T>> gates, Rows<In<T>> c,
                    Rows<In<T>> before, Rows<In<T>> dy, Rows<In<T>> du, Rows<In<T>> dv, In<i32> lengths, i32 step) {
  const size_t d = c.cols, n = gate_size(d, gates.cols, 4);
  for (size_t r = 0; r < c.rows; r++) {
    T *to = dz.p + r * gates.cols, *to_h = dh.p + r * d, *to_c = dc.p + r * d;
    const T *i = row_of(gates, r), *u = row_of(du, r), *up_h = row_of(dy, r), *up_c = row_of(dv, r);
    const T *state = row_of(c, r), *from = row_of(before, r);
    if (ended(lengths, r, step)) {
      clear_row(to, gates.cols);
      add_row(to_h, up_h, d);
      add_row(to_c, up_c, d);
      continue;
    }
    each<T>(n, [&](auto at) {
      auto in = get(i, at), keep = get(i + n, at), fresh = get(i + 2 * n, at), out = get(i + 3 * n, at);
      auto t = tanh(get(state, at));
      auto gh = get(to_h, at) + get_or_zero(up_h, at);
      auto gc = fma(gh * out, bend_tanh(t), get(to_c, at) + get_or_zero(up_c, at));
      auto part = [&](size_t k) { return get_or_zero(u ? u + k * n : u, at); };
      put(to, at, (gc * fresh + part(0)) * bend_sigmoid(in));
      put(to + n, at, (gc * get(from, at) + part(1)) * bend_sigmoid(keep));
      put(to + 2 * n, at, (gc * in + part(2)) * bend_tanh(fresh));
      put(to + 3 * n, at, (gh * t + part(3)) * bend_sigmoid(out));
      put(to_c, at, gc * keep);
    });
    clear_row(to_h, d);
  }
}

// gates r, z, n hold the input's share, turned the state's: r = sigmoid(r + turned_r), z likewise, q = turned_n,
// n = tanh(n + r q), h = n + z (before - n). gates keep the activations, q is kept for the gradient.
template <class T>
void gru_cell(Rows<InOut<T>> gates, Rows<Out<T>> h, Rows<Out<T>> q, Rows<In<T>> turned, Rows<In<T>> before,
              In<i32> lengths, i32 step) {
  const size_t d = h.cols, n = gate_size(d, gates.cols, 3);
  for (size_t r = 0; r < h.rows; r++) {
    T *reset = gates.p + r * gates.cols, *update = reset + n, *fresh = update + n;
    T *to = h.p + r * d, *to_q = q.p + r * d;
    const T *t = row_of(turned, r), *from = row_of(before, r);
    if (ended(lengths, r, step)) {
      clear_row(reset, gates.cols);
      clear_row(to_q, d);
      copy_row(to, from, d);
      continue;
    }
    each<T>(n, [&](auto at) {
      auto a = sigmoid(get(reset, at) + get(t, at)), z = sigmoid(get(update, at) + get(t + n, at));
      auto share = get(t + 2 * n, at), y = tanh(fma(a, share, get(fresh, at)));
      put(reset, at, a), put(update, at, z), put(fresh, at, y), put(to_q, at, share);
      put(to, at, fma(z, get(from, at) - y, y));
    });
  }
}
// With dh += dy, for the pre-activations, of which r and z are sums and n is n + r q:
//   dn = dh (1 - z) (1 - n^2)   dq = dn r   dr = dn q r (1 - r)   dz = dh (before - n) z (1 - z)
// dx = dr, dz, dn goes to the input's share, dt = dr, dz, dq to the state's. du and dv, if given, are added to the
// gradients of the activations and of q. dh becomes dh z, what goes to the state before on its own.
template <class T>
void gru_cell_grad(Rows<Out<T>> dx, Rows<Out<T>> dt, Rows<InOut<T>> dh, Rows<In<T>> gates, Rows<In<T>> q,
                   Rows<In<T>> before, Rows<In<T>> dy, Rows<In<T>> du, Rows<In<T>> dv, In<i32> lengths, i32 step) {
  const size_t d = q.cols, n = gate_size(d, gates.cols, 3);
  for (size_t r = 0; r < q.rows; r++) {
    T *to_x = dx.p + r * gates.cols, *to_t = dt.p + r * gates.cols, *to_h = dh.p + r * d;
    const T *g = row_of(gates, r), *share = row_of(q, r), *from = row_of(before, r);
    const T *up = row_of(dy, r), *u = row_of(du, r), *v = row_of(dv, r);
    if (ended(lengths, r, step)) {
      clear_row(to_x, gates.cols);
      clear_row(to_t, gates.cols);
      add_row(to_h, up, d);
      continue;
    }
    each<T>(n, [&](auto at) {
      auto a = get(g, at), z = get(g + n, at), y = get(g + 2 * n, at);
      auto gh = get(to_h, at) + get_or_zero(up, at);
      auto part = [&](size_t k) { return get_or_zero(u ? u + k * n : u, at); };
      auto gn = (gh - gh * z + part(2)) * bend_tanh(y);
      auto gr = (gn * get(share, at) + part(0)) * bend_sigmoid(a);
      auto gz = (gh * (get(from, at) - y) + part(1)) * bend_sigmoid(z);
      put(to_x, at, gr), put(to_x + n, at, gz), put(to_x + 2 * n, at, gn);
      put(to_t, at, gr), put(to_t + n, at, gz), put(to_t + 2 * n, at, fma(gn, a, get_or_zero(v, at)));
      put(to_h, at, gh * z);
    });
  }
}

}  // namespace nabla::NABLA_ISA
