#include "engine/guest/syscalls/chain.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "engine/cpu/interpreter.h"

namespace e2k::guest {

ChainRecordE2k publish(const cpu::ChainFrame& frame) {
    if (frame.return_ip == cpu::kSentinelReturn) return {0, 0, kPsrMonitor, 0};
    ChainRecordE2k record;
    record.cr0_lo = cpu::predicate_image(frame.pred);
    record.cr0_hi = frame.return_ip;
    record.cr1_lo = std::uint64_t{frame.wd.fx} << 25 | std::uint64_t{frame.wd.psize} / 2 << 26 |
                    std::uint64_t{frame.wbs} / 2 << 33 | kPsrUser;
    record.cr1_hi = cpu::rotation_image(frame.br) | std::uint64_t{frame.wd.dbl} << 35 |
                    std::uint64_t{frame.ussz} << 36;
    return record;
}

void accept(cpu::ChainFrame& frame, const ChainRecordE2k& record, bool tags) {
    if (frame.return_ip == cpu::kSentinelReturn) return;
    const unsigned kept = tags ? cpu::kPredValue | cpu::kPredTag : cpu::kPredValue;
    for (unsigned n = 0; n < frame.pred.size(); ++n)
        frame.pred[n] = static_cast<std::uint8_t>(record.cr0_lo >> (2 * n) & kept);
    frame.return_ip = record.cr0_hi & kAddressMask & ~7ull;
    frame.br = cpu::rotation_from(record.cr1_hi);
    frame.wd.dbl = record.cr1_hi >> 35 & 1;
    for (const std::uint8_t p : frame.pred)
        if (p & cpu::kPredTag) frame.wd.tagged = 1;
}

namespace {

bool is_old_order(const cpu::CpuState& state) { return state.iset < 5; }

std::uint64_t* procedure_word(const cpu::CpuState& state, std::uint64_t offset) {
    const std::uint64_t quad = offset / 32 * 2, slot = offset / 8 % 4;
    cpu::Reg& reg = state.window_file[quad + (is_old_order(state) ? slot % 2 : slot / 2)];
    const bool value = is_old_order(state) ? slot < 2 : slot % 2 == 0;
    return value ? &reg.lo : &reg.ext;
}

}  // namespace

std::vector<std::uint8_t> read_procedure_stack(const cpu::CpuState& state, std::uint64_t offset,
                                               std::uint64_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::uint64_t i = 0; i < size; i += 8)
        std::memcpy(bytes.data() + i, procedure_word(state, offset + i),
                    std::min<std::uint64_t>(8, size - i));
    return bytes;
}

void write_procedure_stack(cpu::CpuState& state, std::uint64_t offset,
                           std::span<const std::uint8_t> bytes) {
    for (std::uint64_t i = 0; i < bytes.size(); i += 8) {
        std::memcpy(procedure_word(state, offset + i), bytes.data() + i,
                    std::min<std::uint64_t>(8, bytes.size() - i));
        if (const auto index = procedure_register(state, offset + i)) state.tag_file[*index] = 0;
    }
}

std::optional<std::uint64_t> procedure_register(const cpu::CpuState& state, std::uint64_t offset) {
    const std::uint64_t quad = offset / 32 * 2, slot = offset / 8 % 4;
    if (is_old_order(state)) return slot < 2 ? std::optional(quad + slot) : std::nullopt;
    return slot % 2 == 0 ? std::optional(quad + slot / 2) : std::nullopt;
}

cpu::ChainFrame call_frame(const Call& call) {
    const cpu::CpuState& state = call.thread.state;
    cpu::ChainFrame frame;
    frame.pred = state.pred;
    frame.return_ip = state.ip;
    frame.wd = state.wd;
    frame.br = state.br;
    frame.wbs = 2 * call.stop.syscall_wbs;
    frame.ussz = static_cast<std::uint32_t>(state.usd_size >> 4);
    return frame;
}

bool same_code_class(const AddressSpace& memory, std::uint64_t from, std::uint64_t to) {
    if (from == to) return true;
    const auto old_place = memory.region_at(from), new_place = memory.region_at(to);
    return old_place && new_place && old_place->prot == new_place->prot;
}

