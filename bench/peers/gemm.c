// sgemm of a library that is opened at run time: gemm LIBRARY SYMBOL KIND, where KIND is cblas or dnnl. Says "ready" or
// why not; then for each line "m n k ta tb ms" the nanoseconds of one call, over about ms milliseconds on operands that
// stay where they are; over 0 milliseconds the largest and the mean error instead. Its threads are those of the
// library's own environment variable.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

typedef void (*Cblas)(int order, int ta, int tb, int m, int n, int k, float alpha, const float* a, int lda,
                      const float* b, int ldb, float beta, float* c, int ldc);
typedef int (*Dnnl)(char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
                    const float* b, int64_t ldb, float beta, float* c, int64_t ldc);

static void* entry;
static int dnnl;

struct Case {
  int m, n, k, ta, tb;
  float *a, *b, *c;
};

static void multiply(const struct Case* x) {
  const int lda = x->ta ? x->m : x->k, ldb = x->tb ? x->k : x->n;
  if (dnnl) {
    ((Dnnl)entry)(x->ta ? 'T' : 'N', x->tb ? 'T' : 'N', x->m, x->n, x->k, 1, x->a, lda, x->b, ldb, 0, x->c, x->n);
  } else {
    ((Cblas)entry)(101, x->ta ? 112 : 111, x->tb ? 112 : 111, x->m, x->n, x->k, 1, x->a, lda, x->b, ldb, 0, x->c, x->n);
  }
}

static float* numbers(size_t n, unsigned seed) {
  float* p = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64);
  for (size_t i = 0; p && i < n; i++) p[i] = (float)((seed = seed * 1664525u + 1013904223u) >> 8) / (1 << 24) - 0.5f;
  return p;
}

// How far element (i, j) is from its sum in double precision, in units of 2^-24 sum |a| |b|.
static double error(const struct Case* x, int i, int j) {
  double sum = 0, size = 0;
  for (int k = 0; k < x->k; k++) {
    const double a = x->ta ? x->a[(size_t)k * x->m + i] : x->a[(size_t)i * x->k + k];
    const double b = x->tb ? x->b[(size_t)j * x->k + k] : x->b[(size_t)k * x->n + j];
    sum += a * b, size += fabs(a * b);
  }
  return fabs(x->c[(size_t)i * x->n + j] - sum) * 0x1p24 / (size + 1e-30);
}

static void errors(const struct Case* x) {
  double most = 0, sum = 0;
  for (int i = 0; i < x->m; i++)
    for (int j = 0; j < x->n; j++) {
      const double e = error(x, i, j);
      most = fmax(most, e), sum += e;
    }
  printf("%.6g %.6g\n", most, sum / x->m / x->n);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

int main(int count, char** words) {
  if (count < 4) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // stopped between its turns, it would outlive who stopped it
  void* library = dlopen(words[1], RTLD_NOW | RTLD_GLOBAL);
  entry = library ? dlsym(library, words[2]) : NULL;
  dnnl = !strcmp(words[3], "dnnl");
  if (!entry) {
    printf("absent %s\n", dlerror());
    return 0;
  }
  const char* (*config)(void) = (const char* (*)(void))dlsym(library, "openblas_get_config");
  printf("ready %s\n", config ? config() : words[1]);
  fflush(stdout);
  struct Case x = {0};
  int m, n, k, ta, tb;
  for (double ms; scanf("%d %d %d %d %d %lf", &m, &n, &k, &ta, &tb, &ms) == 6; fflush(stdout)) {
    if (m != x.m || n != x.n || k != x.k || ta != x.ta || tb != x.tb) {
      free(x.a), free(x.b), free(x.c);
      x = (struct Case){
          m, n, k, ta, tb, numbers((size_t)m * k, 1), numbers((size_t)k * n, 2), numbers((size_t)m * n, 3)};
      if (!x.a || !x.b || !x.c) return 1;
      multiply(&x);
      if (fmax(error(&x, 0, 0), fmax(error(&x, m - 1, n - 1), error(&x, m / 2, n / 3))) > 1000) {
        printf("absent its result is wrong\n");
        return 1;
      }
    }
    if (ms == 0) {
      errors(&x);
      continue;
    }
    long calls = 0;
    double took = 0;
    for (const double from = now(); took < 1e6 * ms; took = now() - from) {
      const long more = took > 0 ? (long)((1e6 * ms - took) / took * (double)calls / 2) + 1 : 1;
      for (long i = 0; i < more; i++) multiply(&x);
      calls += more;
    }
    printf("%.1f\n", took / (double)calls);
  }
  return 0;
}
