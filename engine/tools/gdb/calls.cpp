#include "engine/tools/gdb/calls.h"

#include <cstring>

#include "engine/cpu/interpreter.h"

namespace e2k::tools::gdb {
namespace {

enum Number : unsigned {
    kChainOffset = 2,
    kArchitecture = 661,
    kEntryPoint,
    kCallDummy,
    kPrologue,
    kCallTarget,
    kDoubleRegister,
    kDoubleStack,
    kQuadRegister,
    kQuadStack,
};

/// The dummy frame: five quads, of which three from %r2 on are based.
constexpr unsigned kDummyWindow = 10, kDummyBase = 1, kDummySize = 3;
constexpr std::uint64_t kFlag = 1;

std::uint64_t word(std::span<const std::uint8_t> bytes, std::size_t at = 0) {
    std::uint64_t value = 0;
    if (at < bytes.size())
        std::memcpy(&value, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
    return value;
}

bool has_room(const cpu::CpuState& s, unsigned registers) {
    return s.chain_limit - s.chain_top >= 3 && s.window_limit - s.window >= int(registers);
}

/// {set, number, value(s), tags}: parameter %b[number].
bool set_parameter(cpu::CpuState& s, std::span<const std::uint8_t> bytes) {
    const bool quad = bytes.size() == 33;
    const std::uint8_t tags = bytes.back();
    for (unsigned i = 0; i < (quad ? 2u : 1u); ++i) {
        const auto number = static_cast<unsigned>(word(bytes, 8) & 0xff) + i;
        const int at = s.based_index(number, s.wd.size);
        if (at < 0) return false;
        s.window[at].lo = word(bytes, 16 + 8 * i);
        s.window_tags[at] = (tags >> (4 * i)) & 15;
        if (s.window_tags[at]) s.tags_live = 1;
    }
    return true;
}

}  // namespace

bool FunctionCalls::push_dummy(cpu::CpuState& s) {
    if (!has_room(s, s.wd.size + kDummyWindow + cpu::kMaxWindow)) return false;
    saved_.push_back({s.depth(), s.ip, s.ctpr, s.lsr, s.ilcr, s.aau, s.pfpfr, s.fpcr, s.fpsr,
                      s.upsr, s.wd, s.usd_base, s.usd_size, s.pred, s.br});
    cpu::push_call(s, s.wd.size, s.ip);
    return true;
}

bool FunctionCalls::begin(cpu::CpuState& s, std::uint64_t prologue) const {
    const std::uint64_t room = 0 - (prologue & ~kFlag);
    if (room > s.usd_size || room % 16 != 0) return false;
    s.wd.size = kDummyWindow;
    s.wd.psize = 0;
    for (unsigned i = 0; i < kDummyWindow; ++i) {
        s.window[i] = {};
        s.window_tags[i] = 0;
    }
    s.br = {};
    s.br.rbs = kDummyBase;
    s.br.rsz = kDummySize;
    s.usd_base -= room;
    s.usd_size -= room;
    return true;
}

bool FunctionCalls::push_call(cpu::CpuState& s) const {
    constexpr unsigned kCallersPart = 2 * kDummyBase;
    if (s.wd.size != kDummyWindow || !has_room(s, cpu::kMaxWindow)) return false;
    cpu::push_call(s, kCallersPart, entry_);
    return true;
}

/// Forgets the frames above a length of the chain: the call is over.
bool FunctionCalls::drop_to(cpu::CpuState& s, std::uint64_t chain_bytes) {
    const std::uint64_t depth = chain_bytes / 32 - 1;
    if (chain_bytes % 32 != 0 || depth > s.depth()) return false;
    while (s.depth() > depth) s.ip = cpu::pop_return(s);
    while (!saved_.empty() && saved_.back().depth > depth) saved_.pop_back();
    if (saved_.empty() || saved_.back().depth != depth) return true;
    const Saved& old = saved_.back();
    s.ip = old.ip;
    s.ctpr = old.ctpr;
    s.lsr = old.lsr;
    s.ilcr = old.ilcr;
    s.aau = old.aau;
    s.pfpfr = old.pfpfr;
    s.fpcr = old.fpcr;
    s.fpsr = old.fpsr;
    s.upsr = old.upsr;
    s.wd = old.wd;
    s.usd_base = old.usd_base;
    s.usd_size = old.usd_size;
    s.pred = old.pred;
    s.br = old.br;
    saved_.pop_back();
    return true;
}

bool FunctionCalls::write(cpu::CpuState& state, guest::AddressSpace& memory, unsigned number,
                          std::span<const std::uint8_t> bytes, bool& ok) {
    constexpr std::size_t kDouble = 25, kQuad = 33;
    ok = bytes.size() == (number < kDoubleRegister ? 8 : number < kQuadRegister ? kDouble : kQuad);
    switch (number) {
        case kChainOffset:
            ok = ok && drop_to(state, word(bytes));
            return true;
        case kArchitecture:
            return true;
        case kEntryPoint:
            if (ok) entry_ = word(bytes) & ~kFlag;
            return true;
        case kCallDummy:
            ok = ok && push_dummy(state);
            return true;
        case kPrologue:
            ok = ok && begin(state, word(bytes));
            return true;
        case kCallTarget:
            ok = ok && push_call(state);
            return true;
        case kDoubleRegister:
        case kQuadRegister:
            ok = ok && set_parameter(state, bytes);
            return true;
        case kDoubleStack:
        case kQuadStack:
            ok = ok && memory.write(state.usd_base + word(bytes, 8), bytes.data() + 16,
                                    number == kQuadStack ? 16 : 8);
            return true;
        default:
            return false;
    }
}

}  // namespace e2k::tools::gdb
