// What one JavaScript environment owns, and how native complaints become JavaScript errors.
#pragma once
// While a worker is being ended no exception can be thrown into it: that is then no reason to end the process.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#include <napi.h>

#include <map>
#include <mutex>
#include <vector>

#include "args.h"

namespace nabla {

struct Flight;  // compiled.cc

struct Instance {
  const Table* table;                // the kernels in use
  f64* words;                        // JavaScript writes a call's words here
  napi_ref words_ref;                // keeps that array alive
  napi_threadsafe_function done;     // wakes JavaScript's thread to land what has finished
  std::map<u32, Flight*> in_flight;  // by ticket
  u32 next_ticket;
  std::mutex mutex;
  std::vector<Flight*> landed;  // finished, guarded by mutex
};

// What JavaScript handed over for an array parameter of this dtype. A bool array is a Uint8Array of 0 and 1.
Array array_from(napi_env env, napi_value value, Type expected);

void raise(napi_env env, const char* code, const char* text);

// Every exception of the native side ends here.
template <class F>
napi_value guarded(napi_env env, const F& f) {
  try {
    return f();
  } catch (const Reject& e) {
    raise(env, e.code, e.what());
  } catch (const std::bad_alloc&) {
    raise(env, "ERR_NABLA_MEMORY", "out of memory");
  } catch (const Napi::Error& e) {
    e.ThrowAsJavaScriptException();
  } catch (const std::exception& e) {
    raise(env, "ERR_NABLA_INTERNAL", e.what());
  }
  return nullptr;
}

void start_programs(Napi::Env env, Napi::Object exports, Instance* self);  // compiled.cc

}  // namespace nabla
