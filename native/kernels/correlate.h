// y[n, m] = bias[m] + sum over channels and taps of weight x[n, channel]: the forward pass of a convolution, and its
// gradient by the input, which is the same with the weight turned. Every element is one chain of fused multiply-adds,
// over channels, or those that share a word, then rows, then columns of the window. Tasks are bands of one group of one
// image.
#pragma once
#include "plane.h"
#include "product.h"
#include "reach.h"

namespace nabla::NABLA_ISA {

template <class A>
inline auto element(const Strided<A, 4>& x, size_t a, size_t b, size_t c, size_t d) {
  return x.p +
         (ptrdiff_t(a) * x.step[0] + ptrdiff_t(b) * x.step[1] + ptrdiff_t(c) * x.step[2] + ptrdiff_t(d) * x.step[3]);
}

// Values of one task's planes, which stay in L2, and multiply-adds worth a task.
constexpr ptrdiff_t BAND = 65536;
constexpr size_t TASK = size_t(1) << 17;

template <class W>
struct Correlation {
  Strided<Out<f32>, 4> y;  // [images, groups * m, ...]
  Strided<In<f32>, 4> x;   // [images, groups * f, ...]
  const f32* weight;
  ptrdiff_t w_group, w_m, w_f, w_h, w_w;  // steps
  const f32* bias;                        // [groups * m], or null
  size_t groups, m, f;
  Planes planes;

