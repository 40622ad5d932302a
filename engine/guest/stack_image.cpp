#include "engine/guest/stack_image.h"

#include <algorithm>
#include <cstring>

#include "engine/cpu/interpreter.h"
#include "engine/guest/memory_observer.h"
#include "engine/guest/syscalls/chain.h"

namespace e2k::guest {
namespace {

constexpr std::uint64_t kRecord = sizeof(ChainRecordE2k);
constexpr std::uint64_t kRegister = sizeof(cpu::Reg);

/// Record `index` of the chain; the first one is its end.
ChainRecordE2k record_of(const cpu::CpuState& state, std::uint64_t index) {
    if (index == 0) return {};
    const cpu::ChainFrame& frame = state.chain_file[index - 1];
    if (frame.return_ip == cpu::kSentinelReturn) return {0, kTrampolineRecord, kPsrUser, 0};
    return publish(frame);
}

bool is_inside(std::uint64_t address, std::uint64_t base, std::uint64_t size) {
    return address >= base && address - base < size;
}

}  // namespace

std::uint64_t StackImage::procedure_size() const {
    return kRegister * (state_.window_index() + state_.wd.size);
}

std::uint64_t StackImage::chain_size() const { return kRecord * (state_.depth() + 1); }

std::vector<std::uint8_t> StackImage::read_chain(std::uint64_t offset, std::uint64_t size) const {
    std::vector<std::uint8_t> bytes(size);
    for (std::uint64_t i = 0; i < size;) {
        const std::uint64_t at = offset + i, inside = at % kRecord;
        const ChainRecordE2k record = record_of(state_, at / kRecord);
        const std::uint64_t count = std::min(kRecord - inside, size - i);
        std::memcpy(bytes.data() + i, reinterpret_cast<const std::uint8_t*>(&record) + inside,
                    count);
        i += count;
    }
    return bytes;
}

std::optional<std::vector<std::uint8_t>> StackImage::read(std::uint64_t address,
                                                          std::uint64_t size) const {
    if (is_inside(address, state_.psp_base, procedure_size())) {
        const std::uint64_t offset = address - state_.psp_base, skip = offset % 8;
        size = std::min(size, procedure_size() - offset);
        auto bytes = read_procedure_stack(state_, offset - skip, size + skip);
        bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(skip));
        return bytes;
    }
    if (is_inside(address, state_.pcsp_base, chain_size())) {
        const std::uint64_t offset = address - state_.pcsp_base;
        return read_chain(offset, std::min(size, chain_size() - offset));
    }
    return std::nullopt;
}

bool StackImage::write_chain(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
    for (std::uint64_t i = 0; i < bytes.size();) {
        const std::uint64_t at = offset + i, inside = at % kRecord, index = at / kRecord;
        const std::uint64_t count = std::min<std::uint64_t>(kRecord - inside, bytes.size() - i);
        ChainRecordE2k record = record_of(state_, index);
        std::memcpy(reinterpret_cast<std::uint8_t*>(&record) + inside, bytes.data() + i, count);
        if (!cpu::is_sound_rotation(cpu::rotation_from(record.cr1_hi))) return false;
        if (index > 0) accept(state_.chain_file[index - 1], record, state_.exact_tags != 0);
        i += count;
    }
    return true;
}

void StackImage::announce() const {
    if (MemoryObserver* const observer = observer_of(state_.memory_base))
        observer->stacks_written();
}

bool StackImage::write(std::uint64_t address, std::span<const std::uint8_t> bytes) {
    announce();
    if (bytes.empty()) return true;
    if (is_inside(address, state_.psp_base, procedure_size())) {
        const std::uint64_t offset = address - state_.psp_base, skip = offset % 8;
        if (bytes.size() > procedure_size() - offset) return false;
        std::vector<std::uint8_t> whole = read_procedure_stack(
            state_, offset - skip, (skip + bytes.size() + 7) & ~std::uint64_t{7});
        std::ranges::copy(bytes, whole.begin() + static_cast<std::ptrdiff_t>(skip));
        write_procedure_stack(state_, offset - skip, whole);
        return true;
    }
    if (!is_inside(address, state_.pcsp_base, chain_size())) return false;
    const std::uint64_t offset = address - state_.pcsp_base;
    return bytes.size() <= chain_size() - offset && write_chain(offset, bytes);
}

std::optional<std::uint8_t> StackImage::tag(std::uint64_t address) const {
    if (!is_inside(address, state_.psp_base, procedure_size())) return std::nullopt;
    const std::uint64_t offset = address - state_.psp_base;
    const auto index = procedure_register(state_, offset);
    if (!index) return 0;
    return state_.tag_file[*index] >> (offset % 8 < 4 ? 0 : 2) & 3;
}

bool StackImage::set_tag(std::uint64_t address, std::uint8_t tag) {
    announce();
    if (!is_inside(address, state_.psp_base, procedure_size())) return false;
    const std::uint64_t offset = address - state_.psp_base;
    if (const auto index = procedure_register(state_, offset)) {
        const unsigned shift = offset % 8 < 4 ? 0 : 2;
        std::uint8_t& byte = state_.tag_file[*index];
        byte = static_cast<std::uint8_t>((byte & ~(3u << shift)) | (tag & 3u) << shift);
        if (tag & 3) state_.tags_live = 1;
    }
    return true;
}

}  // namespace e2k::guest
