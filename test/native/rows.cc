// Every row of the kernel table on generated input, on every instruction set of the machine that runs this:
//   row dtype isa hash
// The same numbers everywhere, so that the hashes of two machines can be compared. NaNs count as one.
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "../../native/args.h"
#include "../../native/pool.h"

namespace nabla {
namespace {

// Uniform in [0, 1), mulberry32.
struct Random {
  u32 state;
  f64 next() {
    u32 t = state += 0x6d2b79f5;
    t = (t ^ t >> 15) * (1 | t);
    t = (t + (t ^ t >> 7) * (61 | t)) ^ t;
    return (t ^ t >> 14) / 4294967296.0;
  }
  size_t below(size_t n) { return size_t(next() * f64(n)); }
};

constexpr size_t bytes_of[] = {4, 8, 4, 1, 1, 2, 1};

struct Buffer {
  Type type;
  size_t length;
  std::vector<char> bytes;
  Buffer(Type type, size_t length) : type(type), length(length), bytes(length * bytes_of[int(type)]) {}
  char* data() { return bytes.data(); }
  void set(size_t i, f64 x) {
    char* p = data() + i * bytes_of[int(type)];
    const f32 f = f32(x);
    const i32 w = type == Type::i32 ? i32(x) : 0;
    const u8 b = type == Type::u8 || type == Type::b8 ? u8(x) : type == Type::i8 ? u8(i8(x)) : 0;
    u32 half = 0;
    std::memcpy(&half, &f, 4);
    half >>= 16;
    if (type == Type::f32) std::memcpy(p, &f, 4);
    if (type == Type::f64) std::memcpy(p, &x, 8);
    if (type == Type::i32) std::memcpy(p, &w, 4);
    if (type == Type::u8 || type == Type::b8 || type == Type::i8) std::memcpy(p, &b, 1);
    if (type == Type::bf16) std::memcpy(p, &half, 2);
  }
};

constexpr f64 odd[] = {0,
                       -0.0,
                       1,
                       -1,
                       0.5,
                       1e-40,
                       -1e-40,
                       1e-45,
                       1e30,
                       -1e30,
                       3.4e38,
                       -3.4e38,
                       88.5,
                       -103.9,
                       1e-20,
                       65504.5,
                       __builtin_nan(""),
                       __builtin_inf(),
                       -__builtin_inf()};
constexpr f64 whole[] = {0, 1, -1, 2, 2147483647, -2147483648.0, 65536, -7};

// Ordinary numbers, numbers over all exponents, and the special ones.
f64 wild(Type type, Random& r) {
  const f64 kind = r.next(), ordinary = (r.next() - 0.5) * 8;
  if (type == Type::b8) return kind < 0.5 ? 0 : 1;
  if (type == Type::u8) return f64(r.below(256));
  if (type == Type::i8) return f64(r.below(256)) - 128;
  if (type == Type::i32)
    return kind < 0.3 ? whole[r.below(8)] : f64(i64((r.next() - 0.5) * (kind < 0.6 ? 20.0 : 4294967295.0)));
  if (kind < 0.5) return ordinary;
  return kind < 0.8 ? __builtin_ldexp(ordinary, int(r.below(80)) - 40) : odd[r.below(19)];
}

// The letters of a row in the order of its words.
std::string letters_of(const RowInfo& row) {
  std::string out;
  for (const char* s = row.shapes; *s; s++)
    if (*s != ' ' && *s != '?' && out.find(*s) == std::string::npos) out += *s;
  return out;
}

struct Call {
  std::vector<f64> words;
  std::vector<Buffer> buffers;
  std::vector<bool> absent;
};

void push_steps(std::vector<f64>& words, const Param& p, const std::vector<size_t>& extent) {
  for (int i = 0; i < p.rank; i++) {
    f64 step = 1;
    for (int j = i + 1; j < p.rank; j++) step *= f64(extent[p.letter[j]]);
    words.push_back(step);
  }
}

// Contiguous arrays of random extents. Indices lie in the smallest extent there is; letters h, s and z are fixed by
// their kernels: hyper-parameters, the state of the random numbers, one result.
Call make_call(const RowInfo& row, u32 seed) {
  constexpr size_t sizes[] = {0, 1, 2, 3, 5, 8, 16, 17, 33};
  constexpr size_t lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 257, 4099};
  Random r{seed};
  Call call;
  const bool map = row.driver == Driver::Map;
  const std::string letters = letters_of(row);
  std::vector<size_t> extent;
  size_t least = size_t(1) << 20;
  for (char l : letters) {
    const bool fixed = !map && (l == 'h' || l == 's' || l == 'z');
    extent.push_back(map ? lengths[seed % 16] : l == 'h' ? 12 : l == 's' ? 4 : l == 'z' ? 1 : sizes[r.below(9)]);
    if (!fixed && extent.back() < least) least = extent.back();
  }
  if (least == 0) least = 1;
  if (map)
    call.words = {1, f64(extent[0])};
  else
    call.words.assign(extent.begin(), extent.end());
  for (int a = 0; a < row.arrays; a++) {
    const Param& p = row.param[a];
    const bool none = p.optional && r.next() < 0.4;
    size_t n = map ? extent[0] : 1;
    for (int i = 0; !map && i < p.rank; i++) n *= extent[p.letter[i]];
    call.absent.push_back(none);
    Buffer& b = call.buffers.emplace_back(p.type, none ? 0 : n);
    if (none) continue;
    call.words.push_back(0);
    if (map)
      call.words.push_back(1);
    else if (p.form == Form::strided)
      push_steps(call.words, p, extent);
    if (!p.reads) continue;
    const bool index = !map && p.type == Type::i32 && row.type != Type::i32;
    const bool hyper = !map && p.rank == 1 && letters[p.letter[0]] == 'h';
    for (size_t i = 0; i < n; i++) b.set(i, index ? f64(r.below(least)) : hyper ? r.next() : wild(p.type, r));
  }
  for (int i = 0; i < row.scalars; i++) call.words.push_back(row.param[row.arrays + i].whole ? 1 + i : 0.25 + 0.5 * i);
  return call;
}

struct Hash {
  uint64_t value = 0xcbf29ce484222325u;
  void add(const void* p, size_t n) {
    for (size_t i = 0; i < n; i++) value = (value ^ static_cast<const u8*>(p)[i]) * 0x100000001b3u;
  }
  template <class T>
  void add_float(const char* p, size_t n) {
    for (size_t i = 0; i < n; i++) {
      T x;
      std::memcpy(&x, p + i * sizeof(T), sizeof(T));
      if (x != x) x = T(__builtin_nan(""));
      if (x != x)
        add("nan", 3);
      else
        add(&x, sizeof x);
    }
  }
  void add(Buffer& b) {
    if (b.type == Type::f32)
      add_float<f32>(b.data(), b.length);
    else if (b.type == Type::f64)
      add_float<f64>(b.data(), b.length);
    else
      add(b.data(), b.length * bytes_of[int(b.type)]);
  }
};

void run_call(unsigned id, const Table& table, Call call, Hash& hash) {
  const RowInfo& row = row_info(id);
  Array arrays[max_arrays];
  for (int a = 0; a < row.arrays; a++) {
    arrays[a] = no_array;
    arrays[a].absent = call.absent[size_t(a)];
    if (arrays[a].absent) continue;
    Buffer& b = call.buffers[size_t(a)];
    arrays[a].p = b.data();
    arrays[a].length = b.length;
    arrays[a].type = b.type;
  }
  Reach reach[max_arrays];
  try {
    run(bind(id, table, arrays, call.words.data(), call.words.size(), reach));
  } catch (const Reject& e) {
    return hash.add(e.code, std::strlen(e.code));
  }
  for (int a = 0; a < row.arrays; a++)
    if (row.param[a].writes && !call.absent[size_t(a)]) hash.add(call.buffers[size_t(a)]);
}

// Products big enough for every way to multiply: in place, packed, turned, deeper than one block.
void run_products(const Table& table, Hash& hash) {
  constexpr struct {
    size_t m, n, k;
  } shapes[] = {{1, 70, 300}, {5, 130, 90}, {33, 10, 200}, {70, 12, 130}, {130, 75, 66}, {261, 70, 300}, {3, 20, 4100}};
  constexpr unsigned id = matmul_f32;
  for (const auto& [m, n, k] : shapes) {
    for (int turned = 0; turned < 4; turned++) {
      Random r{u32(m + 1000 * n)};
      Call call{{1, 1, f64(m), f64(n), f64(k)}, {}, {}};
      auto matrix = [&](size_t rows, size_t cols, bool columns) {
        call.words.insert(call.words.end(), {0, 0, 0, columns ? 1 : f64(cols), columns ? f64(rows) : 1});
        call.buffers.emplace_back(Type::f32, rows * cols);
        for (size_t i = 0; i < rows * cols; i++) call.buffers.back().set(i, r.next() - 0.5);
      };
      matrix(m, n, false);
      matrix(m, k, turned & 1);
      matrix(k, n, turned & 2);
      for (int i = 0; i < 3; i++) call.buffers.emplace_back(Type::f32, 0);
      call.absent = {false, false, false, true, true, true};
      call.words.push_back(0);
      run_call(id, table, call, hash);
    }
  }
}

}  // namespace
}  // namespace nabla

int main() {
  using namespace nabla;
  const Table* table[max_tables];
  const int count = tables(table);
  pool_acquire();
  for (unsigned id = 0; id < row_count; id++) {
    if (!std::strcmp(row_info(id).name, "peak")) continue;  // counts what the registers of its machine can do
    for (int t = 0; t < count; t++) {
      Hash hash;
      for (u32 seed = 1; seed <= 48; seed++) run_call(id, *table[t], make_call(row_info(id), seed), hash);
      if (id == matmul_f32) run_products(*table[t], hash);
      std::printf("%s %s %s %016llx\n", row_info(id).name, type_name(row_info(id).type), table[t]->isa,
                  static_cast<unsigned long long>(hash.value));
    }
  }
  pool_release();
}
