// Activations and their slopes, one lane each. NaN stays NaN. x times a function that vanishes on the left is NaN at
// -inf, as PyTorch's gelu, silu, mish and hardswish are; slopes have their limits at both ends. A slope is a function
// of x unless its parameter is called y, the activation's value. At a corner the slope is PyTorch's. Errors (f32, every
// 61st float): in ulp where the relative error is bounded, absolute where a zero is crossed.
#pragma once
#include "math.h"

namespace nabla::NABLA_ISA {

// lo <= x <= hi
template <class X>
inline X clamp(X x, X lo, X hi) {
  return min(hi, max(lo, x));
}
template <class X>
inline X clamp_slope(X x, X lo, X hi) {
  return select((x > lo) & (x < hi), splat<X>(1), splat<X>(0));
}
// x where every exponential below has reached its limit, so that inf * 0 does not arise; holds for f64, whose e^-746 is
// 0
template <class X>
inline X finite(X x) {
  return clamp(x, splat<X>(-1000), splat<X>(1000));
}

template <class X>
inline X relu(X x) {
  return max(splat<X>(0), x);
}
template <class X>
inline X relu_slope(X x) {
  return select(x <= splat<X>(0), splat<X>(0), splat<X>(1));
}
template <class X>
inline X relu6(X x) {
  return clamp(x, splat<X>(0), splat<X>(6));
}
template <class X>
inline X relu6_slope(X x) {
  return clamp_slope(x, splat<X>(0), splat<X>(6));
}
template <class X>
inline X leaky_relu(X x, X slope) {
  return select(x > splat<X>(0), x, x * slope);
}
template <class X>
inline X leaky_relu_slope(X x, X slope) {
  return select(x > splat<X>(0), splat<X>(1), slope);
}

// x, or alpha (e^x - 1) below 0
template <class X>
inline X elu(X x, X alpha) {
  return select(x > splat<X>(0), x, alpha * expm1(x));
}
template <class X>
inline X elu_slope(X x, X alpha) {
  return select(x > splat<X>(0), splat<X>(1), alpha * exp(x));
}
// elu with the scale and alpha that keep mean 0 and variance 1 (Klambauer et al. 2017)
template <class X>
inline X selu(X x) {
  return splat<X>(1.0507009873554805) * elu(x, splat<X>(1.6732632423543772));
}
template <class X>
inline X selu_slope(X x) {
  return splat<X>(1.0507009873554805) * elu_slope(x, splat<X>(1.6732632423543772));
}
// elu whose slope is continuous: alpha (e^(x / alpha) - 1) below 0
template <class X>
inline X celu(X x, X alpha) {
  return select(x > splat<X>(0), x, alpha * expm1(x / alpha));
}
template <class X>
inline X celu_slope(X x, X alpha) {
  return select(x > splat<X>(0), splat<X>(1), exp(x / alpha));
}

// sigmoid(x) and sigmoid(-x), neither by subtraction
template <class X>
struct Logistic {
  X on, off;
};
template <class X>
inline Logistic<X> logistic(X x) {
  X one = splat<X>(1), e = exp(-abs(x)), big = one / (one + e), small = e / (one + e);
  auto left = x < splat<X>(0);
  return {select(left, small, big), select(left, big, small)};
}
template <class X>
inline X sigmoid_slope(X y) {
  return y * (splat<X>(1) - y);
}
template <class X>
inline X tanh_slope(X y) {
  return splat<X>(1) - y * y;
}

// x sigmoid(x): 3 ulp for x >= -87, where e^x is not yet denormal
template <class X>
inline X silu(X x) {
  return x * sigmoid(x);
}
// 2.3e-7 absolute
template <class X>
inline X silu_slope(X x) {
  X a = finite(x);
  Logistic<X> s = logistic(a);
  return s.on * fma(a, s.off, splat<X>(1));
}

// 5 ulp everywhere: x Phi(x) = (x + |x|) / 2 - a Phi(-a), a = |x|, Phi(-a) = erfc(a / sqrt 2) / 2: no cancellation on
// either side.
inline V gelu_erf(V x) {
  V b = abs(x), a = min(all(15), b), half = all(0.5f) * a;
  Tail t = tail(a, half, all(0x1.1040cap-2f));
  return fma(all(0.5f), b, all(0.5f) * x) - scale(half * t.q * t.p, t.n);
}
// 1.5e-7 absolute: Phi(x) + x phi(x); of -a it is e^(-a^2/2) (q/2 - a / sqrt(2 pi)), of a 1 minus that
inline V gelu_erf_slope(V x) {
  V a = min(all(15), abs(x)), half = all(0.5f) * a;
  Tail t = tail(a, half, all(0x1.1040cap-2f));
  V s = scale(t.p * fma(a, all(-0x1.988454p-2f), all(0.5f) * t.q), t.n);
  return select(x < all(0), s, all(1) - s);
}
inline Lane<f64> gelu_erf(Lane<f64> x) { return lane(0.5) * x * erfc(x * lane(-0.7071067811865476)); }
inline Lane<f64> gelu_erf_slope(Lane<f64> x) {
  Lane<f64> a = finite(x);
  return lane(0.5) * erfc(a * lane(-0.7071067811865476)) + a * lane(0.3989422804014327) * exp(lane(-0.5) * a * a);
}

// 13 ulp on [-3, 3], 31 on [-5, 5], growing with the rounding error of u to 200 at -10: x/2 (1 + tanh u) = x
// sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3)
template <class X>
inline X gelu_tanh(X x) {
  X u = x * fma(x * x, splat<X>(0.044715 * 1.5957691216057308), splat<X>(1.5957691216057308));
  return x * sigmoid(u);
}
// 2.4e-7 absolute
template <class X>
inline X gelu_tanh_slope(X x) {
  X a = finite(x), s = a * a;
  X u = a * fma(s, splat<X>(0.044715 * 1.5957691216057308), splat<X>(1.5957691216057308));
  X du = fma(s, splat<X>(3 * 0.044715 * 1.5957691216057308), splat<X>(1.5957691216057308));
  Logistic<X> k = logistic(u);
  return k.on * fma(a * du, k.off, splat<X>(1));
}

// clamp(x / 6 + 1/2, 0, 1)
template <class X>
inline X hardsigmoid(X x) {
  return relu6(x + splat<X>(3)) / splat<X>(6);
}
template <class X>
inline X hardsigmoid_slope(X x) {
  return clamp_slope(x, splat<X>(-3), splat<X>(3)) / splat<X>(6);
}
// 2 ulp: x hardsigmoid(x)
template <class X>
inline X hardswish(X x) {
  return x * hardsigmoid(x);
}
template <class X>
inline X hardswish_slope(X x) {
  X three = splat<X>(3), middle = x / three + splat<X>(0.5);
  return select(x < -three, splat<X>(0), select(x > three, splat<X>(1), middle));
}

// 2 ulp: log(1 + e^z) = max(0, z) + log(1 + e^-|z|)
template <class X>
inline X log1pexp(X z) {
  return max(splat<X>(0), z) + log1p(exp(-abs(z)));
}
// log(1 + e^(beta x)) / beta, x itself where beta x > threshold
template <class X>
inline X softplus(X x, X beta, X threshold) {
  X z = x * beta;
  return select(z > threshold, x, log1pexp(z) / beta);
}
template <class X>
inline X softplus_slope(X x, X beta, X threshold) {
  X z = x * beta;
  return select(z > threshold, splat<X>(1), sigmoid(z));
}
template <class X>
inline X logsigmoid(X x) {
  return -log1pexp(-x);
}
template <class X>
inline X logsigmoid_slope(X x) {
  return sigmoid(-x);
}

// 5 ulp for x >= -87. mish = x tanh(softplus(x)). With E = e^x, tanh(log(1 + E)) = E (E + 2) / (E (E + 2) + 2); on the
// right E would overflow, so both are divided by E^2. t = n / (n + m), 1 - t = m / (n + m).
template <class X>
struct Mish {
  X t, rest;
};
template <class X>
inline Mish<X> mish_of(X x) {
  X e = exp(-abs(x)), two = splat<X>(2);
  auto left = x < splat<X>(0);
  X n = select(left, e * (e + two), fma(e, two, splat<X>(1))), m = select(left, two, two * e * e);
  X d = n + m;
  return {n / d, m / d};
}
template <class X>
inline X mish(X x) {
  return x * mish_of(x).t;
}
// 2e-7 absolute: t + x (1 - t^2) sigmoid(x)
template <class X>
inline X mish_slope(X x) {
  X a = finite(x);
  Mish<X> k = mish_of(a);
  return fma(a * sigmoid(a) * k.rest, splat<X>(1) + k.t, k.t);
}

// x / (1 + |x|); 1e30 gives the limit
template <class X>
inline X softsign(X x) {
  X a = clamp(x, splat<X>(-1e30), splat<X>(1e30));
  return a / (splat<X>(1) + abs(a));
}
template <class X>
inline X softsign_slope(X x) {
  X d = splat<X>(1) / (splat<X>(1) + abs(x));
  return d * d;
}
// 2 ulp of x, not of the difference
template <class X>
inline X tanhshrink(X x) {
  return x - tanh(x);
}
template <class X>
inline X tanhshrink_slope(X x) {
  X y = tanh(x);
  return y * y;
}
// 0 within lambda of 0, x beyond
template <class X>
inline X hardshrink(X x, X lambda) {
  return select(abs(x) <= lambda, splat<X>(0), x);
}
// 0 within lambda of 0, lambda nearer to 0 beyond
template <class X>
inline X softshrink(X x, X lambda) {
  return x - clamp(x, -lambda, lambda);
}
// of both
template <class X>
inline X shrink_slope(X x, X lambda) {
  return select(abs(x) <= lambda, splat<X>(0), splat<X>(1));
}

// x above the limit, else value
template <class X>
inline X threshold(X x, X limit, X value) {
  return select(x <= limit, value, x);
}
template <class X>
inline X threshold_slope(X x, X limit, X) {
  return select(x <= limit, splat<X>(0), splat<X>(1));
}

// The rows of one function: y = f(x), dx = dy f'(x), with the numbers p it takes after x. Where the slope is one of y,
// the gradient's last array is y.
#define NABLA_ACTIVATION(name, f, slope)                                                    \
  template <class T, class... P>                                                            \
  void name(Out<T> y, In<T> x, P... p) {                                                    \
    map([=](auto x) { return f(x, splat<decltype(x)>(p)...); }, y, x);                      \
  }                                                                                         \
  template <class T, class... P>                                                            \
  void name##_grad(Out<T> dx, In<T> dy, In<T> x, P... p) {                                  \
    map([=](auto g, auto x) { return g * slope(x, splat<decltype(x)>(p)...); }, dx, dy, x); \
  }
