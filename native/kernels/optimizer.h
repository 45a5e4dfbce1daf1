// Optimizers: one step of a parameter w [n] against its gradient g [n], the formulas of torch.optim.
//
// `hyper` is the state of a parameter group, 12 doubles, so that a compiled plan sees a new learning rate:
//    0 lr   1 weight decay   2 maximize (0, 1)   3 eps
//    4 beta1: also momentum (sgd, rmsprop), eta minus (rprop)
//    5 beta2: also alpha (rmsprop), rho (adadelta), eta plus (rprop)
//    6 extra: dampening (sgd), lr decay (adagrad), momentum decay (nadam), smallest step (rprop)
//    7 flag: nesterov (sgd), decoupled weight decay (nadam, radam), largest step (rprop)
//    8 t   9 beta1^t   10 beta2^t   11 mu_1 mu_2 ... mu_t (nadam): written by tick
// `scale`, when given, multiplies the gradient: the clip factor, with no pass of its own.
// A group that is too short (the binding cannot know) leaves everything as it was.
#pragma once
#include "grid.h"

namespace nabla::NABLA_ISA {

struct Hyper {
  f64 lr, weight_decay, maximize, eps, beta1, beta2, extra, flag, t, power1, power2, product;
};
constexpr size_t hyper_words = sizeof(Hyper) / sizeof(f64);

inline f64 nadam_mu(const Hyper& h, f64 t) { return h.beta1 * (1 - 0.5 * std::pow(0.96, t * h.extra)); }

// One more step: t and what follows from it. Runs once a step, before the updates of the group.
template <class T>
void tick(InOut<f64> hyper) {
  if (hyper.n < hyper_words) return;
  Hyper h;
  std::memcpy(&h, hyper.p, sizeof h);
  h.t += 1;
  h.power1 = std::pow(h.beta1, h.t);
  h.power2 = std::pow(h.beta2, h.t);
  h.product = (h.t == 1 ? 1 : h.product) * nadam_mu(h, h.t);
  std::memcpy(hyper.p, &h, sizeof h);
}

// The gradient an optimizer sees: scaled, turned for maximize, and with L2 added where the decay is not decoupled.
template <class X>
struct Pull {
  X factor, decay;
  bool decays;
  Pull(const Hyper& h, In<f64> scale, bool decoupled = false)
      : factor(word<X>((h.maximize != 0 ? -1 : 1) * (scale.n ? scale.p[0] : 1))),
        decay(word<X>(h.weight_decay)),
        decays(!decoupled && h.weight_decay != 0) {}
  X operator()(X g, X w) const {
    g = factor * g;
    return decays ? fma(decay, w, g) : g;
  }
};

template <int W, class F, class T, class... P>
inline void update_lanes(const F& f, const T* g, P*... p) {
  [&](auto x, auto... y) {
    f(x, y...);
    (put<W>(p, y), ...);
  }(get<W>(g), get<W>(p)...);
}
template <int W, class F, class T, class... P>
inline void update_tail(size_t n, const F& f, const T* g, P*... p) {
  [&](auto x, auto... y) {
    f(x, y...);
    (put<W>(p, y, n), ...);
  }(get<W>(g, n), get<W>(p, n)...);
}
// f(g, y&...) over all elements: every y is read, changed and written back. `body` is f again, as a local whose
// constants the compiler may keep in registers.
template <class T, class F, class... Y>
inline void update(const F& f, In<T> g, Y... y) {
  constexpr int W = width<T>;
  spread(g.n, piece, [&](size_t i, size_t end) {
    const F body = f;
    for (; i + W <= end; i += W) update_lanes<W>(body, g.p + i, y.p + i...);
    if (i < end) update_tail<W>(end - i, body, g.p + i, y.p + i...);
  });
}

#define NABLA_HYPER                   \
  Hyper h;                            \
  if (hyper.n < hyper_words) return;  \
  std::memcpy(&h, hyper.p, sizeof h); \
  using X = Word<T>;

// b = momentum b + (1 - dampening) g, b = g in the first step;   w -= lr b, or lr (g + momentum b) with nesterov
template <class T>
void sgd(InOut<T> w, InOut<T> b, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  Pull<X> pull(h, scale);
  X step = word<X>(-h.lr), momentum = word<X>(h.beta1), gain = word<X>(1 - h.extra);
  bool first = h.t <= 1, nesterov = h.flag != 0;
  if (!b.p) return update([=](X g, X& w) { w = fma(step, pull(g, w), w); }, g, w);
  update(
      [=](X g, X& w, X& b) {
        g = pull(g, w);
        b = first ? g : fma(gain, g, momentum * b);
        w = fma(step, nesterov ? fma(momentum, b, g) : b, w);
      },
      g, w, b);
}

// The two running means: m += (1 - beta1)(g - m), v = beta2 v + (1 - beta2) g^2.
template <class X>
struct Means {
  X gain1, beta2, gain2;
  explicit Means(const Hyper& h) : gain1(word<X>(1 - h.beta1)), beta2(word<X>(h.beta2)), gain2(word<X>(1 - h.beta2)) {}
  void first(X g, X& m) const { m = fma(gain1, g - m, m); }
  void second(X g, X& v) const { v = fma(gain2 * g, g, beta2 * v); }
};

// w -= lr m^ / (sqrt v^ + eps) with m^ = m / (1 - beta1^t), v^ = v / (1 - beta2^t); amsgrad puts top = max(top, v) for
// v. Decoupled decay (adamw) is w *= 1 - lr decay before that.
template <bool decoupled, class T>
inline void adam_step(InOut<T> w, InOut<T> m, InOut<T> v, InOut<T> top, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  Pull<X> pull(h, scale, decoupled);
  Means<X> means(h);
  X step = word<X>(-h.lr / (1 - h.power1)), root = word<X>(1 / std::sqrt(1 - h.power2)), eps = word<X>(h.eps);
  X shrink = word<X>(1 - h.lr * h.weight_decay);
  auto means_of = [=](X g, X& w, X& m, X& v) {
    g = pull(g, w);
    if constexpr (decoupled) w = shrink * w;
    means.first(g, m);
    means.second(g, v);
  };
  if (top.p)
    update(
        [=](X g, X& w, X& m, X& v, X& top) {
          means_of(g, w, m, v);
          top = max(top, v);
          w = fma(step, m / fma(root, sqrt(top), eps), w);
        },
        g, w, m, v, top);
  else
    update(
        [=](X g, X& w, X& m, X& v) {
          means_of(g, w, m, v);
          w = fma(step, m / fma(root, sqrt(v), eps), w);
        },
        g, w, m, v);
}
template <class T>
void adam(InOut<T> w, InOut<T> m, InOut<T> v, InOut<T> top, In<T> g, In<f64> hyper, In<f64> scale) {
  adam_step<false>(w, m, v, top, g, hyper, scale);
}
template <class T>
void adamw(InOut<T> w, InOut<T> m, InOut<T> v, InOut<T> top, In<T> g, In<f64> hyper, In<f64> scale) {
  adam_step<true>(w, m, v, top, g, hyper, scale);
}

// v = alpha v + (1 - alpha) g^2;   d = g / (sqrt v + eps), with `mean` (centered) sqrt(v - mean^2), which rounding may
// not take below 0;   w -= lr d, or with a buffer b = momentum b + d, w -= lr b
template <class T>
void rmsprop(InOut<T> w, InOut<T> v, InOut<T> mean, InOut<T> b, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  Pull<X> pull(h, scale);
  Means<X> means(h);
  X step = word<X>(-h.lr), momentum = word<X>(h.beta1), gain = word<X>(1 - h.beta2), eps = word<X>(h.eps),
    zero = word<X>(0);
  auto plain = [=](X g, X& v) {
    means.second(g, v);
    return g / (sqrt(v) + eps);
  };
  auto centered = [=](X g, X& v, X& mean) {
    means.second(g, v);
    mean = fma(gain, g - mean, mean);
    return g / (sqrt(max(zero, fma(-mean, mean, v))) + eps);
  };
  auto move = [=](X d, X& w) { w = fma(step, d, w); };
  auto roll = [=](X d, X& w, X& b) {
    b = fma(momentum, b, d);
    w = fma(step, b, w);
  };
  if (mean.p && b.p)
    update([=](X g, X& w, X& v, X& mean, X& b) { roll(centered(pull(g, w), v, mean), w, b); }, g, w, v, mean, b);
  else if (mean.p)
    update([=](X g, X& w, X& v, X& mean) { move(centered(pull(g, w), v, mean), w); }, g, w, v, mean);
  else if (b.p)
    update([=](X g, X& w, X& v, X& b) { roll(plain(pull(g, w), v), w, b); }, g, w, v, b);
  else
    update([=](X g, X& w, X& v) { move(plain(pull(g, w), v), w); }, g, w, v);
}

// v += g^2;   w -= lr / (1 + (t - 1) decay) g / (sqrt v + eps)
template <class T>
void adagrad(InOut<T> w, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  Pull<X> pull(h, scale);
  X step = word<X>(-h.lr / (1 + (h.t - 1) * h.extra)), eps = word<X>(h.eps);
  update(
      [=](X g, X& w, X& v) {
        g = pull(g, w);
        v = fma(g, g, v);
        w = fma(step, g / (sqrt(v) + eps), w);
      },
      g, w, v);
}

// v = rho v + (1 - rho) g^2;   d = g sqrt(u + eps) / sqrt(v + eps);   u = rho u + (1 - rho) d^2;   w -= lr d
template <class T>
void adadelta(InOut<T> w, InOut<T> v, InOut<T> u, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  Pull<X> pull(h, scale);
  Means<X> means(h);
  X step = word<X>(-h.lr), eps = word<X>(h.eps);
  update(
      [=](X g, X& w, X& v, X& u) {
        g = pull(g, w);
        means.second(g, v);
        X d = sqrt(u + eps) / sqrt(v + eps) * g;
        means.second(d, u);
        w = fma(step, d, w);
      },
      g, w, v, u);
}

// m as in adam;   u = max(beta2 u, |g| + eps);   w -= lr / (1 - beta1^t) m / u
template <class T>
void adamax(InOut<T> w, InOut<T> m, InOut<T> u, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  Pull<X> pull(h, scale);
  Means<X> means(h);
  X step = word<X>(-h.lr / (1 - h.power1)), eps = word<X>(h.eps);
  update(
      [=](X g, X& w, X& m, X& u) {
        g = pull(g, w);
        means.first(g, m);
        u = max(means.beta2 * u, abs(g) + eps);
        w = fma(step, m / u, w);
      },
      g, w, m, u);
}

// mu_t = beta1 (1 - 0.96^(t psi) / 2);   w -= lr ((1 - mu_t) / (1 - prod mu_1..t) g + mu_t+1 / (1 - prod mu_1..t+1) m)
// / (sqrt v^ + eps)
template <class T>
void nadam(InOut<T> w, InOut<T> m, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  bool decoupled = h.flag != 0;
  Pull<X> pull(h, scale, decoupled);
  Means<X> means(h);
  f64 next = nadam_mu(h, h.t + 1);
  X of_g = word<X>(-h.lr * (1 - nadam_mu(h, h.t)) / (1 - h.product)),
    of_m = word<X>(-h.lr * next / (1 - h.product * next));
  X root = word<X>(1 / std::sqrt(1 - h.power2)), eps = word<X>(h.eps);
  X shrink = word<X>(decoupled ? 1 - h.lr * h.weight_decay : 1);
  update(
      [=](X g, X& w, X& m, X& v) {
        g = pull(g, w);
        means.first(g, m);
        means.second(g, v);
        w = fma(shrink, w, fma(of_m, m, of_g * g) / fma(root, sqrt(v), eps));
      },
      g, w, m, v);
}

// rho_inf = 2 / (1 - beta2) - 1, rho = rho_inf - 2 t beta2^t / (1 - beta2^t). Above 5 the variance of the step is known
// and w -= lr r m^ sqrt(1 - beta2^t) / (sqrt v + eps), r^2 = (rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2)
// rho); else w -= lr m^
template <class T>
void radam(InOut<T> w, InOut<T> m, InOut<T> v, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  bool decoupled = h.flag != 0;
  Pull<X> pull(h, scale, decoupled);
  Means<X> means(h);
  f64 limit = 2 / (1 - h.beta2) - 1, rho = limit - 2 * h.t * h.power2 / (1 - h.power2), rate = -h.lr / (1 - h.power1);
  bool known = rho > 5;
  if (known) rate *= std::sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho) * (1 - h.power2));
  X step = word<X>(rate), eps = word<X>(h.eps), shrink = word<X>(decoupled ? 1 - h.lr * h.weight_decay : 1);
  update(
      [=](X g, X& w, X& m, X& v) {
        g = pull(g, w);
        means.first(g, m);
        means.second(g, v);
        w = fma(step, known ? m / (sqrt(v) + eps) : m, shrink * w);
      },
      g, w, m, v);
}

