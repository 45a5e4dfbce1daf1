{
  "variables": {
    "nabla_sources": [
      "native/addon.cc",
      "native/args.cc",
      "native/signature.cc",
      "native/drive.cc",
      "native/turn.cc",
      "native/program.cc",
      "native/runner.cc",
      "native/compiled.cc",
      "native/cpu.cc",
      "native/pool.cc",
      "native/isa/scalar.cc",
      "native/isa/avx2.cc",
      "native/isa/avx512.cc",
      "native/isa/avx512dot.cc",
      "native/isa/neon.cc"
    ],
    "nabla_flags": [
      "-std=c++20",
      "-pthread",
      "-ffp-contract=off",
      "-fno-math-errno",
      "-fvisibility=hidden",
      "-fvisibility-inlines-hidden",
      "-Wall",
      "-Wextra",
      "-Wno-unknown-warning-option",
      "-Wno-uninitialized",
      "-Wno-maybe-uninitialized",
      "-Wno-unknown-pragmas"
    ]
  }
}
