// Order along the middle axis of [a, n, b]. An element becomes an unsigned key of the same order, NaN above everything
// and -0 equal to 0, beside its position; sorting those is stable and never compares floats.
#pragma once
#include "grid.h"

namespace nabla::NABLA_ISA {

template <class K>
struct Entry {
  K key;
  i32 at;
};

// Bits of a float as a number of the same order: B all bits without the sign, Z the sign bit.
template <class K>
inline K ordered(K bits, K infinity) {
  constexpr K Z = K(1) << (8 * sizeof(K) - 1), B = K(~Z);
  K key = bits & Z ? K(~bits) : bits | Z;
  key = (bits & B) == 0 ? Z : key;
  return (bits & B) > infinity ? K(~K(0)) : key;
}
inline u32 key_of(f32 x) { return ordered(__builtin_bit_cast(u32, x), u32(0x7f800000)); }
inline uint64_t key_of(f64 x) { return ordered(__builtin_bit_cast(uint64_t, x), uint64_t(0x7ff) << 52); }
inline u32 key_of(i32 x) { return u32(x) ^ u32(1) << 31; }
inline u32 key_of(u8 x) { return x; }
inline u32 key_of(b8 x) { return u32(x); }

template <class K>
inline void insertion_sort(Entry<K>* e, size_t n) {
  for (size_t i = 1; i < n; i++) {
    Entry<K> x = e[i];
    size_t j = i;
    for (; j > 0 && e[j - 1].key > x.key; j--) e[j] = e[j - 1];
    e[j] = x;
  }
}

// Stable; `spare` is as large as e. By bytes of the key from the lowest, passing over bytes that are all equal.
template <class K>
inline void sort_entries(Entry<K>* e, Entry<K>* spare, size_t n) {
  if (n <= 64) return insertion_sort(e, n);
  constexpr int digits = sizeof(K);
  u32 count[digits][256] = {};
  for (size_t i = 0; i < n; i++)
    for (int d = 0; d < digits; d++) count[d][e[i].key >> (8 * d) & 255]++;
  Entry<K>* from = e;
  for (int d = 0; d < digits; d++) {
    if (count[d][from[0].key >> (8 * d) & 255] == n) continue;
    u32 start = 0;
    for (u32& c : count[d]) {
      u32 here = c;
      c = start;
      start += here;
    }
    for (size_t i = 0; i < n; i++) spare[count[d][from[i].key >> (8 * d) & 255]++] = from[i];
    Entry<K>* other = from;
    from = spare;
    spare = other;
  }
  if (from != e) std::memcpy(e, from, n * sizeof *e);
}

// The k first entries of one slice, sorted, at e. Candidates gather until the block is full; sorting it leaves the best
// k, and from then on only keys below the worst of them enter: an equal key further on comes after k others. k = n is a
// plain sort.
template <class T, class K>
inline void first_entries(const T* x, ptrdiff_t step, size_t n, size_t k, K flip, Entry<K>* e, size_t block) {
  size_t m = 0;
  K bar = 0;
  bool full = false;
  for (size_t j = 0; j < n; j++) {
    K key = key_of(x[ptrdiff_t(j) * step]) ^ flip;
    if (full && key >= bar) continue;
    e[m++] = {key, i32(j)};
    if (m < block || j + 1 == n) continue;
    sort_entries(e, e + block, m);
    m = k;
    bar = e[k - 1].key;
    full = true;
  }
  sort_entries(e, e + block, m);
}

// The k first of every slice, to values and indices [a, k, b], either of which may be absent. Equal elements keep their
// order.
template <class T>
inline void first_along(Out<T> values, Out<i32> indices, const Strided<In<T>, 3>& x, size_t k, bool descending) {
  using K = decltype(key_of(T()));
  const size_t n = x.extent[1], b = x.extent[2];
  if (k > n) k = n;
  if (k == 0) return;
  const size_t enough = 2 * k < 64 ? 64 : 2 * k, block = enough < n ? enough : n;
  spread_rows(x.extent[0] * b, n, [&](size_t begin, size_t end) {
    auto* e = static_cast<Entry<K>*>(scratch(2 * block * sizeof(Entry<K>), 1));
    for (size_t slice = begin; slice < end; slice++) {
      const size_t i = slice / b, l = slice % b;
      const T* from = x.p + ptrdiff_t(i) * x.step[0] + ptrdiff_t(l) * x.step[2];
      first_entries(from, x.step[1], n, k, descending ? K(~K(0)) : K(0), e, block);
      for (size_t r = 0; r < k; r++) {
        const size_t to = (i * k + r) * b + l;
        if (indices.p) indices.p[to] = e[r].at;
        if (values.p) values.p[to] = from[ptrdiff_t(e[r].at) * x.step[1]];
      }
    }
  });
}

// As torch.sort(stable=True): NaN is the greatest.
template <class T>
void sort(Out<T> values, Out<i32> indices, Strided<In<T>, 3> x, u32 descending) {
  first_along(values, indices, x, x.extent[1], descending != 0);
}

// The k <= n largest or smallest, sorted; of equal elements the first.
template <class T>
void topk(Out<T> values, Out<i32> indices, Strided<In<T>, 3> x, u32 largest) {
  const size_t slices = x.extent[0] * x.extent[2];
  if (slices == 0) return;
  first_along(values, indices, x, (values.p ? values.n : indices.n) / slices, largest != 0);
}

// y[r, c] = how many elements of the sorted row r are < x[r, c], or <= with `right`; of a NaN: all of them.
template <class T>
void searchsorted(Out<i32> y, Rows<In<T>> sorted, Rows<In<T>> x, u32 right) {
  spread_rows(x.rows, x.cols * 16, [&](size_t begin, size_t end) {
    for (size_t i = begin * x.cols; i < end * x.cols; i++) {
      const T* row = sorted.p + i / x.cols * sorted.cols;
      const T value = x.p[i];
      size_t low = 0, high = sorted.cols;
      while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = right ? !(row[middle] > value) : !(row[middle] >= value);
        if (before)
          low = middle + 1;
        else
          high = middle;
      }
      y.p[i] = i32(low);
    }
  });
}

}  // namespace nabla::NABLA_ISA
