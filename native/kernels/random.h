// Random numbers from a counter (Philox4x32-10, Salmon et al. 2011): number e of a call is a function of the seed, the
// counter and e alone, so any instruction set and any number of threads draws the same bits.
//
// state [4] = seed low, seed high, counter low, counter high. A call reads it; advance() moves the counter afterwards.
// A call for n numbers uses blocks counter .. counter + n - 1 at most, so advancing by n never draws a number twice.
//
// A group is 16 blocks of 4 words, a vector lane each: word w of block l is number 16 w + l of the group. Numbers that
// need two words take words (0, 1) and (2, 3). So vectors are stored as they come, at any vector length.
#pragma once
#include "../simd/log.h"
#include "grid.h"

namespace nabla::NABLA_ISA {

struct Stream {
  u32 seed[2];
  uint64_t counter;
};
inline bool read(In<i32> state, Stream& s) {
  if (state.n < 4) return false;
  s = {{u32(state.p[0]), u32(state.p[1])}, u32(state.p[2]) | uint64_t(u32(state.p[3])) << 32};
  return true;
}

inline M below(I a, I b) { return (a ^ all_i(INT32_MIN)) < (b ^ all_i(INT32_MIN)); }  // unsigned a < b

// Blocks at, at + 1 ... of the stream, one a lane: (c0, c1, c2, c3) = (counter low, counter high, 0, 0) after ten
// rounds. K vectors of blocks go through a round together: eight lanes at a time, each round waits for the one before.
template <size_t K>
inline void philox(const Stream& s, uint64_t at, I (&c)[K][4]) {
#pragma GCC unroll 2
  for (size_t k = 0; k < K; k++) {
    const uint64_t start = s.counter + at + k * N;
    const I low = all_i(i32(u32(start)));
    c[k][0] = low + iota();
    c[k][1] = all_i(i32(u32(start >> 32))) + select(below(c[k][0], low), all_i(1), all_i(0));
    c[k][2] = c[k][3] = all_i(0);
  }
  const I m0 = all_i(i32(0xD2511F53)), m1 = all_i(i32(0xCD9E8D57));
  u32 k0 = s.seed[0], k1 = s.seed[1];
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
#pragma GCC unroll 2
    for (size_t k = 0; k < K; k++) {
      I high0, low0, high1, low1;
      multiply(c[k][0], m0, high0, low0);
      multiply(c[k][2], m1, high1, low1);
      c[k][0] = high1 ^ c[k][1] ^ all_i(i32(k0));
      c[k][2] = high0 ^ c[k][3] ^ all_i(i32(k1));
      c[k][1] = low1;
      c[k][3] = low0;
    }
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
}

// draw(e, c) gets N blocks c[4] whose lane l belongs to numbers e + l, e + 16 + l, ...: `each` numbers to a block.
// begin is a multiple of 64, so of every group.
template <int each, class F>
inline void draw_range(const Stream& s, size_t begin, size_t end, const F& draw) {
  constexpr size_t K = N < 16 ? 2 : 1;  // vectors of blocks at once
  for (size_t group = begin; group < end; group += 16 * each)
    for (size_t l = 0; l < 16; l += K * N) {
      I c[K][4];
      philox(s, group / each + l, c);
#pragma GCC unroll 2
      for (size_t k = 0; k < K; k++) draw(group + l + k * N, c[k]);
    }
}
template <int each, class F>
inline void draw_blocks(size_t n, In<i32> state, const F& draw) {
  Stream s;
  if (!read(state, s)) return;
  spread(n, piece, [&](size_t begin, size_t end) { draw_range<each>(s, begin, end, draw); });
}
// y[e ...] = x where that lies before n; the last vector in part.
template <class T, class X>
inline void place(T* y, size_t n, size_t e, X x) {
  if (e + N <= n)
    store(y + e, x);
  else if (e < n)
    store(y + e, x, n - e);
}
// x[e ...], 0 from n on
inline V part(const f32* x, size_t n, size_t e) { return e + N <= n ? load(x + e) : load(x + e, n - e); }
// y = f(word), one word a number
template <class T, class F>
inline void draw_words(Out<T> y, In<i32> state, const F& f) {
  draw_blocks<4>(y.n, state, [&](size_t e, I(&c)[4]) {
    for (int w = 0; w < 4; w++) place(y.p, y.n, e + size_t(16 * w), f(c[w]));
  });
}
// For what has no vectors, two words a number: f(e, a, b) with the 64-bit words of numbers e and e + 16.
template <class F>
inline auto by_lane(const F& f) {
  return [&](size_t e, I(&c)[4]) {
    i32 w[4][N];
    for (int i = 0; i < 4; i++) store(w[i], c[i]);
    for (size_t l = 0; l < N; l++)
      f(e + l, uint64_t(u32(w[0][l])) << 32 | u32(w[1][l]), uint64_t(u32(w[2][l])) << 32 | u32(w[3][l]));
  };
}
// y = f(64-bit word)
template <class T, class F>
inline void draw_long(Out<T> y, In<i32> state, const F& f) {
  draw_blocks<2>(y.n, state, by_lane([&](size_t e, uint64_t a, uint64_t b) {
                   if (e < y.n) y.p[e] = f(a);
                   if (e + 16 < y.n) y.p[e + 16] = f(b);
                 }));
}

// [0, 1): 24 bits of an f32, 53 of an f64
inline V unit(I w) { return to_float(shr(w, 8)) * all(0x1p-24f); }
inline f64 unit(uint64_t w) { return f64(w >> 11) * 0x1p-53; }

inline f32 next_below(f32 x) { return std::nextafter(x, -__builtin_inff()); }
inline f64 next_below(f64 x) { return std::nextafter(x, -__builtin_inf()); }

// [low, high): low + u (high - low), and the number before high where that rounds up to high.
template <class T>
void uniform(Out<T> y, In<i32> state, T low, T high) {
  const T span = high - low, last = low < high ? next_below(high) : high;
  if constexpr (same<T, f32>)
    draw_words(y, state, [=](I w) { return min(fma(unit(w), all(span), all(low)), all(last)); });
  else
    draw_long(y, state, [=](uint64_t w) {
      f64 x = low + unit(w) * span;
      return x < last ? x : last;
    });
}

// cos and sin of 2 pi u, u in [0, 1): r = u - q / 4 with |r| <= 1/8 is exact, q = 0 .. 4 turns the pair.
struct Turn {
  V cos, sin;
};
inline Turn turn(V u) {
  V q = round(all(4) * u), r = fma(q, all(-0.25f), u) * all(0x1.921fb6p+2f), z = r * r;
  V s = fma(fma(fma(z, all(-1.9515296e-4f), all(8.3321609e-3f)), z, all(-1.6666655e-1f)) * z, r, r);
  V c = fma(z, fma(z, fma(z, fma(z, all(2.4433157e-5f), all(-1.3887316e-3f)), all(4.1666646e-2f)), all(-0.5f)), all(1));
  I k = to_int(q);
  M odd = (k & all_i(1)) == all_i(1);
  V x = select(odd, s, c), w = select(odd, c, s);
  return {select(((k + all_i(1)) & all_i(2)) == all_i(2), -x, x), select((k & all_i(2)) == all_i(2), -w, w)};
}

// Box-Muller: sqrt(-2 log a) (cos 2 pi b, sin 2 pi b), a in (0, 1]. The 31 bits of a reach 6.6 standard deviations.
template <class T>
void normal(Out<T> y, In<i32> state, T mean, T deviation) {
  if constexpr (same<T, f32>) {
    auto pair = [&](size_t e, I first, I second) {
      V a = fma(to_float(shr(first, 1)), all(0x1p-31f), all(0x1p-32f));
      V r = sqrt(all(-2) * log(a)) * all(deviation);
      Turn t = turn(unit(second));
      place(y.p, y.n, e, fma(r, t.cos, all(mean)));
      place(y.p, y.n, e + 16, fma(r, t.sin, all(mean)));
    };
    draw_blocks<4>(y.n, state, [&](size_t e, I(&c)[4]) {
      pair(e, c[0], c[1]);
      pair(e + 32, c[2], c[3]);
    });
  } else {
    draw_blocks<2>(y.n, state, by_lane([&](size_t e, uint64_t first, uint64_t second) {
                     f64 r = deviation * std::sqrt(-2 * std::log(1 - unit(first))),
                         angle = 6.283185307179586 * unit(second);
                     if (e < y.n) y.p[e] = mean + r * std::cos(angle);
                     if (e + 16 < y.n) y.p[e + 16] = mean + r * std::sin(angle);
                   }));
  }
}

// Words below this are a yes: yes = word < limit, limit = probability 2^32.
struct Chance {
  I limit;
  bool never, always;
  explicit Chance(f64 probability) {
    f64 x = std::floor(probability * 0x1p32 + 0.5);
    never = !(x >= 1);
    always = x >= 0x1p32;
    limit = all_i(never || always ? 0 : i32(u32(x)));
  }
  M operator()(I w) const { return always ? w == w : never ? w != w : below(w, limit); }
};

// true with probability p
template <class T>
void bernoulli(Out<T> y, In<i32> state, f64 p) {
  const Chance yes(p);
  draw_words(y, state, [=](I w) { return yes(w); });
}

// low, ..., high - 1, high > low: the high half of a 64-bit word times high - low; no value is favoured by more than
// 2^-32.
template <class T>
void randint(Out<i32> y, In<i32> state, i32 low, i32 high) {
  const u32 span = u32(high) - u32(low);
  draw_long(y, state, [=](uint64_t w) {
    uint64_t product = (w >> 32) * span + ((w & 0xffffffffu) * span >> 32);
    return i32(u32(low) + u32(product >> 32));
  });
}

// A permutation of 0 .. n - 1: number i takes the place of one of the first i + 1, which moves to the end
// (Fisher-Yates).
template <class T>
void permutation(Out<i32> y, In<i32> state) {
  Stream s;
  if (!read(state, s)) return;
  for (size_t group = 0; group < y.n; group += 32) {
    uint64_t word[32];
    draw_range<2>(s, group, group + 32, by_lane([&](size_t e, uint64_t a, uint64_t b) {
                    word[e - group] = a;
                    word[e - group + 16] = b;
                  }));
    for (size_t i = group; i < y.n && i < group + 32; i++) {
      uint64_t w = word[i - group], count = i + 1;
      size_t j = size_t(((w >> 32) * count + ((w & 0xffffffffu) * count >> 32)) >> 32);
      y.p[i] = y.p[j];
      y.p[j] = i32(i);
    }
  }
}

// dx = mask dy / (1 - p); a dropped element is 0 whatever it was
template <class T>
void dropout_grad(Out<T> dx, In<T> dy, In<b8> mask, T p) {
  const T scale = p < 1 ? 1 / (1 - p) : 0;
  map([scale](auto d, auto keep) { return select(keep, d * word<decltype(d)>(scale), word<decltype(d)>(0)); }, dx, dy,
      mask);
}
// mask is true with probability 1 - p;   y = mask x / (1 - p)
template <class T>
void dropout(Out<T> y, Out<b8> mask, In<T> x, In<i32> state, T p) {
  Stream s;
  if (!read(state, s)) return;
  const Chance keep(1 - f64(p));
  const T scale = p < 1 ? 1 / (1 - p) : 0;
  const bool far = y.n > size_t(1) << 17;  // not in L2: the arithmetic takes so long that no line is asked for in time
  spread(y.n, piece, [&](size_t begin, size_t end) {
    draw_range<4>(s, begin, end, [&](size_t e, I(&c)[4]) {
#pragma GCC unroll 4
      for (size_t w = 0; w < 4; w++) {
        const size_t at = e + 16 * w;
        const M kept = keep(c[w]);
        if (far) prefetch(x.p + at + 512), prefetch_write(y.p + at + 512);
        place(mask.p, end, at, kept);
        if constexpr (same<T, f32>)
          if (at < end) place(y.p, end, at, select(kept, part(x.p, end, at) * all(scale), all(0)));
      }
    });
    if constexpr (!same<T, f32>)
      dropout_grad(Out<T>{y.p + begin, end - begin}, In<T>{x.p + begin, end - begin},
                   In<b8>{mask.p + begin, end - begin}, p);
  });
}

// counter += by
template <class T>
void advance(InOut<i32> state, f64 by) {
  if (state.n < 4 || !(by >= 0 && by <= 9007199254740992.0)) return;
  uint64_t counter = (u32(state.p[2]) | uint64_t(u32(state.p[3])) << 32) + uint64_t(by);
  state.p[2] = i32(u32(counter));
  state.p[3] = i32(u32(counter >> 32));
}

}  // namespace nabla::NABLA_ISA
