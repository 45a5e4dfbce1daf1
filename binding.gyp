{
  "includes": ["native/sources.gypi"],
  "targets": [
    {
      "target_name": "nabla",
      "sources": ["<@(nabla_sources)"],
      "include_dirs": ["native"],
      "defines": ["NAPI_VERSION=8", "NDEBUG"],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-rtti", "-Wno-unused-parameter"],
      "cflags_cc": ["<@(nabla_flags)", "-O3"],
      "ldflags": ["-pthread"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "GCC_OPTIMIZATION_LEVEL": "3",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "OTHER_CPLUSPLUSFLAGS": ["<@(nabla_flags)"]
      },
      # Kernels are written in the words of GCC and Clang (target regions, unrolling, 128-bit integers): on Windows it is
      # Clang that compiles them.
      "msbuild_toolset": "ClangCL",
      "msvs_settings": {
        "VCCLCompilerTool": {
          "AdditionalOptions": ["/std:c++20", "/fp:precise", "/clang:-ffp-contract=off", "/clang:-fno-math-errno", "/clang:-O3"]
        }
      }
    }
  ]
}