// -1, 0, 1 or NaN
template <class X>
inline X direction(X x) {
  return select(x > word<X>(0), word<X>(1), select(x < word<X>(0), word<X>(-1), x));
}

// Lion (Chen et al. 2023): w = (1 - lr decay) w - lr sign(beta1 m + (1 - beta1) g);   m = beta2 m + (1 - beta2) g
template <class T>
void lion(InOut<T> w, InOut<T> m, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  Pull<X> pull(h, scale, true);
  X step = word<X>(-h.lr), shrink = word<X>(1 - h.lr * h.weight_decay);
  X beta1 = word<X>(h.beta1), gain1 = word<X>(1 - h.beta1), beta2 = word<X>(h.beta2), gain2 = word<X>(1 - h.beta2);
  update(
      [=](X g, X& w, X& m) {
        g = pull(g, w);
        w = fma(step, direction(fma(gain1, g, beta1 * m)), shrink * w);
        m = fma(gain2, g, beta2 * m);
      },
      g, w, m);
}

// s = clamp(s eta), eta plus where g keeps the sign of the last g, eta minus where it turned (and g counts as 0 then),
// s = lr in the first step;   w -= s sign(g)
template <class T>
void rprop(InOut<T> w, InOut<T> last, InOut<T> s, In<T> g, In<f64> hyper, In<f64> scale) {
  NABLA_HYPER
  Pull<X> pull(h, scale, true);
  X one = word<X>(1), zero = word<X>(0), lr = word<X>(h.lr);
  X minus = word<X>(h.beta1), plus = word<X>(h.beta2), low = word<X>(h.extra), high = word<X>(h.flag);
  bool first = h.t <= 1;
  update(
      [=](X g, X& w, X& last, X& s) {
        g = pull(g, w);
        X turn = first ? zero : direction(g) * direction(last);
        s = (first ? lr : s) * select(turn > zero, plus, select(turn < zero, minus, one));
        s = min(high, max(low, s));
        g = select(turn < zero, zero, g);
        w = fma(-direction(g), s, w);
        last = g;
      },
      g, w, last, s);
}
#undef NABLA_HYPER

}  // namespace nabla::NABLA_ISA
