// A debugger's side of the gdb protocol, without transport: packets go straight to a session.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/scratch_directory.h"
#include "engine/tools/gdb/server.h"
#include "tests/support/assembled_guest.h"

namespace e2k::tools::gdb::test {

inline std::string data(const std::string& name) {
    return std::string(E2K_SOURCE_DIR "/tests/data/") + name;
}

class Client {
public:
    explicit Client(const std::string& path, int iset = 0) {
        Debuggee::Options options;
        options.process.argv = {path};
        options.process.iset_override = iset;
        options.process.streams.output = [this](int, std::string_view text) { output += text; };
        options.process.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
        options.on_syscall = [this](const guest::SyscallRecord& record) {
            calls_.push_back(record.name);
        };
        auto started = Debuggee::start(path, std::move(options));
        if (!started) throw std::runtime_error(started.error());
        debuggee = std::move(*started);
        session = std::make_unique<Session>(*debuggee, calls_);
        (*this)(
            "qSupported:multiprocess+;swbreak+;hwbreak+;fork-events+;exec-events+;vContSupported+");
    }

    /// The answer; "-" where there is none.
    std::string operator()(const std::string& packet) {
        return session->answer(packet, [this] { return interrupted && interrupted(); })
            .value_or("-");
    }
    std::string go_on() { return (*this)("vCont;c:p1.-1"); }
    std::string step() { return (*this)("vCont;s:p1.1"); }
    std::uint64_t reg(unsigned number) {
        const auto bytes = from_hex((*this)(fmt::format("p{:x}", number)));
        std::uint64_t value = 0;
        if (!bytes) throw std::runtime_error("no register " + std::to_string(number));
        for (std::size_t i = 0; i < std::min<std::size_t>(8, bytes->size()); ++i)
            value |= std::uint64_t{(*bytes)[i]} << (8 * i);
        return value;
    }
    std::vector<std::uint8_t> memory(std::uint64_t address, std::uint64_t size) {
        return from_hex((*this)(fmt::format("m{:x},{:x}", address, size)))
            .value_or(std::vector<std::uint8_t>());
    }
    std::uint64_t word(std::uint64_t address) {
        std::uint64_t value = 0;
        const auto bytes = memory(address, 8);
        for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
        return value;
    }
    std::uint64_t pc() { return reg(53); }
    std::uint64_t window_size() { return reg(54) >> 33 & 127; }
    std::uint64_t procedure_base() { return reg(49) & kAddress; }
    std::uint64_t procedure_index() { return reg(50) & 0xffff'ffff; }
    std::uint64_t chain_base() { return reg(57) & kAddress; }
    std::uint64_t chain_index() { return reg(58) & 0xffff'ffff; }
    /// Where %rN of the stopped function lies in memory.
    std::uint64_t place_of(unsigned n, unsigned iset) {
        return register_at(procedure_base() + procedure_index() - 32 * window_size(), n, iset);
    }
    static std::uint64_t register_at(std::uint64_t first, unsigned n, unsigned iset) {
        return first + 32 * (n / 2) + (iset >= 5 ? 16 : 8) * (n & 1);
    }

    static constexpr std::uint64_t kAddress = (1ull << 48) - 1;
    std::string output;
    std::function<bool()> interrupted;
    std::unique_ptr<Debuggee> debuggee;
    std::unique_ptr<Session> session;

private:
    std::deque<std::string> calls_;
};

/// A guest of tests/data/guests.
inline std::string guest(const std::string& name) { return data("guests/elf/" + name); }

}  // namespace e2k::tools::gdb::test
