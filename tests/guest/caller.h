// Issues system calls of a guest process directly, without code of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "engine/cpu/interpreter.h"
#include "engine/guest/process.h"
#include "engine/guest/structs.h"
#include "tests/guest/guest_scratch.h"

namespace e2k::guest::test {

inline std::string guest_path(const std::string& name) {
    return std::string(E2K_SOURCE_DIR "/tests/data/guests/elf/") + name;
}

/// A started process whose main thread makes calls from a window of 32 registers, wbs = 8 quads.
class Caller : public GuestScratch {
public:
    explicit Caller(ProcessOptions options = {}) {
        auto image = ElfImage::load(guest_path("hello"));
        if (!image) throw std::runtime_error(image.error());
        auto started = Process::start(std::move(*image), std::move(options));
        if (!started) throw std::runtime_error(started.error());
        process_ = std::move(*started);
        process_->on_syscall([this](const SyscallRecord& r) { log.push_back(r); });
        map(memory(), 1 << 20);
        state().wd.size = 32;
    }
    Process& process() { return *process_; }
    Thread& thread() { return process_->main_thread(); }
    cpu::CpuState& state() { return thread().state; }
    AddressSpace& memory() { return process_->memory(); }

    cpu::Stop stop(std::uint32_t entry = 3) const {
        cpu::Stop s;
        s.kind = cpu::StopKind::SystemCall;
        s.syscall_entry = entry;
        s.syscall_wbs = kWbs;
        return s;
    }
    void load(std::uint32_t number, const std::vector<std::uint64_t>& arguments) {
        cpu::Reg* b = state().window + 2 * kWbs;
        for (unsigned i = 0; i < 8; ++i) b[i] = {};
        b[0].lo = 0xdead'beef'0000'0000ull | number;  // only the low half counts
        for (std::size_t i = 0; i < arguments.size(); ++i) b[i + 1].lo = arguments[i];
    }
    Next issue(std::uint32_t number, const std::vector<std::uint64_t>& arguments,
               std::uint32_t entry = 3) {
        load(number, arguments);
        return process_->system_call(thread(), stop(entry));
    }
    std::int64_t result() { return static_cast<std::int64_t>(state().window[2 * kWbs].lo); }
    template <class... A>
    std::int64_t call(std::uint32_t number, A... arguments) {
        EXPECT_EQ(issue(number, {static_cast<std::uint64_t>(arguments)...}), Next::Continue);
        return result();
    }

    static constexpr unsigned kWbs = 8;
    std::vector<SyscallRecord> log;

private:
    std::unique_ptr<Process> process_;
};

}  // namespace e2k::guest::test