NABLA_ACTIVATION(relu, relu, relu_slope)
NABLA_ACTIVATION(relu6, relu6, relu6_slope)
NABLA_ACTIVATION(leaky_relu, leaky_relu, leaky_relu_slope)
NABLA_ACTIVATION(elu, elu, elu_slope)
NABLA_ACTIVATION(selu, selu, selu_slope)
NABLA_ACTIVATION(celu, celu, celu_slope)
NABLA_ACTIVATION(sigmoid, sigmoid, sigmoid_slope)
NABLA_ACTIVATION(tanh, tanh, tanh_slope)
NABLA_ACTIVATION(silu, silu, silu_slope)
NABLA_ACTIVATION(gelu, gelu_erf, gelu_erf_slope)
NABLA_ACTIVATION(gelu_tanh, gelu_tanh, gelu_tanh_slope)
NABLA_ACTIVATION(mish, mish, mish_slope)
NABLA_ACTIVATION(softplus, softplus, softplus_slope)
NABLA_ACTIVATION(log_sigmoid, logsigmoid, logsigmoid_slope)
NABLA_ACTIVATION(hardtanh, clamp, clamp_slope)
NABLA_ACTIVATION(hardsigmoid, hardsigmoid, hardsigmoid_slope)
NABLA_ACTIVATION(hardswish, hardswish, hardswish_slope)
NABLA_ACTIVATION(softsign, softsign, softsign_slope)
NABLA_ACTIVATION(tanhshrink, tanhshrink, tanhshrink_slope)
NABLA_ACTIVATION(hardshrink, hardshrink, shrink_slope)
NABLA_ACTIVATION(softshrink, softshrink, shrink_slope)
NABLA_ACTIVATION(threshold, threshold, threshold_slope)
#undef NABLA_ACTIVATION

// relu with a weight of its own below 0
template <class T>
void prelu(Out<T> y, In<T> x, In<T> w) {
  map([](auto x, auto w) { return leaky_relu(x, w); }, y, x, w);
}

}  // namespace nabla::NABLA_ISA