  size_t words() const { return (f + W::terms - 1) / W::terms * W::words; }  // for each tap
};

// The taps that the results of one phase meet, their places and their weights in the order of the tile.
struct Phase {
  ptrdiff_t rh, rw;
  size_t k;
  const ptrdiff_t* place;  // [k], of words
  const f32* weight;       // [groups][runs][k][run]
  const Sift* sift;        // a vector of positions each, or null where results do not lie row after row
};

// Bands of rows, for a task each.
struct Bands {
  ptrdiff_t rows, each, count;
  template <class W>
  Bands(const Correlation<W>& c) : rows(c.planes.h.count) {
    each = c.planes.band(BAND / ptrdiff_t(c.words()));
    const bool alone = c.y.extent[0] * c.groups == 1;
    if (alone && each > (rows + 3) / 4) each = (rows + 3) / 4;
    count = (rows + each - 1) / each;
  }
  ptrdiff_t begin(ptrdiff_t i) const { return rows * i / count; }
  ptrdiff_t size(ptrdiff_t i) const { return begin(i + 1) - begin(i); }
  ptrdiff_t largest() const { return (rows + count - 1) / count; }
};

// Runs of rows of a weight: down a tile, or across its vectors.
struct WeightRuns : Runs {
  bool across;
  WeightRuns(size_t m, bool across) : Runs(m), across(across) {
    if (across) tall = NV * N, talls = m / tall, shorts = 0;
  }
  size_t count() const { return talls + shorts; }
  size_t rows(size_t r) const { return r < talls ? tall : tall - 1; }
  size_t row(size_t r) const { return r * tall - (r > talls ? r - talls : 0); }
};
inline size_t run_of(const WeightRuns& runs) { return (runs.tall + N - 1) / N * N; }

// One run of rows of the weight of a group: out[k][run], k counting `channels`, then the taps of the phase.
template <class W>
inline void pack_numbers(f32* out, const Correlation<W>& c, const f32* from, size_t channels, size_t rows, size_t run,
                         const ptrdiff_t* tap, size_t taps) {
  // A weight as it is stored: rows of channels and taps, one after the other.
  const bool dense = c.w_w == 1 && tap[taps - 1] == ptrdiff_t(taps) - 1;
  if (dense && c.w_f == ptrdiff_t(taps)) return pack(out, run, from, c.w_m, 1, rows, channels * taps);
  for (size_t f = 0; f < channels; f++, from += c.w_f) {
    if (dense && rows > 4) {
      pack(out, run, from, c.w_m, 1, rows, taps);
      out += taps * run;
      continue;
    }
    for (size_t t = 0; t < taps; t++, out += run) {
      const f32* w = from + tap[t];
      for (size_t i = 0; i < rows; i++) out[i] = w[ptrdiff_t(i) * c.w_m];
    }
  }
}

// The same in words.
template <class W>
inline void pack_weights(f32* out, const Correlation<W>& c, const f32* from, size_t rows, size_t run,
                         const ptrdiff_t* tap, size_t taps) {
  if constexpr (W::terms == 1) {
    pack_numbers(out, c, from, c.f, rows, run, tap, taps);
  } else {
    // As many channels at once as stay in L1 twice.
    const size_t set = W::terms * size_t(within(4096 / ptrdiff_t(W::terms * taps * run), 1, ptrdiff_t(c.f)));
    f32* numbers = static_cast<f32*>(scratch(set * taps * run * sizeof(f32), 1));
    for (size_t f = 0; f < c.f; f += set, from += ptrdiff_t(set) * c.w_f) {
      const size_t channels = c.f - f < set ? c.f - f : set;
      pack_numbers(numbers, c, from, channels, rows, run, tap, taps);
      for (size_t i = 0; i < channels; i += W::terms) {
        const f32 *x = numbers + i * taps * run, *other = i + 1 < channels ? x + taps * run : nullptr;
        for (size_t t = 0; t < taps; t++, out += W::words * run)
          W::join(out, run, x + t * run, other ? other + t * run : nullptr);
      }
    }
  }
}

// Whether results lie row after row in the order of positions.
template <class W>
inline bool in_order(const Correlation<W>& c) {
  const Axis &h = c.planes.h, &w = c.planes.w;
  return h.out_step == 1 && w.out_step == 1 && c.y.step[3] == 1 && c.y.step[2] == w.count && h.count == h.results &&
         w.count == w.results;
}
// Whether outputs go across the vectors of a tile and positions down: nothing lies between the rows then, but tiles are
// turned before they are stored, which takes as long as 12 more taps, and sifting them 6.
template <class W>
inline bool outputs_across(const Correlation<W>& c, ptrdiff_t band) {
  if (N == 1 || c.m % (NV * N) || !in_order(c) || c.y.step[1] < 0) return false;
  const size_t taps = size_t(c.planes.h.window.taps * c.planes.w.window.taps) * c.words();
  const size_t flat = size_t(c.planes.flat(band) + N - 1) / N * N;
  return size_t(band * c.planes.w.count) * (taps + 12) * 20 < flat * (taps + 6) * 19;
}
inline size_t vectors(const Planes& p, ptrdiff_t band) { return size_t(p.flat(band) + N - 1) / N; }
inline void fill_sift(Sift* out, const Planes& p, ptrdiff_t band) {
  ptrdiff_t row = 0, col = 0, to = 0;
  for (size_t v = vectors(p, band); v; v--, out++) {
    *out = {{}, 0, to};
    for (i32 lane = 0; lane < N; lane++) {
      if (col < p.w.count && row < band) out->at[out->n++] = lane;
      if (++col == p.pitch) col = 0, row++;
    }
    to += out->n;
  }
}

template <class W>
inline size_t prepared_bytes(const Correlation<W>& c, const WeightRuns& runs, size_t bands) {
  const Axis &h = c.planes.h, &w = c.planes.w;
  const size_t taps = size_t(h.window.taps * w.window.taps), all = taps * c.words();
  const size_t phases = size_t(h.out_step * w.out_step);
  return phases * bands * sizeof(Phase) + (all * bands + taps) * sizeof(ptrdiff_t) +
         c.groups * runs.count() * all * run_of(runs) * sizeof(f32) + 64 +
         (in_order(c) ? bands * vectors(c.planes, h.count) * sizeof(Sift) : 0);
}

// f(tap_h, tap_w) for the taps of one phase of the results, in order.
template <class F>
inline void each_tap(const Planes& p, ptrdiff_t rh, ptrdiff_t rw, F f) {
  for (ptrdiff_t i = 0; i < p.h.window.taps; i++) {
    if (p.h.back && p.h.phase(i) != rh) continue;
    for (ptrdiff_t j = 0; j < p.w.window.taps; j++) {
      if (!p.w.back || p.w.phase(j) == rw) f(i, j);
    }
  }
}

// Places and packed weights of every phase, for bands of `largest` rows and, where bands have two sizes, one row less.
template <class W>
inline const Phase* prepare(const Correlation<W>& c, const WeightRuns& runs, ptrdiff_t largest, size_t sizes) {
  const Planes& p = c.planes;
  const size_t phases = size_t(p.h.out_step * p.w.out_step), run = run_of(runs);
  char* room = static_cast<char*>(scratch(prepared_bytes(c, runs, sizes), 2));
  Phase* phase = reinterpret_cast<Phase*>(room);
  ptrdiff_t* place = reinterpret_cast<ptrdiff_t*>(phase + phases * sizes);
  const size_t all = size_t(p.h.window.taps * p.w.window.taps);
  ptrdiff_t* tap = place + all * c.words() * sizes;
  Sift* sift = reinterpret_cast<Sift*>(tap + all);
  const size_t sifts = in_order(c) ? vectors(p, largest) : 0;
  f32* packed = reinterpret_cast<f32*>((reinterpret_cast<uintptr_t>(sift + sizes * sifts) + 63) & ~uintptr_t(63));
  for (size_t i = 0; i < phases; i++) {
    const ptrdiff_t rh = ptrdiff_t(i) / p.w.out_step, rw = ptrdiff_t(i) % p.w.out_step;
    size_t taps = 0;
    each_tap(p, rh, rw, [&](ptrdiff_t y, ptrdiff_t x) { tap[taps++] = y * c.w_h + x * c.w_w; });
    for (size_t s = 0; s < sizes; s++) {
      const ptrdiff_t band = largest - ptrdiff_t(s);
      phase[i * sizes + s] = {rh, rw, taps * c.words(), place, packed, sifts ? sift + s * sifts : nullptr};
      if (sifts) fill_sift(sift + s * sifts, p, band);
      const ptrdiff_t one = p.phases() * p.size(band);
      for (ptrdiff_t f = 0; f < ptrdiff_t(c.words()); f += W::words)
        each_tap(p, rh, rw, [&](ptrdiff_t y, ptrdiff_t x) {
          for (size_t u = 0; u < W::words; u++) *place++ = (f + ptrdiff_t(u)) * one + p.place(y, x, band);
        });
    }
    const size_t each = runs.count(), values = taps * c.words() * run;
    auto pack_run = [&](size_t task) {
      const size_t g = task / each, r = task % each;
      const f32* from = c.weight + ptrdiff_t(g) * c.w_group + ptrdiff_t(runs.row(r)) * c.w_m;
      pack_weights(packed + task * values, c, from, runs.rows(r), run, tap, taps);
    };
    if (taps)
      spread_rows(c.groups * each, values, [&](size_t begin, size_t end) {
        for (size_t task = begin; task < end; task++) pack_run(task);
      });
    packed += c.groups * each * values;
  }
  return phase;
}

// Positions [from, from + n) of a band, without those between the rows, from a tile to y; y: its first row in the
// band.
struct Store {
  f32* y;
  ptrdiff_t y_m, y_h, y_w;
  const Planes* planes;
  ptrdiff_t rh, rw, begin, band;
};
inline void store_run(f32* to, ptrdiff_t step, const f32* from, ptrdiff_t n, V bias) {
  for (ptrdiff_t j = 0; j < n; j += N) {
    const size_t w = n - j < N ? size_t(n - j) : size_t(N);
    V v = load(from + j, w) + bias;
    if (step == 1)
      store(to + j, v, w);
    else
      store_apart(to + j * step, step, v, w);
  }
}
inline void store_tile(const Store& s, const f32* tile, size_t rows, ptrdiff_t width, ptrdiff_t from, const f32* bias) {
  const Axis &h = s.planes->h, &w = s.planes->w;
  const ptrdiff_t top = h.first(s.rh), bottom = h.last(s.rh), left = w.first(s.rw), right = w.last(s.rw);
  const ptrdiff_t pitch = s.planes->pitch, end = from + width;
  for (ptrdiff_t i = from / pitch; i < s.band && i * pitch < end; i++) {
    if (s.begin + i < top || s.begin + i >= bottom) continue;
    const ptrdiff_t row = i * pitch;
    const ptrdiff_t first = from > row + left ? from : row + left, last = end < row + right ? end : row + right;
    if (first >= last) continue;
    f32* y = s.y + ((s.begin + i) * h.out_step + h.out_first + s.rh) * s.y_h +
             ((first - row) * w.out_step + w.out_first + s.rw) * s.y_w;
    for (size_t r = 0; r < rows; r++) {
      const V b = bias ? all(bias[r]) : all(0);
      store_run(y + ptrdiff_t(r) * s.y_m, s.y_w * w.out_step, tile + ptrdiff_t(r) * width + (first - from),
                last - first, b);
    }
  }
}

// The runs [first, last) of a phase in a band of a group: panels of columns, then runs of rows.
template <class W>
inline void correlate_phase(const Correlation<W>& c, const Phase& phase, const f32* planes, size_t group, Store to,
                            const WeightRuns& runs, size_t first, size_t last) {
  const size_t run = run_of(runs), row = runs.row(first);
  const ptrdiff_t flat = c.planes.flat(to.band);
  const int wide = widest(int(runs.tall));
  const f32* weight = phase.weight + (group * runs.count() + first) * phase.k * run;
  alignas(64) f32 tile[size_t(MR) * WIDE * N];
  for (ptrdiff_t p = 0; p < flat;) {
    const ptrdiff_t left = (flat - p + N - 1) / N;
    const int C = left < wide ? int(left) : wide;
    const f32* bias = c.bias ? c.bias + group * c.m + row : nullptr;
    Reach t{weight, run, planes + p, phase.place, phase.k, tile, nullptr, to.y_m, bias};
    Store s = to;
    s.y += ptrdiff_t(row) * s.y_m;
    if (phase.sift) t.sift = phase.sift + p / N;
    for (size_t r = first; r < last; r++) {
      const size_t rows = runs.rows(r);
      if (phase.sift) t.out = s.y + to.begin * to.y_h;
      reach_of<typename W::Product>.at[rows - 1][C - 1](t);
      if (!phase.sift) store_tile(s, tile, rows, C * N, p, t.bias);
      t.a += phase.k * run;
      s.y += ptrdiff_t(rows) * s.y_m;
      if (bias) t.bias += rows;
    }
    p += C * N;
  }
}

// The same with outputs across the vectors: a run of outputs, then positions of a row.
template <class W>
inline void correlate_across(const Correlation<W>& c, const Phase& phase, const f32* planes, size_t group, Store to,
                             const WeightRuns& runs, size_t first, size_t last) {
  const size_t run = run_of(runs);
  const Cut cols(size_t(c.planes.w.count), MR < N ? MR : N, 1);
  alignas(64) f32 tile[size_t(MR) * NV * N];
  for (size_t r = first; r < last; r++) {
    const size_t at = runs.row(r);
    const f32* weight = phase.weight + (group * runs.count() + r) * phase.k * run;
    const f32* bias = c.bias ? c.bias + group * c.m + at : nullptr;
    for (ptrdiff_t i = 0; i < to.band; i++) {
      f32* y = to.y + ptrdiff_t(at) * to.y_m + (to.begin + i) * to.y_h;
      for (size_t s = 0; s < cols.parts; s++) {
        const f32* b = planes + i * c.planes.pitch + cols.at(s);
        reach_of<typename W::Product>.across[cols.size(s) - 1](
            {weight, run, b, phase.place, phase.k, tile, nullptr, 0, bias});
        turn<false>(y + cols.at(s), size_t(to.y_m), tile, NV * N, cols.size(s), run);
      }
    }
  }
}

// Tasks: blocks of runs whose weights stay in L2, then images, groups, bands of rows; each fills its own planes.
struct Tasks {
  size_t images, groups, bands, runs, each, blocks;
  size_t all() const { return blocks * images * groups * bands; }
  size_t first(size_t task) const { return task / (images * groups * bands) * each; }
  size_t last(size_t task) const { return first(task) + each < runs ? first(task) + each : runs; }
  size_t image(size_t task) const { return task / bands / groups % images; }
  size_t group(size_t task) const { return task / bands % groups; }
  size_t band(size_t task) const { return task % bands; }
};

template <class W>
inline void correlate(const Correlation<W>& c) {
  const Planes& p = c.planes;
  if (!c.m || !c.f || p.h.count < 1 || p.w.count < 1) return;
  const Bands bands(c);
  const WeightRuns runs(c.m, outputs_across(c, bands.largest()));
  const size_t sizes = bands.rows % bands.count ? 2 : 1, phases = size_t(p.h.out_step * p.w.out_step);
  const size_t taps = size_t(p.h.window.taps * p.w.window.taps);
  const Phase* phase = prepare(c, runs, bands.largest(), sizes);
  Tasks t{c.y.extent[0], c.groups, size_t(bands.count), runs.count(), 0, 0};
  t.each = size_t(within(2 * BAND / ptrdiff_t(c.words() * taps * run_of(runs)), 1, ptrdiff_t(t.runs)));
  t.blocks = (t.runs + t.each - 1) / t.each;
  auto one = [&](size_t task) {
    [[maybe_unused]] const typename W::Mode mode;
    const ptrdiff_t band = ptrdiff_t(t.band(task)), rows = bands.size(band);
    const size_t g = t.group(task), image = t.image(task), channel = size_t(p.phases() * p.size(rows));
    f32* planes = static_cast<f32*>(scratch((c.words() * channel + WIDE * N) * sizeof(f32), 1));
    auto plane = [&](size_t f) { return f < c.f ? element(c.x, image, g * c.f + f, 0, 0) : nullptr; };
    for (size_t f = 0; f < c.f; f += W::terms)
      fill_planes<W>(planes + f / W::terms * W::words * channel, p, plane(f), plane(f + W::terms - 1), c.x.step[2],
                     c.x.step[3], bands.begin(band), rows);
    clear(planes + c.words() * channel, WIDE * N);
    for (size_t i = 0; i < phases; i++) {
      const Phase& meets = phase[i * sizes + size_t(bands.largest() - rows)];
      const Store to{element(c.y, image, g * c.m, 0, 0),
                     c.y.step[1],
                     c.y.step[2],
                     c.y.step[3],
                     &p,
                     meets.rh,
                     meets.rw,
                     bands.begin(band),
                     rows};
      (runs.across ? correlate_across<W> : correlate_phase<W>)(c, meets, planes, g, to, runs, t.first(task),
                                                               t.last(task));
    }
  };
  const size_t work = c.m * c.words() * taps * size_t(bands.largest() * p.w.count) / t.blocks + 1,
               some = TASK / work + 1;
  parallel((t.all() + some - 1) / some, [&](size_t i) {
    for (size_t task = i * some; task < t.all() && task < (i + 1) * some; task++) one(task);
  });
}

}  // namespace nabla::NABLA_ISA
