// Calls functions of the C library bridge directly, without code of a guest.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/guest/libc/row.h"
#include "engine/guest/libc/stubs.h"
#include "engine/guest/process.h"
#include "tests/guest/guest_scratch.h"
#include "tests/support/dynamic_elf.h"

namespace e2k::guest::libc::test {

/// A dynamic program at its beginning, whose thread calls library functions.
class RowCaller : public testing::Test, protected guest::test::GuestScratch {
protected:
    static constexpr std::uint64_t kBad = 0x18;  ///< nothing is mapped there

    RowCaller() {
        static const std::vector<std::uint8_t> program = e2k::test::DynamicElf{
            .source = "        begin\n",
            .functions = {"exit"},
            .objects = {"optind", "opterr"}}.bytes();
        auto image = ElfImage::parse(program, "guest");
        if (!image) throw std::runtime_error(image.error());
        ProcessOptions options;
        options.argv = {"guest"};
        options.environment = {"NAME=value", "OTHER=thing"};
        options.streams.output = [this](int fd, std::string_view text) {
            (fd == 1 ? output : errors) += text;
        };
        options.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
        auto started = Process::start(std::move(*image), options);
        if (!started) throw std::runtime_error(started.error());
        process_ = std::move(*started);
        if (!map(memory(), 1 << 20)) throw std::runtime_error("no memory");
    }
    Process& process() { return *process_; }
    AddressSpace& memory() { return process_->memory(); }
    cpu::CpuState& state() { return process_->main_thread().state; }

    /// The result of function `name`; arguments are integers and addresses.
    template <class... T>
    std::int64_t call(std::string_view name, T... arguments) {
        EXPECT_EQ(issue(name, {static_cast<std::uint64_t>(arguments)...}), Next::Continue) << name;
        return static_cast<std::int64_t>(state().window[2 * kWbs].lo);
    }
    Next issue(std::string_view name, const std::vector<std::uint64_t>& arguments) {
        const Row* const row = find_row(name);
        if (!row) throw std::runtime_error("no row " + std::string(name));
        cpu::CpuState& s = state();
        s.wd.size = 64;
        for (unsigned k = 0; k < 8; ++k) {
            s.window[k].lo = k < arguments.size() ? arguments[k] : 0;
            s.window_tags[k] = 0;
        }
        s.window[2 * kWbs].lo = kFirstRow + static_cast<std::uint64_t>(row - library_rows().data());
        s.ip = kBridgeBase + 8;
        cpu::Stop stop;
        stop.kind = cpu::StopKind::SystemCall;
        stop.syscall_entry = kBridgeGate;
        stop.syscall_wbs = kWbs;
        return process_->system_call(process_->main_thread(), stop);
    }

    std::string text_at(std::int64_t at) {
        return memory().read_string(static_cast<std::uint64_t>(at), 1 << 16).value_or("?");
    }
    /// Of the two that the program has copies of.
    static std::uint64_t place_of(std::string_view name) {
        return e2k::test::DynamicElf::kCopies + (name == "optind" ? 0 : 8);
    }
    int variable(std::string_view name) { return get<int>(place_of(name)); }
    void set_variable(std::string_view name, int value) {
        EXPECT_TRUE(memory().write(place_of(name), &value, sizeof value));
    }
    std::string output, errors;

private:
    static constexpr unsigned kWbs = 12;
    std::unique_ptr<Process> process_;
};

}  // namespace e2k::guest::libc::test
