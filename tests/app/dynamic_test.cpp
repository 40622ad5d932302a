// Programs with a dynamic linker and libraries of their own, in the directory of an Elbrus system.
#include <gtest/gtest.h>

#include "tests/app/exec_guests.h"
#include "tests/app/linked_file.h"
#include "tests/support/dynamic_guests.h"

namespace e2k::test {
namespace {

namespace fs = std::filesystem;

class Dynamic : public testing::Test {
protected:
    void SetUp() override {
        fs::create_directories(root / "real");
        fs::create_directories(root / "lib");
        fs::create_directories(root / "etc");
        isa::LinkOptions link{.kind = isa::OutputKind::Shared};
        write_linked(root / "real/ld.so", dynamic_source(kDynamicLinker), link);
        // Links of the system lead to places inside it.
        fs::create_symlink("/real/ld.so", root / "lib/ld.so");
        write_linked(root / "lib/libtest.so", dynamic_source(kLibrary), link);
        std::ofstream(root / "real/greeting") << "greetings from the system\n";
        fs::create_symlink("../../../../real/greeting", root / "etc/greeting");
        link = {.kind = isa::OutputKind::Dynamic, .needed = {"libtest.so"}};
        link.interpreter = "/lib/ld.so";
        write_linked(guests.path("fixed"), dynamic_source(kDynamicProgram, ".set FIXED, 1\n"),
                     link);
        link.kind = isa::OutputKind::PositionIndependent;
        write_linked(guests.path("pie"), dynamic_source(kDynamicProgram), link);
    }

    ChildResult run(const std::string& options, const std::string& before = "") const {
        return guests.shell(before + " exec \"$E2KWB\" run " + options);
    }

    static constexpr const char* kOutput = "hello from a library\ngreetings from the system\n";
    ExecGuests guests;
    fs::path root = guests.path("root");
};

TEST_F(Dynamic, TheProgramsOwnLinkerStartsIt) {
    for (const char* program : {"./fixed", "./pie"})
        for (const char* options : {"-L root ", "--interp -L root ", "--lockstep -L root ",
                                    "--sandbox -L root ", "--sysroot=root "}) {
            const auto result = run(std::string(options) + program);
            EXPECT_EQ(result.output, kOutput) << options << program;
            if (std::string_view(options).starts_with("--lockstep")) {
                EXPECT_TRUE(result.errors.ends_with(" regions compared, no difference\n"))
                    << result.errors;
            } else {
                EXPECT_EQ(result.errors, "") << options << program;
            }
            EXPECT_EQ(result.shell_status(), 41) << options << program;
        }
}

TEST_F(Dynamic, TheEnvironmentNamesTheSystem) {
    EXPECT_EQ(run("./pie", "E2K_SYSROOT=root").output, kOutput);
    EXPECT_EQ(run("./pie", "QEMU_LD_PREFIX=root").output, kOutput);
    EXPECT_EQ(run("./pie", "E2K_SYSROOT=root QEMU_LD_PREFIX=/nowhere").output, kOutput);
    EXPECT_EQ(run("-L root ./pie", "E2K_SYSROOT=/nowhere").output, kOutput);
    const auto nowhere = run("-L /nowhere ./pie");
    EXPECT_NE(nowhere.errors.find("/nowhere: cannot be the root of an Elbrus system"),
              std::string::npos)
        << nowhere.errors;
    EXPECT_EQ(nowhere.shell_status(), 126);
}

TEST_F(Dynamic, ExecutedProgramsHaveItToo) {
    guests.make("exec", kExec);
    const auto result = run("-L root ./exec ./fixed");
    EXPECT_EQ(result.output, kOutput);
    EXPECT_EQ(result.shell_status(), 41);
}

TEST_F(Dynamic, ThePositionOfAProgramsDefinitionsIsFirst) {
    isa::LinkOptions link{.kind = isa::OutputKind::PositionIndependent};
    link.interpreter = "/lib/ld.so";
    link.export_all = true;
    write_linked(
        guests.path("own"),
        dynamic_source(std::string(kDynamicProgram) + "\n.globl step\nstep: procedure\nanswer 3\n"),
        link);
    EXPECT_EQ(run("-L root ./own").shell_status(), 43);
}

TEST_F(Dynamic, ADamagedLinkerIsNamed) {
    std::ofstream(root / "real/ld.so") << "no program";
    const auto result = run("-L root ./pie");
    EXPECT_NE(result.errors.find("its dynamic linker cannot be used: "), std::string::npos)
        << result.errors;
    EXPECT_NE(result.errors.find("/root/real/ld.so: not an ELF file"), std::string::npos)
        << result.errors;
    EXPECT_EQ(result.shell_status(), 126);
}

}  // namespace
}  // namespace e2k::test
