// Programs as JavaScript objects: built from plain arrays of numbers, run here or on the runner thread.
#include <cstring>

#include "instance.h"
#include "runner.h"

namespace nabla {

// A job with what must be given back on JavaScript's thread.
struct Flight : Job {
  Instance* instance;
  u32 ticket;
  napi_ref callback, results;
  std::vector<char> staging;  // copies of the inputs
  // Results are written to memory of the job's own: an array of JavaScript's may be detached while it runs.
  std::vector<char> produced;
};

namespace {

Type typed(u32 t) {
  if (t >= u32(Type::none)) throw Reject("ERR_NABLA_TYPE", "program: no such dtype");
  return Type(t);
}

template <class A, class T>
std::vector<T> list(const Napi::Object& o, const char* name) {
  Napi::Value v = o.Get(name);
  if (!v.IsTypedArray()) throw Reject("ERR_NABLA_TYPE", std::string("program: ") + name + " is missing");
  A a = v.As<A>();
  return std::vector<T>(a.Data(), a.Data() + a.ElementLength());
}
std::vector<u32> whole(const Napi::Object& o, const char* name) { return list<Napi::Uint32Array, u32>(o, name); }
std::vector<f64> real(const Napi::Object& o, const char* name) { return list<Napi::Float64Array, f64>(o, name); }

size_t size_from(f64 x) {
  if (!(x >= 0 && x <= 9007199254740992.0) || x != f64(i64(x)))
    throw Reject("ERR_NABLA_SHAPE", "program: a size is not a whole number");
  return size_t(x);
}

// One after another in `memory`, which grows to hold them.
void lay_out(const std::vector<Span>& spans, std::vector<char>& memory, std::vector<Span>& out) {
  size_t total = 0;
  for (const Span& s : spans) total += s.bytes;
  if (memory.size() < total) memory = std::vector<char>(total);
  out.clear();
  size_t at = 0;
  for (const Span& s : spans) {
    out.push_back({memory.data() + at, s.bytes});
    at += s.bytes;
  }
}

class Compiled : public Napi::ObjectWrap<Compiled> {
 public:
  static Napi::Function define(Napi::Env env, Instance* self) {
    return DefineClass(env, "Program",
                       {InstanceMethod("run", &Compiled::run), InstanceMethod("runAsync", &Compiled::run_async),
                        InstanceMethod("profile", &Compiled::profile), InstanceMethod("times", &Compiled::times),
                        InstanceMethod("dispose", &Compiled::dispose)},
                       self);
  }

