// What execve makes of the first bytes of a file, of argument lists, and of an environment.
#include <gtest/gtest.h>

#include <sys/mman.h>

#include "engine/guest/host_program.h"
#include "engine/guest/program_file.h"
#include "tests/guest/caller.h"

namespace e2k::guest {
namespace {

TEST(ScriptLine, NamesAnInterpreterAndOneArgument) {
    const auto line = [](const std::string& text) {
        const auto parsed = parse_script_line(text);
        if (!parsed) return std::string("none");
        return parsed->interpreter + "|" + parsed->argument.value_or("(no argument)");
    };
    EXPECT_EQ(line("#!/bin/sh\nrest"), "/bin/sh|(no argument)");
    EXPECT_EQ(line("#!/bin/sh"), "/bin/sh|(no argument)");
    EXPECT_EQ(line("#! \t /bin/sh  \t\n"), "/bin/sh|(no argument)");
    EXPECT_EQ(line("#!/bin/awk -f  x \n"), "/bin/awk|-f  x");
    EXPECT_EQ(line(std::string("#!/bin/sh\0x\n", 12)), "/bin/sh|(no argument)");
    EXPECT_EQ(line("#!\n/bin/sh"), "none");
    EXPECT_EQ(line("#!  \t"), "none");
    EXPECT_EQ(line("#!"), "none");
    const std::string full = "#!" + std::string(kProgramHeader - 2, 'x');
    EXPECT_EQ(line(full), "none") << "a cut name could be another program's";
    EXPECT_EQ(line("#!/bin/sh " + full.substr(0, kProgramHeader - 10)),
              "/bin/sh|" + full.substr(0, kProgramHeader - 10));
}

TEST(ProgramHeader, TellsElbrusPrograms) {
    std::string header(64, '\0');
    header.replace(0, 4, "\177ELF");
    EXPECT_FALSE(is_elbrus(header));
    header[18] = static_cast<char>(175);
    EXPECT_TRUE(is_elbrus(header));
    header[18] = 62;
    EXPECT_FALSE(is_elbrus(header));
    EXPECT_FALSE(is_elbrus(header.substr(0, 19)));
    EXPECT_FALSE(is_elbrus(""));
}

TEST(HostProgram, GetsNoOrdersForItsLibraries) {
    const std::vector<std::string> kept{"PATH=/bin", "LDFLAGS=-x", "HOME=/", "MALLOC=1",
                                        "TZ=UTC",    "=odd",       "",       "LOCPATHS=1"};
    std::vector<std::string> all = kept;
    for (const char* name :
         {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_TRACE_LOADED_OBJECTS", "GCONV_PATH",
          "GLIBC_TUNABLES", "MALLOC_PERTURB_", "MALLOC_TRACE", "ASAN_OPTIONS", "UBSAN_OPTIONS",
          "LSAN_OPTIONS", "TSAN_OPTIONS", "LOCPATH", "NLSPATH", "HOSTALIASES", "RES_OPTIONS"})
        all.insert(all.begin() + 1, std::string(name) + "=1");
    EXPECT_EQ(cleaned_environment(all), kept);
}

TEST(ExecCall, RefusesListsThatCannotBe) {
    test::Caller c;
    const std::uint64_t path = c.text(test::guest_path("hello"));
    const auto list = [&](const std::vector<std::uint64_t>& words) {
        return c.put(words.data(), words.size() * 8);
    };
    EXPECT_EQ(c.call(11, std::uint64_t{8}, 0, 0), -EFAULT);
    EXPECT_EQ(c.call(11, path, std::uint64_t{8}, 0), -EFAULT);
    EXPECT_EQ(c.call(11, path, 0, std::uint64_t{8}), -EFAULT);
    EXPECT_EQ(c.call(11, path, list({8, 0}), 0), -EFAULT);
    const std::string longest(128 << 10, 'x');
    const std::uint64_t text = c.put(longest.c_str(), longest.size() + 1);
    EXPECT_EQ(c.call(11, path, list({text, 0}), 0), -E2BIG);
    EXPECT_EQ(c.call(11, path, 0, list({text, 0})), -E2BIG);
    std::vector<std::uint64_t> many(17, text + 1);  // 128 KiB each, 2 MiB are allowed
    many.push_back(0);
    EXPECT_EQ(c.call(11, path, list(many), 0), -E2BIG);
    EXPECT_EQ(c.call(388, -100, path, 0, 0, 1), -EINVAL);
    EXPECT_EQ(c.call(388, 99, c.text(""), 0, 0, 0), -ENOENT);
    EXPECT_EQ(c.call(388, 99, c.text(""), 0, 0, 0x1000), -EBADF);
    EXPECT_EQ(c.call(388, 99, c.text("x"), 0, 0, 0), -EBADF);
}

TEST(ExecCall, ReplacesTheProgramOfTheProcess) {
    // What the machine sees: memory, symbols and registers of another program, the same process.
    ProcessOptions options;
    options.log_syscalls = true;
    test::Caller c(std::move(options));
    const auto before = c.process().symbols();
    const std::uint64_t path = c.text(test::guest_path("args"));
    const std::uint64_t words[] = {c.text("name"), c.text("one"), 0};
    const std::uint64_t old_entry = c.state().ip;
    bool code_gone = false;
    c.process().memory().on_code_change([&](std::uint64_t begin, std::uint64_t end) {
        code_gone |= begin <= old_entry && old_entry < end;
    });
    c.state().g[7].lo = 0x1234;
    c.state().bundles = 77;
    EXPECT_EQ(c.issue(11, {path, c.put(words, sizeof words), 0}), Next::Continue);
    auto image = ElfImage::load(test::guest_path("args"));
    ASSERT_TRUE(image);
    EXPECT_EQ(c.state().ip, image->entry);
    EXPECT_EQ(c.state().g[7].lo, 0u);
    EXPECT_EQ(c.state().wd.size, 8u);
    EXPECT_EQ(c.state().depth(), 0u);
    EXPECT_EQ(c.state().bundles, 77u) << "the run goes on";
    EXPECT_NE(c.process().symbols(), before);
    EXPECT_TRUE(code_gone);
    EXPECT_FALSE(c.memory().region_at(path)) << "nothing of the old memory is left";
    EXPECT_EQ(c.get<std::uint64_t>(c.state().usd_base), 2u) << "argc";
    const auto first = c.memory().read_string(c.get<std::uint64_t>(c.state().usd_base + 8));
    EXPECT_EQ(first, "name");
    ASSERT_FALSE(c.log.empty());
    EXPECT_EQ(c.log.back().name, "execve");
    EXPECT_EQ(c.log.back().result, 0);
}

}  // namespace
}  // namespace e2k::guest
