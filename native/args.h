// A call of a row before it becomes a C++ call: arrays and words from JavaScript or from a program, decoded by the
// row's signature and checked here, once, against every extent. After check() nothing can reach outside its array.
#pragma once
#include <stdexcept>
#include <string>

#include "kernels.h"

namespace nabla {

// The one exception of the native side; the binding turns it into a JavaScript error with this code.
struct Reject : std::runtime_error {
  const char* code;
  Reject(const char* code, const std::string& text) : std::runtime_error(text), code(code) {}
};

enum class Type : u8 { f32, f64, i32, u8, b8, bf16, i8, none };
enum class Form : u8 { scalar, flat, rows, strided };
enum class Driver : u8 { Map, Rows, Call };

constexpr int max_arrays = 12;   // array parameters of a row
constexpr int max_scalars = 12;  // scalar parameters of a row
constexpr int max_rank = 8;      // axes of a Map call after merging, letters of a word

// One parameter of a row, known before any call.
struct Param {
  Form form = Form::scalar;
  Type type = Type::none;
  bool whole = false;  // an integer scalar
  bool reads = false;
  bool writes = false;
  bool optional = false;
  u8 rank = 0;
  u8 letter[max_rank] = {};  // index into RowInfo::letters
  char name[24] = {};
};

// An array argument as handed over: not yet trusted.
struct Array {
  void* p;
  size_t length;  // elements
  Type type;
  bool absent;
  bool number;  // a constant instead of an array; inputs of Map rows only
  f64 value;
};
constexpr Array no_array{nullptr, 0, Type::none, false, false, 0};

// An array argument after the checks. step is in elements.
struct Operand {
  char* p;
  u8 bytes;     // of one element
  bool direct;  // Map: element i of the iteration is element i of the array; Rows and Call: always
  bool number;
  bool local;  // program: a tile of the running thread; p is its offset in bytes
  f64 value;
  size_t extent[max_rank];
  ptrdiff_t step[max_rank];
};

struct RowInfo;
// A decoded call: plain data, so a program can keep it.
struct Bound {
  const RowInfo* row;
  Kernel kernel;
  Kernel turn;   // of a copy: its row `turn`; else null
  int rank;      // Map: axes of the iteration
  size_t total;  // Map: elements; Rows: rows; Call: the first extent
  size_t width;  // Rows: elements of the widest operand in one row
  size_t extent[max_rank];
  Operand operand[max_arrays];
  f64 scalar[max_scalars];
};

// Calls the kernel with operands narrowed to [begin, begin + count): elements of a tile at p[] for Map, rows for Rows.
using Invoke = void (*)(const Bound& call, char* const* p, size_t begin, size_t count);

struct RowInfo {
  const char* name;
  const char* types;
  const char* driver_name;
  const char* shapes;
  const char* params;
  Type type;
  Driver driver;
  int arrays = 0, scalars = 0;
  int letters = 0;
  Param param[max_arrays + max_scalars];
  Invoke invoke;
};

const RowInfo& row_info(unsigned row);
const char* type_name(Type t);
// By Type.
constexpr u8 bytes_of[] = {4, 8, 4, 1, 1, 2, 1};

// The bytes an operand may touch; step and writes are for whoever keeps several.
struct Reach {
  const char *begin, *end;
  size_t step;
  bool writes;
};

// Words of a call: Map: rank, extents, then for each array its offset and steps; Rows and Call: one extent a letter,
// then for each array its offset and, where strided, its steps; scalars last. An absent array or a number takes no
// words. reach: room for the row's arrays.
Bound bind(unsigned row, const Table& table, const Array* arrays, const f64* words, size_t count, Reach* reach);
void run(const Bound& call);  // drive.cc
// Map and Rows steps over the same elements, run tile after tile, so that what one writes the next reads from L1.
void run_tiled(const Bound* steps, size_t count, size_t tile);
// Call steps that touch nothing another of them writes, shared among the threads.
void run_apart(const Bound* steps, size_t count);

// Tiles of one thread: a group's values that never reach memory, and copies of its strided operands.
constexpr size_t tile_bytes = 8192;
constexpr size_t tile_elements = tile_bytes / 8;
// 64 Ki elements a task when every operand is walked straight; strided operands are brought together in tiles that stay
// in L1.
constexpr size_t task_elements = 65536;
constexpr size_t tiles_bytes = 24 * tile_bytes;

}  // namespace nabla
