// A convolution as products without patches. A source channel is copied into planes with its border of zeros, one for
// each phase of the stride; then what tap k of the window meets at all positions of the results lies in one run of
// memory, beginning at a place of its own. Rows follow each other `pitch` apart, so the run also holds a few positions
// between the rows, which are computed and left out: 1 of 15 for a window of 3 x 3 over 14 x 14.
//
// A plane is of words W: Singles, or (pairs.h) Pairs, where W::terms channels share W::words planes.
#pragma once
#include "grid.h"
#include "pack.h"
#include "reach.h"

namespace nabla::NABLA_ISA {

inline ptrdiff_t floor_div(ptrdiff_t a, ptrdiff_t b) {
  if (b == 1) return a;  // a division takes longer than what is done for a row of a window
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}
inline ptrdiff_t ceil_div(ptrdiff_t a, ptrdiff_t b) { return -floor_div(-a, b); }
inline ptrdiff_t within(ptrdiff_t x, ptrdiff_t low, ptrdiff_t high) { return x < low ? low : x > high ? high : x; }

// A window along one axis: result i meets input i stride + tap dilation - pad.
struct Window {
  ptrdiff_t taps, stride, pad, dilation;
  ptrdiff_t reach() const { return (taps - 1) * dilation; }
  // Whether `results` windows fit `inputs` with the pad on both sides, one more at the end for even windows whose
  // results are as many as their inputs. Numbers are small enough that no product of two overflows.
  bool fits(size_t inputs, size_t results) const {
    constexpr ptrdiff_t limit = ptrdiff_t(1) << 24;
    if (taps < 1 || stride < 1 || dilation < 1 || taps > limit || stride > limit || dilation > limit || pad > limit)
      return false;
    if (inputs > size_t(1) << 33 || results > size_t(1) << 33) return false;
    return (ptrdiff_t(results) - 1) * stride + reach() < ptrdiff_t(inputs) + 2 * pad + 1;
  }
};

// Sources and results of a correlation along one axis.
//   forward:   sources are inputs in `stride` phases, tap k is in phase k dilation % stride, shifted by k dilation /
//   stride backward:  sources are gradients of outputs, results are inputs, those of one phase meet the taps of that
//   phase
struct Axis {
  Window window;
  bool back;
  ptrdiff_t sources, results;
  ptrdiff_t in_step, in_first;    // position a of plane r is source a in_step + r + in_first
  ptrdiff_t out_step, out_first;  // position i of phase r is result i out_step + r + out_first
  ptrdiff_t count, span;          // positions; how far beyond them the taps reach

  static Axis forward(Window w, size_t inputs, size_t outputs) {
    return {w, false, ptrdiff_t(inputs),  ptrdiff_t(outputs),  w.stride, -w.pad,
            1, 0,     ptrdiff_t(outputs), w.reach() / w.stride};
  }
  static Axis backward(Window w, size_t inputs, size_t outputs) {
    const ptrdiff_t span = w.reach() / w.stride, from = floor_div(w.pad, w.stride);
    const ptrdiff_t to = floor_div(ptrdiff_t(inputs) - 1 + w.pad, w.stride);
    return {w,           true,     ptrdiff_t(outputs),      ptrdiff_t(inputs), 1,
            from - span, w.stride, w.stride * from - w.pad, to - from + 1,     span};
  }
  ptrdiff_t phase(ptrdiff_t tap) const { return tap * window.dilation % window.stride; }
  ptrdiff_t shift(ptrdiff_t tap) const {
    const ptrdiff_t s = tap * window.dilation / window.stride;
    return back ? span - s : s;
  }
  // Positions [first, last) of phase r that are results.
  ptrdiff_t first(ptrdiff_t r) const { return within(ceil_div(-(out_first + r), out_step), 0, count); }
  ptrdiff_t last(ptrdiff_t r) const { return within(ceil_div(results - out_first - r, out_step), 0, count); }
  // Positions [from, to) of plane r, of `room`, that are sources.
  ptrdiff_t from(ptrdiff_t r, ptrdiff_t begin, ptrdiff_t room) const {
    return within(ceil_div(-(in_first + r), in_step) - begin, 0, room);
  }
  ptrdiff_t to(ptrdiff_t r, ptrdiff_t begin, ptrdiff_t room) const {
    return within(ceil_div(sources - in_first - r, in_step) - begin, 0, room);
  }
  // Zeros that end one row and begin the next.
  ptrdiff_t shared() const {
    const ptrdiff_t left = from(in_step - 1, 0, count + span), right = count + span - to(0, 0, count + span);
    const ptrdiff_t both = left < right ? left : right;
    return both < span ? both : span;
  }
};

// The planes of a band of rows. Every plane has `size` values: rows of `pitch`, the last row's end of zeros, and what
// makes whole cache lines.
struct Planes {
  Axis h, w;
  ptrdiff_t pitch, shared;
  Planes(const Axis& h, const Axis& w) : h(h), w(w), pitch(w.count + w.span - w.shared()), shared(w.shared()) {}

