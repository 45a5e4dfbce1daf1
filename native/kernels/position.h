// The gradient of a convolution by its weight where few outputs or few taps meet, as in depthwise convolutions and for
// pictures of one channel: positions of a row lie across 16 lanes, dy is read where it lies, and every output and tap
// has 16 sums, added as a tree at the end. Images are cut into chunks as in weight.h.
#pragma once
#include "conv.h"

namespace nabla::NABLA_ISA {

constexpr int LANES = 16;
// Outputs and taps of one tile, whose sums stay in registers.
constexpr int OUTS = REGISTERS >= 32 ? 3 : 1, TAPS = 9;

// sum[o][i][lane] += sum over images, rows y and every 16th column x of dy[o, n, y, x] a[place[i] + n image + y pitch +
// x].
struct Meeting {
  const f32* dy;
  ptrdiff_t dy_out, dy_image, dy_row;
  const f32* a;
  const ptrdiff_t* place;
  ptrdiff_t image, pitch;
  ptrdiff_t images, rows, cols;
  f32* sum;  // [R, step]
  size_t step;
};
// n values and zeros behind them: none is multiplied that is no position.
inline V load_some(const f32* p, ptrdiff_t n) { return n >= N ? load(p) : n > 0 ? load(p, size_t(n)) : all(0); }

template <int R, int T>
void meet(const Meeting& t) {
  for (int h = 0; h < LANES; h += N) {
    V acc[R][T];
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 16
      for (int i = 0; i < T; i++) acc[r][i] = load(t.sum + size_t(r) * t.step + i * LANES + h);
    }
    auto add = [&](const f32* dy, const f32* a, auto get) {
      V d[R];
#pragma GCC unroll 4
      for (int r = 0; r < R; r++) d[r] = get(dy + r * t.dy_out);
#pragma GCC unroll 16
      for (int i = 0; i < T; i++) {
        V v = get(a + t.place[i]);
        keep(v);
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) acc[r][i] = fma(d[r], v, acc[r][i]);
      }
    };
    for (ptrdiff_t n = 0; n < t.images; n++) {
      const f32 *dy = t.dy + n * t.dy_image + h, *a = t.a + n * t.image + h;
      for (ptrdiff_t y = 0; y < t.rows; y++, dy += t.dy_row, a += t.pitch) {
        ptrdiff_t x = 0;
        for (; x + LANES <= t.cols; x += LANES) add(dy + x, a + x, [](const f32* p) { return load(p); });
        const ptrdiff_t left = t.cols - x - h;
        if (x < t.cols) add(dy + x, a + x, [left](const f32* p) { return load_some(p, left); });
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 16
      for (int i = 0; i < T; i++) store(t.sum + size_t(r) * t.step + i * LANES + h, acc[r][i]);
    }
  }
}
struct MeetTable {
  void (*at[OUTS][TAPS])(const Meeting&);
};
template <int R, int... i>
constexpr void meet_taps(MeetTable& t, Counts<i...>) {
  ((t.at[R - 1][i] = &meet<R, i + 1>), ...);
}
template <int... r>
constexpr MeetTable meet_table(Counts<r...>) {
  MeetTable t{};
  (meet_taps<r + 1>(t, typename Count<TAPS>::type{}), ...);
  return t;
}
constexpr MeetTable meet_of = meet_table(Count<OUTS>::type{});

// Whether positions go across the lanes: a task of 16 outputs has them turned for fewer taps than it is worth.
inline bool by_position(const Conv& c) {
  const size_t m = c.out / c.groups, rows = c.f * c.rows * c.cols;
  return m <= 4 || (rows <= 16 && c.out_w > 8);
}
// dy, or a copy of it, with the values of a row one after the other.
inline Strided<In<f32>, 4> rows_of_memory(const Strided<In<f32>, 4>& dy) {
  if (dy.step[3] == 1) return dy;
  const size_t channels = dy.extent[1], rows = dy.extent[2], cols = dy.extent[3];
  f32* copy = static_cast<f32*>(scratch(dy.extent[0] * channels * rows * cols * sizeof(f32), 3));
  spread_rows(dy.extent[0] * channels, rows * cols, [&](size_t begin, size_t end) {
    for (size_t k = begin; k < end; k++) {
      for (size_t i = 0; i < rows; i++)
        copy_apart(copy + (k * rows + i) * cols, element(dy, k / channels, k % channels, i, 0), dy.step[3],
                   ptrdiff_t(cols));
    }
  });
  return {copy,
          {dy.extent[0], channels, rows, cols},
          {ptrdiff_t(channels * rows * cols), ptrdiff_t(rows * cols), ptrdiff_t(cols), 1}};
}

