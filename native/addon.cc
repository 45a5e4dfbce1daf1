// The module: the table of rows as data, and one entry that runs any of them.
#include "instance.h"
#include "pool.h"

namespace nabla {
namespace {

constexpr size_t max_words = 512;

Type type_of(napi_typedarray_type t) {
  switch (t) {
    case napi_float32_array:
      return Type::f32;
    case napi_float64_array:
      return Type::f64;
    case napi_int32_array:
      return Type::i32;
    case napi_uint8_array:
      return Type::u8;
    case napi_uint16_array:
      return Type::bf16;
    case napi_int8_array:
      return Type::i8;
    default:
      return Type::none;
  }
}

}  // namespace

Array array_from(napi_env env, napi_value value, Type expected) {
  Array a = no_array;
  napi_typedarray_type t;
  if (napi_get_typedarray_info(env, value, &t, &a.length, &a.p, nullptr, nullptr) == napi_ok) {
    a.type = type_of(t);
    if (a.type == Type::u8 && expected == Type::b8) a.type = Type::b8;
    return a;
  }
  if (napi_get_value_double(env, value, &a.value) == napi_ok)
    a.number = true;
  else
    a.absent = true;
  return a;
}

void raise(napi_env env, const char* code, const char* text) { napi_throw_error(env, code, text); }

namespace {

// run(row, words used, ...arrays)
napi_value run_row(napi_env env, napi_callback_info info) {
  size_t argc = 2 + max_arrays;
  napi_value argv[2 + max_arrays];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, &data) != napi_ok) return nullptr;
  const Instance& self = *static_cast<Instance*>(data);
  return guarded(env, [&]() -> napi_value {
    u32 row = row_count, count = 0;
    if (argc < 2 || napi_get_value_uint32(env, argv[0], &row) != napi_ok || row >= row_count ||
        napi_get_value_uint32(env, argv[1], &count) != napi_ok || count > max_words)
      throw Reject("ERR_NABLA_TYPE", "run: no such row, or too many words");
    const RowInfo& r = row_info(row);
    if (argc != size_t(r.arrays) + 2)
      throw Reject("ERR_NABLA_TYPE", std::string(r.name) + ": takes " + std::to_string(r.arrays) + " arrays");
    Array arrays[max_arrays];
    for (int i = 0; i < r.arrays; i++) arrays[i] = array_from(env, argv[i + 2], r.param[i].type);
    Reach reach[max_arrays];
    run(bind(row, *self.table, arrays, self.words, count, reach));
    return nullptr;
  });
}

Napi::Value rows(const Napi::Env& env) {
  Napi::Array list = Napi::Array::New(env, row_count);
  for (unsigned i = 0; i < row_count; i++) {
    const RowInfo& r = row_info(i);
    Napi::Object o = Napi::Object::New(env);
    o["name"] = r.name;
    o["dtype"] = type_name(r.type);
    o["driver"] = r.driver_name;
    o["shapes"] = r.shapes;
    o["params"] = r.params;
    list[i] = o;
  }
  return list;
}

Napi::Value isas(const Napi::Env& env) {
  const Table* t[max_tables];
  int n = tables(t);
  Napi::Array list = Napi::Array::New(env, size_t(n));
  for (int i = 0; i < n; i++) list[u32(i)] = t[i]->isa;
  return list;
}

void use(const Napi::CallbackInfo& info) {
  std::string name = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  const Table* t[max_tables];
  int n = tables(t);
  for (int i = 0; i < n; i++)
    if (name == t[i]->isa) {
      info.Env().GetInstanceData<Instance>()->table = t[i];
      return;
    }
  raise(info.Env(), "ERR_NABLA_VALUE", ("this machine cannot run the instruction set '" + name + "'").c_str());
}

void set_threads_of(const Napi::CallbackInfo& info) {
  double n = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  if (!(n >= 1 && n <= 256) || n != unsigned(n))
    return raise(info.Env(), "ERR_NABLA_VALUE", "threads must be a whole number from 1 to 256");
  set_threads(unsigned(n));
}

// Bytes from the start of an array buffer to the next multiple of 64.
Napi::Value lead(const Napi::CallbackInfo& info) {
  if (!info[0].IsArrayBuffer()) {
    raise(info.Env(), "ERR_NABLA_TYPE", "lead: takes an ArrayBuffer");
    return info.Env().Undefined();
  }
  auto at = reinterpret_cast<uintptr_t>(info[0].As<Napi::ArrayBuffer>().Data());
  return Napi::Number::New(info.Env(), double((64 - at % 64) % 64));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  const Table* t[max_tables];
  auto* self = new Instance{t[tables(t) - 1], nullptr, nullptr, nullptr, {}, 0, {}, {}};
  env.SetInstanceData<Instance>(self);
  pool_acquire();
  napi_add_env_cleanup_hook(env, [](void*) { pool_release(); }, nullptr);

  Napi::Float64Array words = Napi::Float64Array::New(env, max_words);
  self->words = words.Data();
  napi_create_reference(env, words, 1, &self->words_ref);
  napi_value entry;
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, run_row, self, &entry);
  exports["run"] = Napi::Value(env, entry);
  exports["words"] = words;
  exports["rows"] = rows(env);
  exports["isas"] = isas(env);
  exports["isa"] = Napi::Function::New(env, [](const Napi::CallbackInfo& i) -> Napi::Value {
    return Napi::String::New(i.Env(), i.Env().GetInstanceData<Instance>()->table->isa);
  });
  exports["use"] = Napi::Function::New(env, use);
  exports["threads"] = Napi::Function::New(
      env, [](const Napi::CallbackInfo& i) -> Napi::Value { return Napi::Number::New(i.Env(), threads()); });
  exports["setThreads"] = Napi::Function::New(env, set_threads_of);
  exports["lead"] = Napi::Function::New(env, lead);
  start_programs(env, exports, self);
  return exports;
}

}  // namespace

NODE_API_MODULE(nabla, init)

}  // namespace nabla
