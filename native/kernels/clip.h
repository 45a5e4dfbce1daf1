// Clipping by the norm of all gradients, inside a plan: power_sum of every gradient into one array of sums, clip_factor
// over that array, then scale_by of every gradient or, with no pass of its own, the `scale` of the optimizer rows.
#pragma once
#include "grid.h"

namespace nabla::NABLA_ISA {

constexpr size_t sum_piece = 4096;

// Sixteen running sums, added as a tree: the order is the same on every ISA. In f64: the square of an f32 is exact
// there and cannot overflow. Plain arrays, which compilers turn into vectors of f64.
template <class T, class F>
inline f64 sum_of(const T* x, size_t n, const F& f) {
  f64 s[16] = {};
  size_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int l = 0; l < 16; l++) s[l] += f(f64(x[i + l]));
  for (int l = 0; i < n; i++, l++) s[l] += f(f64(x[i]));
  for (int half = 8; half; half /= 2)
    for (int l = 0; l < half; l++) s[l] += s[l + half];
  return s[0];
}
template <class T>
inline f64 largest_of(const T* x, size_t n) {
  f64 y = 0;
  for (size_t i = 0; i < n; i++) {
    f64 a = std::fabs(f64(x[i]));
    y = a > y || a != a ? a : y;  // a NaN is never replaced: nothing is greater
  }
  return y;
}

// y [1] = sum |x|^p, max |x| for p = inf. Pieces of 4 Ki elements, added in order.
template <class T>
void power_sum(Out<f64> y, In<T> x, f64 p) {
  if (y.n == 0) return;
  size_t pieces = (x.n + sum_piece - 1) / sum_piece;
  f64* part = static_cast<f64*>(scratch((pieces + 1) * sizeof(f64), 2));
  spread_rows(pieces, sum_piece, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      const T* at = x.p + i * sum_piece;
      size_t n = x.n - i * sum_piece < sum_piece ? x.n - i * sum_piece : sum_piece;
      if (p == 2)
        part[i] = sum_of(at, n, [](f64 a) { return a * a; });
      else if (p == 1)
        part[i] = sum_of(at, n, [](f64 a) { return std::fabs(a); });
      else if (p > 1e300)
        part[i] = largest_of(at, n);
      else
        part[i] = sum_of(at, n, [p](f64 a) { return std::pow(std::fabs(a), p); });
    }
  });
  if (p > 1e300)
    y.p[0] = largest_of(part, pieces);
  else {
    f64 total = 0;
    for (size_t i = 0; i < pieces; i++) total += part[i];
    y.p[0] = total;
  }
}

// clip = [largest norm, norm, factor]: norm = (sum of sums)^(1/p), factor = min(1, largest / (norm + 1e-6)), as
// torch.nn.utils.clip_grad_norm_. A NaN norm gives a NaN factor.
template <class T>
void clip_factor(InOut<f64> clip, In<f64> sums, f64 p) {
  if (clip.n < 3) return;
  f64 total = 0;
  for (size_t i = 0; i < sums.n; i++) total += sums.p[i];
  f64 norm = p > 1e300 ? largest_of(sums.p, sums.n)
             : p == 2  ? std::sqrt(total)
             : p == 1  ? total
                       : std::pow(total, 1 / p);
  f64 factor = clip.p[0] / (norm + 1e-6);
  clip.p[1] = norm;
  clip.p[2] = factor > 1 ? 1 : factor;
}

// g *= factor[0]
template <class T>
void scale_by(InOut<T> g, In<f64> factor) {
  if (factor.n == 0) return;
  using X = Word<T>;
  spread(g.n, piece, [&](size_t begin, size_t end) {
    const X by = word<X>(factor.p[0]);
    map([=](X x) { return by * x; }, Out<T>{g.p + begin, end - begin}, In<T>{g.p + begin, end - begin});
  });
}

}  // namespace nabla::NABLA_ISA
