// What each row of the table takes, from its C++ signature and its line in ops.def.
#include <cstring>
#include <type_traits>
#include <utility>

#include "args.h"

namespace nabla {
namespace {

template <class T>
constexpr Type type_of = Type::none;
template <>
constexpr Type type_of<f32> = Type::f32;
template <>
constexpr Type type_of<f64> = Type::f64;
template <>
constexpr Type type_of<i32> = Type::i32;
template <>
constexpr Type type_of<u8> = Type::u8;
template <>
constexpr Type type_of<b8> = Type::b8;
template <>
constexpr Type type_of<bf16> = Type::bf16;
template <>
constexpr Type type_of<i8> = Type::i8;
template <class T>
constexpr Type type_of<const T> = type_of<T>;

// How a C++ parameter is described and how it is made from an operand.
template <class P>
struct As {  // scalars: f32 f64 i32 u32
  static constexpr Form form = Form::scalar;
  static constexpr Type type = Type::none;
  static constexpr bool reads = false, writes = false;
  static constexpr bool whole = std::is_integral_v<P>;
  static P make(const Bound& call, char* const*, int, int scalar, size_t, size_t) {
    if constexpr (whole)
      return P(i64(call.scalar[scalar]));
    else
      return P(call.scalar[scalar]);
  }
};
template <class A>
struct Flat {
  static constexpr bool whole = false;
  static constexpr Form form = Form::flat;
  using T = typename A::type;
  static constexpr Type type = type_of<T>;
  // Map: the tile. Rows: the rows [begin, begin + count) of an array led by the row letter, else all of it.
  static A make(const Bound& call, char* const* p, int array, int, size_t, size_t count) {
    const Operand& o = call.operand[array];
    bool all = call.row->driver == Driver::Call || (call.row->driver == Driver::Rows && o.step[0] == 0);
    return A{reinterpret_cast<T*>(p[array]),
             all ? o.extent[0] : count * (call.row->driver == Driver::Rows ? o.extent[1] : 1)};
  }
};
template <class T>
struct As<In<T>> : Flat<In<T>> {
  static constexpr bool reads = true, writes = false;
};
template <class T>
struct As<Out<T>> : Flat<Out<T>> {
  static constexpr bool reads = false, writes = true;
};
template <class T>
struct As<InOut<T>> : Flat<InOut<T>> {
  static constexpr bool reads = true, writes = true;
};
template <class A>
struct As<nabla::Rows<A>> {
  static constexpr bool whole = false;
  static constexpr Form form = Form::rows;
  using T = typename A::type;
  static constexpr Type type = type_of<T>;
  static constexpr bool reads = As<A>::reads, writes = As<A>::writes;
  static nabla::Rows<A> make(const Bound& call, char* const* p, int array, int, size_t, size_t count) {
    const Operand& o = call.operand[array];
    return {reinterpret_cast<T*>(p[array]), call.row->driver == Driver::Rows ? count : o.extent[0], o.extent[1]};
  }
};
template <class A, int R>
struct As<Strided<A, R>> {
  static constexpr bool whole = false;
  static constexpr Form form = Form::strided;
  using T = typename A::type;
  static constexpr Type type = type_of<T>;
  static constexpr bool reads = As<A>::reads, writes = As<A>::writes;
  static Strided<A, R> make(const Bound& call, char* const* p, int array, int, size_t, size_t) {
    const Operand& o = call.operand[array];
    Strided<A, R> s;
    s.p = reinterpret_cast<T*>(p[array]);
    for (int i = 0; i < R; i++) s.extent[i] = o.extent[i], s.step[i] = o.step[i];
    return s;
  }
};

template <class S>
struct Signature;
template <class... P>
struct Signature<void(P...)> {
  static constexpr bool array[sizeof...(P)] = {As<P>::form != Form::scalar...};
  // parameter i is array number `at(i, true)` or scalar number `at(i, false)`
  static constexpr int at(size_t i, bool arrays) {
    int n = 0;
    for (size_t j = 0; j < i; j++) n += array[j] == arrays;
    return n;
  }
  template <size_t... i>
  static void call(std::index_sequence<i...>, const Bound& c, char* const* p, size_t begin, size_t count) {
    reinterpret_cast<void (*)(P...)>(c.kernel)(As<P>::make(c, p, at(i, true), at(i, false), begin, count)...);
  }
  static void invoke(const Bound& c, char* const* p, size_t begin, size_t count) {
    call(std::index_sequence_for<P...>{}, c, p, begin, count);
  }
  static void describe(RowInfo& r) {
    int i = 0;
    ((r.param[i].form = As<P>::form, r.param[i].type = As<P>::type, r.param[i].reads = As<P>::reads,
      r.param[i].writes = As<P>::writes, r.param[i].whole = As<P>::whole, i++),
     ...);
    r.arrays = at(sizeof...(P), true);
    r.scalars = at(sizeof...(P), false);
    static_assert(at(sizeof...(P), true) <= max_arrays && at(sizeof...(P), false) <= max_scalars);
    r.invoke = &invoke;
  }
};

// The words of `shapes`, one an array parameter, into letters; the names of `params` into Param::name.
void parse(RowInfo& r) {
  char letters[max_rank * 2] = {};
  const char* s = r.shapes;
  for (int i = 0; i < r.arrays; i++) {
    Param& p = r.param[i];
    for (; *s && *s != ' '; s++) {
      if (*s == '?') {
        p.optional = true;
        continue;
      }
      const char* known = std::strchr(letters, *s);
      int at = known && *known ? int(known - letters) : r.letters;
      if (at == r.letters) letters[r.letters++] = *s;
      p.letter[p.rank++] = u8(at);
    }
    while (*s == ' ') s++;
  }
  // "(Out<T> y, In<T> a, f32 lr)": a name is the word before a comma or the closing bracket outside <>.
  int depth = 0, i = 0;
  const char* word = r.params;
  for (const char* c = r.params;; c++) {
    if (*c == '<') depth++;
    if (*c == '>') depth--;
    if (*c == ' ') word = c + 1;
    if ((*c == ',' && depth == 0) || *c == ')') {
      std::strncpy(r.param[i].name, word, size_t(c - word) < 23 ? size_t(c - word) : 23);
      i++;
      if (*c == ')') break;
    }
  }
}

// What the table says of a row, and what its signature does. A list and a loop: as one function of 500 inlined rows it
// took Clang more than 5 minutes.
struct Entry {
  const char *op, *types, *driver, *shapes, *params;
  Type type;
  Driver by;
  void (*describe)(RowInfo&);
};
constexpr Entry entries[] = {
#define NABLA_ENTRY(T, op, types, driver, shapes, params) \
  {#op, types, #driver, shapes, params, type_of<T>, Driver::driver, &Signature<signature::op<T>>::describe},
#define OP(name, types, driver, shapes, params) NABLA_##types(NABLA_ENTRY, name, #types, driver, shapes, #params)
#include "ops.def"
#undef OP
#undef NABLA_ENTRY
};

struct Rowset {
  RowInfo rows[row_count];
  Rowset() {
    for (unsigned i = 0; i < row_count; i++) {
      const Entry& e = entries[i];
      rows[i] = RowInfo{e.op, e.types, e.driver, e.shapes, e.params, e.type, e.by, 0, 0, 0, {}, nullptr};
      e.describe(rows[i]);
      parse(rows[i]);
    }
  }
};
const Rowset& rowset() {
  static const Rowset set;
  return set;
}

}  // namespace

const RowInfo& row_info(unsigned row) { return rowset().rows[row]; }

const char* type_name(Type t) {
  constexpr const char* names[] = {"f32", "f64", "i32", "u8", "bool", "bf16", "i8", "none"};
  return names[int(t)];
}

}  // namespace nabla
