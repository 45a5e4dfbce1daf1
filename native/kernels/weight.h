// The gradient of a convolution by its weight: dw[o, c, k] = sum over images and positions of dy[o, i] x[c, i stride +
// k dilation - pad]. Outputs lie across the vectors, so dy is turned; taps are the rows of the tile, read where they
// lie in the planes. Images, or those that share a word, are cut into chunks, each one chain of fused multiply-adds per
// element; chunk i takes in chunk i + h for h = 1, 2, 4 ... How many there are depends on the shapes alone.
#pragma once
#include "position.h"

namespace nabla::NABLA_ISA {

// How the work is cut: chunks of images, blocks of channels of a group, bands of rows; images of one pass. Here and
// below those that share a word are one image.
template <class W>
struct Cuts {
  size_t chunks, blocks, channels;  // channels of a block, the last may have fewer
  ptrdiff_t band;
  size_t all, images;
  size_t taps, wide;  // rows of the sum of a channel; values of a row, whole vectors
  Cuts(const Conv& c, const Planes& p) {
    all = (c.images + W::terms - 1) / W::terms;
    taps = c.rows * c.cols;
    wide = (c.out / c.groups + N - 1) / N * N;
    const size_t sums = c.groups * c.f * taps * (c.out / c.groups + 15) / 16 * 16;
    const size_t work = c.images * c.out * c.f * taps * c.out_h * c.out_w;
    chunks = all < 16 ? all : 16;
    while (chunks > 1 && (chunks * sums > size_t(1) << 21 || work / chunks < TASK)) chunks = (chunks + 1) / 2;
    channels = c.f;
    const size_t alone = chunks * c.groups, parts = alone == 1 ? 4 : alone < 4 ? 2 : 1;
    if (work > 2 * TASK && channels >= parts) channels = (channels + parts - 1) / parts;
    const ptrdiff_t by_dy = within(BAND / ptrdiff_t(wide * c.out_w), 1, p.h.count);
    band = p.band(BAND / ptrdiff_t(channels < 8 ? channels : 8));
    if (by_dy < band) band = by_dy;
    const ptrdiff_t one = p.phases() * p.size(band) * ptrdiff_t(W::words), turned = band * ptrdiff_t(row(c));
    // A pass reads and writes every sum once: as many images as fit, and few channels for many of them.
    images = band < p.h.count ? 1 : size_t(within(BAND / turned, 1, ptrdiff_t((all + chunks - 1) / chunks)));
    const size_t fit = size_t(within(BAND / one / ptrdiff_t(images), 1, ptrdiff_t(channels)));
    blocks = (c.f + fit - 1) / fit;
    channels = (c.f + blocks - 1) / blocks;
    blocks = (c.f + channels - 1) / channels;
  }
  size_t row(const Conv& c) const { return c.out_w * W::words * wide; }  // of dy, turned
};

// Images [first, first + images), rows [begin, begin + rows) of dy of one group as panels of NV vectors of outputs:
// [panel][image][position][word][width].
struct Piece {
  size_t first, images, begin, rows;
};
template <class W>
inline void turn_outputs(f32* out, const Strided<In<f32>, 4>& dy, const Piece& b, size_t o, size_t m) {
  const size_t cols = dy.extent[3];
  for (size_t from = 0; from < m; from += size_t(NV) * N) {
    const size_t width = m - from < size_t(NV) * N ? m - from : size_t(NV) * N, run = (width + N - 1) / N * N;
    for (size_t n = 0; n < b.images; n++) {
      const size_t image = (b.first + n) * W::terms, last = image + W::terms - 1;
      for (size_t r = 0; r < b.rows; r++, out += cols * W::words * run) {
        for (size_t i = 0; i < width; i += N) {
          auto row = [&](size_t k) {
            return k < dy.extent[0] ? element(dy, k, o + from + i, b.begin + r, 0) : nullptr;
          };
          W::turn(out + i, run, row(image), row(last), dy.step[1], width - i < size_t(N) ? width - i : size_t(N), cols);
        }
      }
    }
  }
}

// sum [count, wide] += what one piece adds; places: where the run of each tap of each channel begins.
template <class W>
inline void add_piece(f32* sum, const Cuts<W>& cuts, Gather g, const ptrdiff_t* place, size_t count, size_t m) {
  const Runs runs(count);
  for (size_t from = 0; from < m; from += size_t(NV) * N) {
    const size_t C = ((m - from < size_t(NV) * N ? m - from : size_t(NV) * N) + N - 1) / N;
    size_t at = 0;
    for (size_t r = 0; r < runs.talls + runs.shorts; r++) {
      const size_t R = r < runs.talls ? runs.tall : runs.tall - 1;
      g.place = place + at;
      g.sum = sum + at * cuts.wide + from;
      gather_of<typename W::Product, W::words>.at[R - 1][C - 1](g);
      at += R;
    }
    g.b += g.images * g.rows * g.cols * W::words * C * N;
  }
}

// What images [first, last) add to the sums of channels [f, f + count) of a group.
struct Share {
  size_t group, f, count, first, last;
};
template <class W>
inline void add_images(f32* sum, const Conv& c, const Cuts<W>& cuts, const Planes& p, const Strided<In<f32>, 4>& dy,
                       const Strided<In<f32>, 4>& x, const Share& s) {
  [[maybe_unused]] const typename W::Mode mode;
  const size_t m = c.out / c.groups, channel = W::words * size_t(p.phases() * p.size(cuts.band));
  const size_t turned = size_t(cuts.band) * cuts.row(c), places = s.count * cuts.taps;
  const size_t values = cuts.images * (s.count * channel + turned);
  f32* planes = static_cast<f32*>(scratch(values * sizeof(f32) + places * sizeof(ptrdiff_t) + 64, 1));
  f32* outputs = planes + cuts.images * s.count * channel;
  ptrdiff_t* place = reinterpret_cast<ptrdiff_t*>((reinterpret_cast<uintptr_t>(planes + values) + 63) & ~uintptr_t(63));
  std::memset(sum, 0, places * cuts.wide * sizeof(f32));
  for (size_t n = s.first; n < s.last; n += cuts.images) {
    const size_t images = s.last - n < cuts.images ? s.last - n : cuts.images;
    for (ptrdiff_t begin = 0; begin < p.h.count; begin += cuts.band) {
      const ptrdiff_t rows = p.h.count - begin < cuts.band ? p.h.count - begin : cuts.band;
      const ptrdiff_t apart = p.phases() * p.size(rows), one = apart * ptrdiff_t(W::words);
      const ptrdiff_t image = one * ptrdiff_t(s.count);
      for (size_t i = 0; i < s.count * images; i++) {
        const size_t first = (n + i / s.count) * W::terms;
        auto plane = [&](size_t k) {
          return k < c.images ? element(x, k, s.group * c.f + s.f + i % s.count, 0, 0) : nullptr;
        };
        fill_planes<W>(planes + ptrdiff_t(i) * one, p, plane(first), plane(first + W::terms - 1), x.step[2], x.step[3],
                       begin, rows);
      }
      for (size_t i = 0; i < places; i++) {
        const size_t t = i % cuts.taps;
        place[i] = ptrdiff_t(i / cuts.taps) * one + p.place(ptrdiff_t(t / c.cols), ptrdiff_t(t % c.cols), rows);
      }
      turn_outputs<W>(outputs, dy, {n, images, size_t(begin), size_t(rows)}, s.group * m, m);
      add_piece(sum, cuts,
                {planes, nullptr, image, p.pitch, apart, outputs, images, size_t(rows), c.out_w, nullptr, cuts.wide},
                place, places, m);
    }
  }
}

inline void add_chunks(f32* part, size_t chunks, size_t size) {
  spread(size, piece, [&](size_t begin, size_t end) {
    for (size_t h = 1; h < chunks; h *= 2) {
      for (size_t k = 0; k + h < chunks; k += 2 * h) {
        f32 *to = part + k * size, *from = part + (k + h) * size;
        map([](auto a, auto b) { return a + b; }, Out<f32>{to + begin, end - begin}, In<f32>{to + begin, end - begin},
            In<f32>{from + begin, end - begin});
      }
    }
  });
}

// dw[g m + o][i] = sum[g][i][o]
inline void put_sums(const Strided<Out<f32>, 4>& dw, const f32* sum, const Conv& c, size_t wide) {
  const size_t m = c.out / c.groups, taps = c.rows * c.cols, rows = c.f * taps;
  const bool dense = dw.step[3] == 1 && dw.step[2] == ptrdiff_t(c.cols) && dw.step[1] == ptrdiff_t(taps);
  spread_rows(c.groups * ((rows + N - 1) / N), N * wide, [&](size_t begin, size_t end) {
    for (size_t task = begin; task < end; task++) {
      const size_t g = task / ((rows + N - 1) / N), i = task % ((rows + N - 1) / N) * N;
      const size_t width = rows - i < size_t(N) ? rows - i : size_t(N);
      const f32* from = sum + (g * rows + i) * wide;
      if (dense && dw.step[0] >= 0) {
        turn<false>(element(dw, g * m, 0, 0, 0) + i, size_t(dw.step[0]), from, ptrdiff_t(wide), width, m);
        continue;
      }
      for (size_t o = 0; o < m; o++) {
        for (size_t k = i; k < i + width; k++)
          *element(dw, g * m + o, k / taps, k % taps / c.cols, k % c.cols) = from[(k - i) * wide + o];
      }
    }
  });
}

// dy: values of a row one after the other.
template <class W>
inline void gather_images(const Conv& c, const Planes& p, const Strided<Out<f32>, 4>& dw, const Strided<In<f32>, 4>& dy,
                          const Strided<In<f32>, 4>& x) {
  const Cuts<W> cuts(c, p);
  const size_t group = c.f * cuts.taps * cuts.wide, size = c.groups * group;
  f32* part = static_cast<f32*>(scratch(cuts.chunks * size * sizeof(f32), 2));
  parallel(cuts.chunks * c.groups * cuts.blocks, [&](size_t task) {
    const size_t block = task % cuts.blocks, g = task / cuts.blocks % c.groups, k = task / cuts.blocks / c.groups;
    const size_t f = block * cuts.channels, count = c.f - f < cuts.channels ? c.f - f : cuts.channels;
    const Share share{g, f, count, cuts.all * k / cuts.chunks, cuts.all * (k + 1) / cuts.chunks};
    add_images(part + k * size + g * group + f * cuts.taps * cuts.wide, c, cuts, p, dy, x, share);
  });
  add_chunks(part, cuts.chunks, size);
  put_sums(dw, part, c, cuts.wide);
}

template <class T>
void conv_weight(Strided<Out<T>, 4> dw, Strided<In<T>, 4> dy, Strided<In<T>, 4> x, u32 stride_h, u32 stride_w,
                 u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w);
template <>
inline void conv_weight(Strided<Out<f64>, 4> dw, Strided<In<f64>, 4> dy, Strided<In<f64>, 4> x, u32 stride_h,
                        u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w) {
  if (empty(dw)) return;
  const Conv c = conv_of(x, dw, dy, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w);
  if (!c.fits) return fill(dw, [](size_t) { return 0.0; });
  conv_weight_by_definition(c, dw, dy, x);
}
template <>
inline void conv_weight(Strided<Out<f32>, 4> dw, Strided<In<f32>, 4> dy, Strided<In<f32>, 4> x, u32 stride_h,
                        u32 stride_w, u32 pad_h, u32 pad_w, u32 dilation_h, u32 dilation_w) {
  if (empty(dw)) return;
  const Conv c = conv_of(x, dw, dy, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w);
  if (!c.fits) return fill(dw, [](size_t) { return 0.0f; });
  const Planes p(Axis::forward(c.h, c.in_h, c.out_h), Axis::forward(c.w, c.in_w, c.out_w));
  const Strided<In<f32>, 4> rows = rows_of_memory(dy);
  if (by_position(c)) return conv_weight_by_position(c, p, dw, rows, x, add_chunks);
  gather_images<Singles>(c, p, dw, rows, x);
}

}  // namespace nabla::NABLA_ISA