  ptrdiff_t rows(ptrdiff_t band) const { return band + h.span; }
  ptrdiff_t size(ptrdiff_t band) const { return (rows(band) * pitch + shared + 15) / 16 * 16; }
  ptrdiff_t phases() const { return h.in_step * w.in_step; }
  // Positions of a band, with those between the rows.
  ptrdiff_t flat(ptrdiff_t band) const { return (band - 1) * pitch + w.count; }
  // Where the run of a tap begins, from the planes of its channel.
  ptrdiff_t place(ptrdiff_t tap_h, ptrdiff_t tap_w, ptrdiff_t band) const {
    const ptrdiff_t plane = h.back ? 0 : h.phase(tap_h) * w.in_step + w.phase(tap_w);
    return plane * size(band) + h.shift(tap_h) * pitch + w.shift(tap_w);
  }
  // Rows of a band for which one channel takes about `room` values.
  ptrdiff_t band(ptrdiff_t room) const { return within(room / (phases() * pitch) - h.span, 1, h.count); }
};

// n values from x, `step` apart
inline void copy_apart(f32* out, const f32* x, ptrdiff_t step, ptrdiff_t n) {
  ptrdiff_t i = 0;
  if (step != 1) {
    for (; step == 2 && i + N < n; i += N) store(out + i, evens(load(x + 2 * i), load(x + 2 * i + N)));
    for (; i < n; i++) out[i] = x[i * step];
    return;
  }
  for (; i + N <= n; i += N) store(out + i, load(x + i));
  if (i == n) return;
  if (n >= N)
    store(out + n - N, load(x + n - N));
  else if (n > 0)
    store(out, load(x, size_t(n)), size_t(n));
}
inline void clear(f32* out, ptrdiff_t n) {
  ptrdiff_t i = 0;
  for (; i + N <= n; i += N) store(out + i, all(0));
  if (i < n) store(out + i, all(0), size_t(n - i));
}

// A word is a number.
struct Singles {
  static constexpr size_t terms = 1, words = 1;
  struct Mode {};  // an object that lives while words are multiplied
  using Product = Fused;
  // Word u of n values, `step` apart, of x and of what shares it.
  template <int u>
  static void copy(f32* out, const f32* x, const f32*, ptrdiff_t step, ptrdiff_t n) {
    copy_apart(out, x, step, n);
  }
  // out[k * run + i] = x[i * step + k] for i < width <= N, k < depth, and those of what shares the words.
  static void turn(f32* out, size_t run, const f32* x, const f32*, ptrdiff_t step, size_t width, size_t depth) {
    NABLA_ISA::turn<true>(out, run, x, step, width, depth);
  }
};

// Word u of the planes of a channel for the rows [begin, begin + band) of the results. x: its first element; other:
// that of what shares its words, or null. Up to N values behind them may be written.
template <class W, int u = 0>
inline void fill_planes(f32* out, const Planes& p, const f32* x, const f32* other, ptrdiff_t step_h, ptrdiff_t step_w,
                        ptrdiff_t begin, ptrdiff_t band) {
  const ptrdiff_t rows = p.rows(band), size = p.size(band);
  for (ptrdiff_t rh = 0; rh < p.h.in_step; rh++) {
    const ptrdiff_t top = p.h.from(rh, begin, rows), bottom = p.h.to(rh, begin, rows);
    for (ptrdiff_t rw = 0; rw < p.w.in_step; rw++, out += size) {
      const ptrdiff_t left = p.w.from(rw, 0, p.pitch), right = p.w.to(rw, 0, p.pitch);
      const ptrdiff_t step = step_w * p.w.in_step;
      ptrdiff_t from = ((begin + top) * p.h.in_step + rh + p.h.in_first) * step_h +
                       (left * p.w.in_step + rw + p.w.in_first) * step_w;
      // A whole word of zeros behind a row is cheaper than a few; the next row overwrites what is too much.
      const bool narrow = p.pitch - right + left <= N;
      clear(out, top * p.pitch + left);
      f32* to = out + top * p.pitch;
      for (ptrdiff_t a = top; a < bottom; a++, to += p.pitch, from += step_h * p.h.in_step) {
        W::template copy<u>(to + left, x + from, other ? other + from : nullptr, step, right - left);
        if (narrow)
          store(to + right, all(0));
        else
          clear(to + right, p.pitch - right + left);
      }
      clear(to, out + size - to);
    }
  }
  if constexpr (u + 1 < int(W::words)) fill_planes<W, u + 1>(out, p, x, other, step_h, step_w, begin, band);
}

}  // namespace nabla::NABLA_ISA
