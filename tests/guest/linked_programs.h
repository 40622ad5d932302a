// Programs and shared objects of our own assembler, linked into a directory of their own, and run
// with the built-in dynamic linker.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "app/scratch_directory.h"
#include "engine/isa/assembler/program.h"
#include "tests/guest/run_loop.h"
#include "tests/support/guest_macros.h"

namespace e2k::guest::test {

/// For sources of these files, beside those of guest_macros.h. `invoke` takes its arguments from
/// %db[0] on and leaves %dr0..%dr21 alone.
inline constexpr std::string_view kLinkedMacros = R"(
        .macro invoke function
        { nop 4
          disp %ctpr1, \function }
        { call %ctpr1, wbs = CALL }
        .endm
        .macro call_at register
        { nop 5
          movtd \register, %ctpr1 }
        { call %ctpr1, wbs = CALL }
        .endm
        .macro answer value
        { addd 0, \value, %dr0 }
        back
        .endm
! The table of addresses, for `symbol@TLS_IE` and its like.
        .macro table register
        { rrd %ip, \register
          addd 0, _f64 _GLOBAL_OFFSET_TABLE_, %dr23 }
        { addd \register, %dr23, \register }
        .endm
! The address of a thread-local variable of any file, in %db[0]: asked for, or by its distance.
        .macro general_address symbol
        table %dr22
        { nop 4
          ldd %dr22, \symbol@TLS_GDMOD, %db[0]
          ldd %dr22, \symbol@TLS_GDREL, %db[1] }
        invoke __tls_get_addr
        .endm
        .macro initial_address symbol, register
        table %dr22
        { nop 4
          ldd %dr22, \symbol@TLS_IE, \register }
        { addd \register, %dg13, \register }
        .endm
)";

/// A program as compilers write it: `_start`, and the beginning of `main`.
inline constexpr std::string_view kMain = R"(
        begin
        start_main
main:   procedure
)";

/// A directory for the files of one test.
class LinkedFiles {
public:
    using Change = std::function<void(const isa::AssembledProgram&, std::vector<std::uint8_t>&)>;

    /// `change` may alter the file before it is written.
    std::string link(const std::string& name, std::string_view source, isa::LinkOptions link,
                     const Change& change = {}) {
        isa::ProgramSourceOptions options;
        options.link = std::move(link);
        const auto program = isa::assemble_program(
            e2k::test::with_macros(std::string(e2k::test::kExpectMacros) +
                                   std::string(kLinkedMacros) + std::string(source)),
            options);
        if (!program) throw std::runtime_error(program.error().front().report(name));
        auto bytes = isa::write_elf(*program);
        if (change) change(*program, bytes);
        const std::filesystem::path file = files_.path() / name;
        std::ofstream(file, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        return file.string();
    }

private:
    ScratchDirectory files_;
};

struct RunResult {
    ExitStatus exit;
    std::string output, detail;
};

inline RunResult run_file(const std::string& path, ProcessOptions options = {}) {
    RunResult result;
    auto image = ElfImage::load(path);
    if (!image) throw std::runtime_error(image.error());
    if (options.argv.empty()) options.argv = {path};
    options.streams.output = [&](int, std::string_view text) { result.output += text; };
    options.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
    auto process = Process::start(std::move(*image), std::move(options));
    if (!process) throw std::runtime_error(process.error());
    RunLoop loop(**process);
    result.exit = loop.run();
    result.detail = (*process)->exit_detail();
    return result;
}

/// Both kinds of programs.
class Linking : public ::testing::TestWithParam<isa::OutputKind> {
protected:
    std::string program(std::string_view body, std::vector<std::string> needed = {"libc.so.6"},
                        const LinkedFiles::Change& change = {}) {
        return files.link("program", std::string(kMain) + std::string(body),
                          {.kind = GetParam(), .needed = std::move(needed)}, change);
    }
    std::string library(const std::string& name, std::string_view source,
                        std::vector<std::string> needed = {},
                        const LinkedFiles::Change& change = {}) {
        return files.link(
            name, std::string("        .text\n") + std::string(source),
            {.kind = isa::OutputKind::Shared, .needed = std::move(needed), .soname = name}, change);
    }
    static void expect_status(const RunResult& result, int status) {
        EXPECT_EQ(result.exit.kind, ExitStatus::Kind::Exited) << result.detail;
        EXPECT_EQ(result.exit.value, status);
    }

    LinkedFiles files;
};

inline auto both_kinds() {
    return ::testing::Values(isa::OutputKind::Dynamic, isa::OutputKind::PositionIndependent);
}
inline std::string kind_name(const ::testing::TestParamInfo<isa::OutputKind>& info) {
    return info.param == isa::OutputKind::Dynamic ? "Fixed" : "Pie";
}

}  // namespace e2k::guest::test
