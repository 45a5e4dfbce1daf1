// Programs as JavaScript objects: built from plain arrays of numbers, run here or on the runner thread.
#include <cstring>

#include "instance.h"
#include "runner.h"

namespace nabla {
namespace {

Type typed(u32 t) {
  if (t > u32(Type::b8)) throw Reject("ERR_NABLA_TYPE", "program: no such dtype");
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
  if (!(x >= 0 && x <= 9007199254740992.0) || x != f64(i64(x))) throw Reject("ERR_NABLA_SHAPE", "program: a size is not a whole number");
  return size_t(x);
}

// A job with what must be given back on JavaScript's thread.
struct Flight : Job {
  Instance* instance;
  u32 ticket;
  napi_ref callback, results;
  std::vector<std::vector<char>> produced;
};

class Compiled : public Napi::ObjectWrap<Compiled> {
 public:
  static Napi::Function define(Napi::Env env, Instance* self) {
    return DefineClass(env, "Program",
                       {InstanceMethod("run", &Compiled::run), InstanceMethod("runAsync", &Compiled::run_async),
                        InstanceMethod("profile", &Compiled::profile), InstanceMethod("times", &Compiled::times)},
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

 private:
  void build(const Napi::Object& o) {
    Plan plan;
    std::vector<u32> homes = whole(o, "homes"), types = whole(o, "types");
    std::vector<f64> offsets = real(o, "offsets"), lengths = real(o, "lengths");
    Napi::Array states = o.Get("states").As<Napi::Array>();
    size_t n = homes.size();
    if (types.size() != n || offsets.size() != n || lengths.size() != n) throw Reject("ERR_NABLA_TYPE", "program: the slots do not agree");
    Napi::Array kept = Napi::Array::New(Env());
    u32 state = 0;
    for (size_t i = 0; i < n; i++) {
      Slot s{Slot::Home(homes[i] > 2 ? 0 : homes[i]), typed(types[i]), size_from(offsets[i]), size_from(lengths[i]), nullptr};
      if (s.home == Slot::state) {
        Napi::Value v = states.Get(state);
        Array a = array_from(Env(), v, s.type);
        if (a.type != s.type || a.length != s.length) throw Reject("ERR_NABLA_TYPE", "program: a state array does not fit its slot");
        s.p = a.p;
        kept.Set(state++, v);
        state_slots_.push_back(u32(i));
      }
      plan.slots.push_back(s);
    }
    states_ = Napi::Persistent(kept);
    plan.arena_bytes = size_from(o.Get("arenaBytes").ToNumber().DoubleValue());
    plan.rows = whole(o, "rows");
    plan.word_counts = whole(o, "wordCounts");
    plan.words = real(o, "words");
    plan.operands = list<Napi::Int32Array, i32>(o, "operands");
    plan.numbers = real(o, "numbers");
    plan.groups = whole(o, "groups");
    plan.inputs = whole(o, "inputs");
    plan.outputs = whole(o, "outputs");
    if (plan.word_counts.size() != plan.rows.size()) throw Reject("ERR_NABLA_TYPE", "program: the steps do not agree");
    program_ = std::make_shared<Program>(std::move(plan), *instance_->table);
  }

  // The memory of arrays handed over for these slots, each exactly n times as long as its slot.
  std::vector<Span> spans(const Napi::Value& v, const std::vector<u32>& slots, size_t n, const char* what) {
    if (!v.IsArray() || v.As<Napi::Array>().Length() != slots.size()) throw Reject("ERR_NABLA_TYPE", std::string("program: wrong number of ") + what);
    Napi::Array a = v.As<Napi::Array>();
    std::vector<Span> out;
    for (u32 i = 0; i < slots.size(); i++) {
      const Slot& s = program_->plan().slots[slots[i]];
      Array x = array_from(Env(), a.Get(i), s.type);
      if (x.type != s.type) throw Reject("ERR_NABLA_TYPE", std::string("program: ") + what + " have another dtype");
      if (x.length != s.length * n) throw Reject(x.length == 0 ? "ERR_NABLA_DETACHED" : "ERR_NABLA_SHAPE", std::string("program: ") + what + " have another size");
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
    if (!program_) throw Reject("ERR_NABLA_STATE", "program: it was never built");
    Napi::Array kept = states_.Value();
    for (u32 i = 0; i < state_slots_.size(); i++) {
      const Slot& s = program_->plan().slots[state_slots_[i]];
      Array a = array_from(Env(), kept.Get(i), s.type);
      if (a.p != s.p || a.length != s.length) throw Reject("ERR_NABLA_DETACHED", "program: a tensor it uses has lost its memory: its array buffer was detached");
    }
  }

  Napi::Value run(const Napi::CallbackInfo& info) {
    guarded(Env(), [&]() -> napi_value {
      Napi::HandleScope scope(Env());
      check_states();
      size_t n = repeats(info[2]);
      std::vector<Span> in = spans(info[0], program_->plan().inputs, n, "inputs");
      std::vector<Span> out = spans(info[1], program_->plan().outputs, n, "outputs");
      if (!instance_->in_flight.empty()) runner_drain(instance_);
      program_->run(in.data(), out.data(), n);
      return nullptr;
    });
    return Env().Undefined();
  }

  // runAsync(inputs, outputs, n, callback(error code or undefined)): returns a ticket for cancel().
  Napi::Value run_async(const Napi::CallbackInfo& info) {
    napi_value result = guarded(Env(), [&]() -> napi_value {
      check_states();
      size_t n = repeats(info[2]);
      if (!info[3].IsFunction()) throw Reject("ERR_NABLA_TYPE", "program: needs a callback");
      std::vector<Span> in = spans(info[0], program_->plan().inputs, n, "inputs");
      std::vector<Span> out = spans(info[1], program_->plan().outputs, n, "outputs");
      auto flight = std::make_unique<Flight>();
      size_t total = 0;
      for (const Span& s : in) total += s.bytes;
      flight->staging.resize(total);
      size_t at = 0;
      for (const Span& s : in) {
        char* to = flight->staging.data() + at;
        if (s.bytes) std::memcpy(to, s.p, s.bytes);
        flight->inputs.push_back({to, s.bytes});
        at += s.bytes;
      }
      // Results are written to memory of the job's own: an array of JavaScript's may be detached while it runs.
      for (const Span& s : out) {
        flight->produced.emplace_back(s.bytes);
        flight->outputs.push_back({flight->produced.back().data(), s.bytes});
      }
      flight->program = program_;
      flight->repeat = n;
      flight->owner = flight->instance = instance_;
      flight->done = [](Job* job) {
        auto* f = static_cast<Flight*>(job);
        if (napi_call_threadsafe_function(f->instance->done, f, napi_tsfn_nonblocking) != napi_ok) delete f;
      };
      napi_create_reference(Env(), info[3], 1, &flight->callback);
      napi_create_reference(Env(), info[1], 1, &flight->results);
      if (instance_->in_flight.empty()) napi_ref_threadsafe_function(Env(), instance_->done);
      flight->ticket = instance_->next_ticket++;
      instance_->in_flight[flight->ticket] = flight.get();
      Napi::Value ticket = Napi::Number::New(Env(), flight->ticket);
      runner_push(flight.release());
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

  Instance* instance_;
  std::shared_ptr<Program> program_;
  Napi::Reference<Napi::Array> states_;
  std::vector<u32> state_slots_;
};

// On JavaScript's thread: results into the caller's arrays, then its callback.
void land(napi_env env, napi_value, void* context, void* data) {
  std::unique_ptr<Flight> f(static_cast<Flight*>(data));
  auto* self = static_cast<Instance*>(context);
  if (!env) return;
  napi_value callback, results, undefined, argument;
  napi_get_undefined(env, &undefined);
  napi_get_reference_value(env, f->callback, &callback);
  napi_get_reference_value(env, f->results, &results);
  bool lost = false;
  for (u32 i = 0; i < f->produced.size() && !f->failed && f->phase == Job::started; i++) {
    napi_value array;
    napi_get_element(env, results, i, &array);
    size_t length = 0;
    void* p = nullptr;
    napi_typedarray_type t;
    if (napi_get_typedarray_info(env, array, &t, &length, &p, nullptr, nullptr) != napi_ok || (length == 0 && !f->produced[i].empty())) {
      lost = true;
      continue;
    }
    if (!f->produced[i].empty()) std::memcpy(p, f->produced[i].data(), f->produced[i].size());
  }
  napi_delete_reference(env, f->callback);
  napi_delete_reference(env, f->results);
  self->in_flight.erase(f->ticket);
  if (self->in_flight.empty()) napi_unref_threadsafe_function(env, self->done);
  const char* code = f->phase == Job::cancelled ? "ERR_NABLA_ABORTED" : f->failed ? "ERR_NABLA_MEMORY" : lost ? "ERR_NABLA_DETACHED" : nullptr;
  if (code) napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &argument);
  napi_call_function(env, undefined, callback, 1, code ? &argument : &undefined, nullptr);
}

// The environment goes: its queued jobs are dropped, the one running is finished, and nothing of JavaScript is touched after.
void forget(void* data) {
  auto* self = static_cast<Instance*>(data);
  for (Job* j : runner_forget(self)) delete static_cast<Flight*>(j);
  runner_release();
}

}  // namespace

void start_programs(Napi::Env env, Napi::Object exports, Instance* self) {
  runner_acquire();
  napi_value name;
  napi_create_string_utf8(env, "nabla", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, self, land, &self->done);
  napi_unref_threadsafe_function(env, self->done);
  napi_add_env_cleanup_hook(env, forget, self);
  exports["Program"] = Compiled::define(env, self);
  // A job that has not begun will not; one that has finishes as usual.
  exports["cancel"] = Napi::Function::New(env, [](const Napi::CallbackInfo& i) {
    auto& flights = i.Env().GetInstanceData<Instance>()->in_flight;
    auto at = flights.find(i[0].ToNumber().Uint32Value());
    if (at != flights.end()) at->second->move(Job::cancelled);
  });
  exports["drain"] = Napi::Function::New(env, [](const Napi::CallbackInfo& i) { runner_drain(i.Env().GetInstanceData<Instance>()); });
}

}  // namespace nabla