  explicit Compiled(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Compiled>(info) {
    instance_ = static_cast<Instance*>(info.Data());
    guarded(info.Env(), [&]() -> napi_value {
      if (!info[0].IsObject()) throw Reject("ERR_NABLA_TYPE", "program: needs a plan");
      build(info[0].As<Napi::Object>());
      return nullptr;
    });
  }
  ~Compiled() override { release(); }

 private:
  void build(const Napi::Object& o) {
    Plan plan;
    std::vector<u32> homes = whole(o, "homes"), types = whole(o, "types");
    std::vector<f64> offsets = real(o, "offsets"), lengths = real(o, "lengths");
    Napi::Array states = o.Get("states").As<Napi::Array>();
    size_t n = homes.size();
    if (types.size() != n || offsets.size() != n || lengths.size() != n)
      throw Reject("ERR_NABLA_TYPE", "program: the slots do not agree");
    Napi::Array kept = Napi::Array::New(Env());
    u32 state = 0;
    for (size_t i = 0; i < n; i++) {
      Slot s{Slot::Home(homes[i] > 2 ? 0 : homes[i]), typed(types[i]), size_from(offsets[i]), size_from(lengths[i]),
             nullptr};
      if (s.home == Slot::state) {
        Napi::Value v = states.Get(state);
        Array a = array_from(Env(), v, s.type);
        if (a.type != s.type || a.length != s.length)
          throw Reject("ERR_NABLA_DETACHED",
                       "program: a tensor it uses has lost its memory: its array buffer was detached");
        s.p = a.p;
        kept.Set(state++, v);
        state_slots_.push_back(u32(i));
      }
      plan.slots.push_back(s);
    }
    plan.arena_bytes = size_from(o.Get("arenaBytes").ToNumber().DoubleValue());
    plan.rows = whole(o, "rows");
    plan.word_counts = whole(o, "wordCounts");
    plan.words = real(o, "words");
    plan.operands = list<Napi::Int32Array, i32>(o, "operands");
    plan.numbers = real(o, "numbers");
    plan.groups = whole(o, "groups");
    plan.inputs = whole(o, "inputs");
    plan.outputs = whole(o, "outputs");
    plan.saved = whole(o, "saved");
    std::vector<u32> checks = whole(o, "checks");
    for (size_t i = 0; i + 1 < checks.size(); i += 2) plan.checks.push_back({checks[i], checks[i + 1]});
    if (plan.word_counts.size() != plan.rows.size()) throw Reject("ERR_NABLA_TYPE", "program: the steps do not agree");
    arena_bytes_ = i64(plan.arena_bytes);
    program_ = std::make_shared<Program>(std::move(plan), *instance_->table);
    states_ = Napi::Persistent(kept);
    Napi::MemoryManagement::AdjustExternalMemory(Env(), arena_bytes_);
  }

  // The memory of arrays handed over for these slots, each exactly n times as long as its slot.
  std::vector<Span> spans(const Napi::Value& v, const std::vector<u32>& slots, size_t n, const char* what) {
    if (!v.IsArray() || v.As<Napi::Array>().Length() != slots.size())
      throw Reject("ERR_NABLA_TYPE", std::string("program: wrong number of ") + what);
    Napi::Array a = v.As<Napi::Array>();
    std::vector<Span> out;
    for (u32 i = 0; i < slots.size(); i++) {
      const Slot& s = program_->plan().slots[slots[i]];
      Array x = array_from(Env(), a.Get(i), s.type);
      if (x.type != s.type) throw Reject("ERR_NABLA_TYPE", std::string("program: ") + what + " have another dtype");
      if (x.length != s.length * n)
        throw Reject(x.length == 0 ? "ERR_NABLA_DETACHED" : "ERR_NABLA_SHAPE",
                     std::string("program: ") + what + " have another size");
      out.push_back({x.p, program_->bytes(slots[i]) * n});
    }
    return out;
  }

  size_t repeats(const Napi::Value& v) {
    size_t n = size_from(v.ToNumber().DoubleValue());
    if (n == 0 || n > (size_t(1) << 40)) throw Reject("ERR_NABLA_VALUE", "program: cannot run that often");
    return n;
  }

  // State is held by reference; an array that lost or moved its memory since is refused.
  void check_states() {
    if (!program_) throw Reject("ERR_NABLA_DISPOSED", "program: it was disposed");
    Napi::Array kept = states_.Value();
    for (u32 i = 0; i < state_slots_.size(); i++) {
      const Slot& s = program_->plan().slots[state_slots_[i]];
      Array a = array_from(Env(), kept.Get(i), s.type);
      if (a.p != s.p || a.length != s.length)
        throw Reject("ERR_NABLA_DETACHED",
                     "program: a tensor it uses has lost its memory: its array buffer was detached");
    }
  }

  // run(inputs, outputs, n): undefined, or [check, found] of the check that failed.
  Napi::Value run(const Napi::CallbackInfo& info) {
    napi_value result = guarded(Env(), [&]() -> napi_value {
      Napi::EscapableHandleScope scope(Env());
      check_states();
      size_t n = repeats(info[2]);
      std::vector<Span> in = spans(info[0], program_->plan().inputs, n, "inputs");
      std::vector<Span> out = spans(info[1], program_->plan().outputs, n, "outputs");
      if (!instance_->in_flight.empty()) runner_drain(instance_);
      static const std::atomic<bool> never{false};
      Outcome end = program_->run(in.data(), out.data(), n, never);
      if (end.check < 0) return nullptr;
      Napi::Array failed = Napi::Array::New(Env(), 2);
      failed[0u] = end.check;
      failed[1u] = end.found;
      return scope.Escape(failed);
    });
    return result ? Napi::Value(Env(), result) : Env().Undefined();
  }

  // runAsync(inputs, outputs, n, callback(error code or undefined, check, found)): returns a ticket for cancel().
  Napi::Value run_async(const Napi::CallbackInfo& info) {
    napi_value result = guarded(Env(), [&]() -> napi_value {
      check_states();
      size_t n = repeats(info[2]);
      if (!info[3].IsFunction()) throw Reject("ERR_NABLA_TYPE", "program: needs a callback");
      std::vector<Span> in = spans(info[0], program_->plan().inputs, n, "inputs");
      std::vector<Span> out = spans(info[1], program_->plan().outputs, n, "outputs");
      auto flight = std::make_unique<Flight>();
      lay_out(in, flight->staging, flight->inputs);
      for (size_t i = 0; i < in.size(); i++)
        if (in[i].bytes) std::memcpy(flight->inputs[i].p, in[i].p, in[i].bytes);
      lay_out(out, flight->produced, flight->outputs);
      flight->program = program_;
      flight->repeat = n;
      flight->owner = flight->instance = instance_;
      flight->done = [](Job* job) {
        auto* f = static_cast<Flight*>(job);
        Instance* self = f->instance;
        {
          std::lock_guard lock(self->mutex);
          self->landed.push_back(f);
        }
        napi_call_threadsafe_function(self->done, nullptr, napi_tsfn_nonblocking);
      };
      napi_create_reference(Env(), info[3], 1, &flight->callback);
      napi_create_reference(Env(), info[1], 1, &flight->results);
      if (instance_->in_flight.empty()) napi_ref_threadsafe_function(Env(), instance_->done);
      flight->ticket = instance_->next_ticket++;
      Napi::Value ticket = Napi::Number::New(Env(), flight->ticket);
      runner_push(flight.get());
      instance_->in_flight[flight->ticket] = flight.get();
      flight.release();
      return ticket;
    });
    return result ? Napi::Value(Env(), result) : Env().Undefined();
  }

  Napi::Value profile(const Napi::CallbackInfo& info) {
    if (program_) {
      if (!instance_->in_flight.empty()) runner_drain(instance_);
      program_->profile(info[0].ToBoolean());
    }
    return Env().Undefined();
  }

  // Nanoseconds of each group since profile(true).
  Napi::Value times(const Napi::CallbackInfo&) {
    if (!instance_->in_flight.empty()) runner_drain(instance_);
    size_t n = program_ ? program_->times().size() : 0;
    Napi::Float64Array a = Napi::Float64Array::New(Env(), n);
    for (size_t i = 0; i < n; i++) a[i] = program_->times()[i];
    return a;
  }

  // Runs in flight keep the program until they have landed.
  Napi::Value dispose(const Napi::CallbackInfo&) {
    release();
    return Env().Undefined();
  }
  void release() {
    if (!program_) return;
    program_.reset();
    states_.Reset();
    Napi::MemoryManagement::AdjustExternalMemory(Env(), -arena_bytes_);
  }

  Instance* instance_;
  std::shared_ptr<Program> program_;
  Napi::Reference<Napi::Array> states_;
  std::vector<u32> state_slots_;
  i64 arena_bytes_ = 0;
};

// Results into the caller's arrays; false if one has lost its memory, or JavaScript is being ended and hands out none.
bool deliver(napi_env env, const Flight& f) {
  napi_value results = nullptr;
  napi_get_reference_value(env, f.results, &results);
  bool whole = true;
  for (u32 i = 0; i < f.outputs.size(); i++) {
    napi_value array = nullptr;
    napi_get_element(env, results, i, &array);
    size_t length = 0;
    void* p = nullptr;
    napi_typedarray_type t;
    if (napi_get_typedarray_info(env, array, &t, &length, &p, nullptr, nullptr) != napi_ok ||
        (length == 0 && f.outputs[i].bytes))
      whole = false;
    else if (f.outputs[i].bytes)
      std::memcpy(p, f.outputs[i].p, f.outputs[i].bytes);
  }
  return whole;
}

// On JavaScript's thread, once its run is over.
void land(napi_env env, Instance* self, std::unique_ptr<Flight> f) {
  napi_value undefined, callback, arguments[3];
  napi_get_undefined(env, &undefined);
  napi_get_reference_value(env, f->callback, &callback);
  const char* code = f->phase == Job::cancelled ? "ERR_NABLA_ABORTED"
                     : f->failed                ? "ERR_NABLA_MEMORY"
                     : f->outcome.check >= 0    ? "ERR_NABLA_INDEX"
                     : !deliver(env, *f)        ? "ERR_NABLA_DETACHED"
                                                : nullptr;
  napi_delete_reference(env, f->callback);
  napi_delete_reference(env, f->results);
  self->in_flight.erase(f->ticket);
  if (self->in_flight.empty()) napi_unref_threadsafe_function(env, self->done);
  arguments[0] = undefined;
  if (code) napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &arguments[0]);
  napi_create_int32(env, f->outcome.check, &arguments[1]);
  napi_create_int32(env, f->outcome.found, &arguments[2]);
  napi_call_function(env, undefined, callback, 3, arguments, nullptr);
}
void land_all(napi_env env, Instance* self) {
  std::vector<Flight*> landed;
  {
    std::lock_guard lock(self->mutex);
    landed.swap(self->landed);
  }
  for (Flight* f : landed) {
    napi_handle_scope scope;
    napi_open_handle_scope(env, &scope);
    land(env, self, std::unique_ptr<Flight>(f));
    napi_close_handle_scope(env, scope);
  }
}

// The environment goes: its queued jobs are dropped, the step that is running is finished, and nothing of JavaScript is
// touched after.
void forget(void* data) {
  auto* self = static_cast<Instance*>(data);
  runner_forget(self);
  for (auto& [ticket, flight] : self->in_flight) delete flight;
  self->in_flight.clear();
  self->landed.clear();
  runner_release();
}

}  // namespace

void start_programs(Napi::Env env, Napi::Object exports, Instance* self) {
  runner_acquire();
  napi_value name;
  napi_create_string_utf8(env, "nabla", NAPI_AUTO_LENGTH, &name);
  auto wake = [](napi_env env, napi_value, void* context, void*) {
    if (env) land_all(env, static_cast<Instance*>(context));
  };
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, self, wake, &self->done);
  napi_unref_threadsafe_function(env, self->done);
  napi_add_env_cleanup_hook(env, forget, self);
  exports["Program"] = Compiled::define(env, self);
  // A job that has not begun will not; one that has finishes as usual.
  exports["cancel"] = Napi::Function::New(env, [](const Napi::CallbackInfo& i) {
    auto& flights = i.Env().GetInstanceData<Instance>()->in_flight;
    auto at = flights.find(i[0].ToNumber().Uint32Value());
    if (at != flights.end()) at->second->move(Job::cancelled);
  });
  // Waits for every run in flight and lands it: its memory is free and its promise settled when this returns.
  exports["drain"] = Napi::Function::New(env, [](const Napi::CallbackInfo& i) {
    auto* self = i.Env().GetInstanceData<Instance>();
    runner_drain(self);
    land_all(i.Env(), self);
  });
}

}  // namespace nabla
