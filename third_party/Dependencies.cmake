# Finds Debian's packages; a missing one ends configuration with the apt-get line that installs it.
file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/packages.txt" E2K_PACKAGES)
list(JOIN E2K_PACKAGES " " E2K_PACKAGES_TEXT)

function(e2k_need found what)
  if(NOT ${found})
    message(FATAL_ERROR "${what} not found. Install the packages with:\n"
                        "  apt-get install ${E2K_PACKAGES_TEXT}")
  endif()
endfunction()

find_package(Threads REQUIRED)
find_package(asmjit QUIET)
e2k_need(asmjit_FOUND asmjit)
find_package(Zydis QUIET)
e2k_need(Zydis_FOUND Zydis)
find_package(glfw3 3.3 QUIET)
e2k_need(glfw3_FOUND GLFW)
find_package(GTest QUIET)
e2k_need(GTest_FOUND GoogleTest)
find_package(benchmark QUIET)
e2k_need(benchmark_FOUND "Google Benchmark")
find_package(CLI11 QUIET)
e2k_need(CLI11_FOUND CLI11)
find_package(fmt QUIET)
e2k_need(fmt_FOUND fmt)
find_package(nlohmann_json QUIET)
e2k_need(nlohmann_json_FOUND "nlohmann-json")
find_package(ZLIB QUIET)
e2k_need(ZLIB_FOUND zlib)
find_package(PkgConfig QUIET)
e2k_need(PkgConfig_FOUND pkg-config)
pkg_check_modules(IMGUI QUIET IMPORTED_TARGET imgui)
e2k_need(IMGUI_FOUND "Dear ImGui")
pkg_check_modules(FREETYPE2 QUIET IMPORTED_TARGET freetype2)
e2k_need(FREETYPE2_FOUND FreeType)
pkg_check_modules(STB QUIET IMPORTED_TARGET stb)
e2k_need(STB_FOUND stb)
pkg_check_modules(SECCOMP QUIET IMPORTED_TARGET libseccomp)
e2k_need(SECCOMP_FOUND libseccomp)
pkg_check_modules(LIBDW QUIET IMPORTED_TARGET libdw)
e2k_need(LIBDW_FOUND "libdw (elfutils)")
pkg_check_modules(ZSTD QUIET IMPORTED_TARGET libzstd)
e2k_need(ZSTD_FOUND zstd)
find_path(E2K_EXPECTED_INCLUDE tl/expected.hpp)
e2k_need(E2K_EXPECTED_INCLUDE "tl::expected (libexpected-dev)")

# OpenGL loader, generated at build time (nothing foreign is committed).
find_program(E2K_GLAD glad)
e2k_need(E2K_GLAD "glad (python3-glad)")
set(glad_dir "${CMAKE_BINARY_DIR}/glad")
add_custom_command(
  OUTPUT "${glad_dir}/src/gl.c" "${glad_dir}/include/glad/gl.h"
         "${glad_dir}/include/KHR/khrplatform.h"
  COMMAND "${E2K_GLAD}" --quiet --reproducible --api gl:core=3.3 --extensions "" --out-path
          "${glad_dir}" c
  COMMENT "Generating the OpenGL loader"
  VERBATIM)
add_library(e2k_glad STATIC "${glad_dir}/src/gl.c")
target_include_directories(e2k_glad SYSTEM PUBLIC "${glad_dir}/include")