// How the work is cut: chunks of images, bands of rows, images of one pass over planes that stay in L1.
struct Passes {
  size_t chunks, rows, sums;  // taps of a group, sums of a group
  ptrdiff_t band, images;
  Passes(const Conv& c, const Planes& p) {
    rows = c.f * c.rows * c.cols;
    sums = c.out / c.groups * rows * LANES;
    const size_t work = c.images * c.out * rows * c.out_h * c.out_w;
    chunks = c.groups < 16 ? 16 / c.groups : 1;
    if (chunks > c.images) chunks = c.images;
    while (chunks > 1 && work / chunks < TASK) chunks = (chunks + 1) / 2;
    band = p.band(BAND / 8 / ptrdiff_t(c.f));
    images = band < p.h.count ? 1 : within(BAND / 8 / (p.phases() * p.size(band) * ptrdiff_t(c.f)), 1, 64);
  }
};

// What images [first, last) add to the sums of a group: [m, rows, LANES].
inline void add_positions(f32* sum, const Conv& c, const Passes& cuts, const Planes& p, const Strided<In<f32>, 4>& dy,
                          const Strided<In<f32>, 4>& x, size_t group, size_t first, size_t last) {
  const size_t m = c.out / c.groups, taps = c.rows * c.cols;
  const size_t values = size_t(cuts.images * p.phases() * p.size(cuts.band)) * c.f + N;
  f32* planes = static_cast<f32*>(scratch(values * sizeof(f32) + cuts.rows * sizeof(ptrdiff_t) + 64, 1));
  ptrdiff_t* place = reinterpret_cast<ptrdiff_t*>((reinterpret_cast<uintptr_t>(planes + values) + 63) & ~uintptr_t(63));
  std::memset(sum, 0, cuts.sums * sizeof(f32));
  const Cut outs(m, OUTS, 1), runs(cuts.rows, TAPS, 1);
  for (size_t n = first; n < last; n += size_t(cuts.images)) {
    const size_t images = last - n < size_t(cuts.images) ? last - n : size_t(cuts.images);
    for (ptrdiff_t begin = 0; begin < p.h.count; begin += cuts.band) {
      const ptrdiff_t band = p.h.count - begin < cuts.band ? p.h.count - begin : cuts.band;
      const ptrdiff_t one = p.phases() * p.size(band), image = one * ptrdiff_t(c.f);
      for (size_t i = 0; i < images * c.f; i++)
        fill_planes<Singles>(planes + ptrdiff_t(i) * one, p, element(x, n + i / c.f, group * c.f + i % c.f, 0, 0),
                             nullptr, x.step[2], x.step[3], begin, band);
      for (size_t i = 0; i < cuts.rows; i++) {
        const size_t t = i % taps;
        place[i] = ptrdiff_t(i / taps) * one + p.place(ptrdiff_t(t / c.cols), ptrdiff_t(t % c.cols), band);
      }
      for (size_t o = 0; o < outs.parts; o++) {
        for (size_t r = 0; r < runs.parts; r++)
          meet_of.at[outs.size(o) - 1][runs.size(r) - 1](
              {element(dy, n, group * m + outs.at(o), size_t(begin), 0), dy.step[1], dy.step[0], dy.step[2], planes,
               place + runs.at(r), image, p.pitch, ptrdiff_t(images), band, ptrdiff_t(c.out_w),
               sum + (outs.at(o) * cuts.rows + runs.at(r)) * LANES, cuts.rows * LANES});
      }
    }
  }
}

// dw[o][i] = the sum of 16 lanes
inline void put_lanes(const Strided<Out<f32>, 4>& dw, const f32* sum, const Conv& c) {
  const size_t taps = c.rows * c.cols;
  for (size_t i = 0; i < c.out * c.f * taps; i++, sum += LANES) {
    f32 s[LANES];
    for (int l = 0; l < LANES; l++) s[l] = sum[l];
    for (int h = LANES / 2; h; h /= 2) {
      for (int l = 0; l < h; l++) s[l] += s[l + h];
    }
    *element(dw, i / taps / c.f, i / taps % c.f, i % taps / c.cols, i % c.cols) = s[0];
  }
}

template <class AddChunks>
inline void conv_weight_by_position(const Conv& c, const Planes& p, const Strided<Out<f32>, 4>& dw,
                                    const Strided<In<f32>, 4>& dy, const Strided<In<f32>, 4>& x,
                                    const AddChunks& add_chunks) {
  const Passes cuts(c, p);
  const size_t size = c.groups * cuts.sums, all = cuts.chunks * c.groups;
  f32* part = static_cast<f32*>(scratch(cuts.chunks * size * sizeof(f32), 2));
  const size_t work = c.images * c.out * cuts.rows * c.out_h * c.out_w / all, some = TASK / (work + 1) + 1;
  parallel((all + some - 1) / some, [&](size_t i) {
    for (size_t task = i * some; task < all && task < (i + 1) * some; task++) {
      const size_t k = task / c.groups, g = task % c.groups;
      add_positions(part + k * size + g * cuts.sums, c, cuts, p, dy, x, g, c.images * k / cuts.chunks,
                    c.images * (k + 1) / cuts.chunks);
    }
  });
  add_chunks(part, cuts.chunks, size);
  put_lanes(dw, part, c);
}

}  // namespace nabla::NABLA_ISA