namespace {

/// The window that a target asks for, in registers.
struct Wanted {
    unsigned wbs, wpsz, psize;
    std::uint64_t moved;  ///< by the frames above the target
};

/// What is wrong with the sizes; empty: nothing. `below`: the record of the function's own caller.
std::string size_complaint(const cpu::CpuState& state, const cpu::ChainFrame& target,
                           const cpu::ChainFrame* below, const Wanted& w) {
    const std::uint64_t index = state.window_index();
    if (w.psize % 2 != 0 || w.psize + w.wbs > cpu::kMaxWindow)
        return fmt::format("a window of {} registers, the largest has {}", w.psize + w.wbs,
                           cpu::kMaxWindow);
    if (w.wpsz > w.psize + w.wbs)
        return fmt::format("{} parameters in a window of {} registers", w.wpsz, w.psize + w.wbs);
    if (below && w.wpsz + below->wbs > cpu::kMaxWindow)
        return fmt::format(
            "{} parameters: its return would make a window of {} registers, the "
            "largest has {}",
            w.wpsz, w.wpsz + below->wbs, cpu::kMaxWindow);
    const std::uint64_t down = w.moved + target.wbs;
    const auto room = static_cast<std::uint64_t>(state.window_limit - state.window_file);
    if (down > index || index - down + w.wbs + w.psize > room)
        return "a window outside the procedure stack";
    return {};
}

}  // namespace

tl::expected<unsigned, std::string> jump_in_chain(Process::Impl& process, Thread& thread,
                                                  const ChainTarget& to) {
    cpu::CpuState& state = thread.state;
    // The newest record is that of the system call in progress, which lives in registers.
    const bool in_place = to.depth == state.depth() + 1;
    if (to.depth == 0 || to.depth > state.depth() + 1)
        return tl::unexpected(std::string("the function has returned"));
    cpu::ChainFrame here;
    here.return_ip = state.ip;
    here.wd = state.wd;
    cpu::ChainFrame* const target = in_place ? &here : state.chain_file + to.depth - 1;
    if (target->return_ip == cpu::kSentinelReturn)
        return tl::unexpected(std::string("its target is a signal trampoline"));
    if (to.cr1_lo & kPsrMonitor)
        return tl::unexpected(std::string("the record is one of the kernel's (psr.pm is set)"));
    if (!cpu::is_sound_rotation(to.br))
        return tl::unexpected(std::string("the rotation lies outside its area"));

    Wanted w{static_cast<unsigned>(to.cr1_lo >> 33 & 127) * 2,
             static_cast<unsigned>(to.cr1_lo >> 26 & 127) * 2, 0, 0};
    if (!to.psize && w.wbs > target->wd.size)
        return tl::unexpected(fmt::format("it moves the window by {} registers, which has {}",
                                          w.wbs, target->wd.size));
    w.psize = to.psize ? *to.psize : target->wd.size - w.wbs;
    for (std::size_t i = to.depth; i < state.depth(); ++i) w.moved += state.chain_file[i].wbs;
    const cpu::ChainFrame* below = to.depth > 1 ? state.chain_file + to.depth - 2 : nullptr;
    if (auto complaint = size_complaint(state, *target, below, w); !complaint.empty())
        return tl::unexpected("it describes " + complaint);
    const std::uint64_t ip = to.ip & kAddressMask & ~7ull;
    if (!same_code_class(*process.memory, target->return_ip, ip))
        return tl::unexpected(
            fmt::format("0x{:x} is not code like 0x{:x}, where the function "
                        "would return to",
                        ip, target->return_ip));

    const std::uint8_t* const old_end = state.window_tags + state.wd.size;
    if (in_place) {
        state.ip = ip;
        state.br = to.br;
        state.wd.fx = to.cr1_lo >> 25 & 1;
        state.wd.psize = static_cast<std::uint16_t>(w.wpsz);
        state.wd.size = static_cast<std::uint16_t>(w.psize + w.wbs);
        if (state.exact_tags) cpu::clear_tags_above(state, old_end);
        return w.wbs;
    }
    Process::Impl::drop_contexts(thread, to.depth);
    // The frame may have made another call since: where the window stands now follows from the
    // record, what the continuation expects to find at %b[0] from the target.
    const std::ptrdiff_t by =
        static_cast<std::ptrdiff_t>(w.wbs) - static_cast<std::ptrdiff_t>(w.moved + target->wbs);
    state.window += by;
    state.window_tags += by;
    target->wbs = w.wbs;
    target->return_ip = ip;
    target->wd.fx = to.cr1_lo >> 25 & 1;
    target->wd.psize = static_cast<std::uint16_t>(w.wpsz);
    target->br = to.br;
    state.chain_top = target + 1;
    state.wd.psize = static_cast<std::uint16_t>(w.psize);
    state.ip = cpu::pop_return(state);
    if (state.exact_tags) cpu::clear_tags_above(state, old_end);
    return w.wbs;
}

}  // namespace e2k::guest
