// Register images: how packed architectural registers are read and written (control.md §1, state.md
// §2).
#include "engine/cpu/state.h"

namespace e2k::cpu {
namespace {

constexpr std::uint64_t kAddressMask = (1ull << 48) - 1;
/// Where the kernel entry of system label n lies, as rrd shows it (control.md §1).
constexpr std::uint64_t kSystemEntryBase = 0xe200'0000'0000ull;
constexpr std::uint64_t kSystemEntrySize = 0x800;

constexpr std::uint64_t field(std::uint64_t image, unsigned low, unsigned width) {
    return (image >> low) & ((1ull << width) - 1);
}

}  // namespace

std::uint64_t Ctpr::image() const {
    const std::uint64_t address =
        tag == CtprTag::System ? kSystemEntryBase + kSystemEntrySize * base : base;
    return (address & kAddressMask) | static_cast<std::uint64_t>(tag) << 54 |
           static_cast<std::uint64_t>(opc) << 57 | static_cast<std::uint64_t>(ipd) << 59;
}

std::uint64_t LoopState::lsr_image() const {
    return (lcnt & 0xffff'ffff) | std::uint64_t{ecnt} << 32 | std::uint64_t{vlc} << 37 |
           std::uint64_t{over} << 38 | std::uint64_t{ldmc} << 39 | std::uint64_t{ldovl} << 40 |
           std::uint64_t{pcnt} << 48 | std::uint64_t{strmd} << 53 | std::uint64_t{semc} << 60;
}

LoopState LoopState::from_lsr(std::uint64_t image) {
    LoopState s;
    s.lcnt = field(image, 0, 32);
    s.ecnt = static_cast<std::uint8_t>(field(image, 32, 5));
    s.vlc = static_cast<std::uint8_t>(field(image, 37, 1));
    s.over = static_cast<std::uint8_t>(field(image, 38, 1));
    s.ldmc = static_cast<std::uint8_t>(field(image, 39, 1));
    s.ldovl = static_cast<std::uint8_t>(field(image, 40, 8));
    s.pcnt = static_cast<std::uint8_t>(field(image, 48, 5));
    s.strmd = static_cast<std::uint8_t>(field(image, 53, 7));
    s.semc = static_cast<std::uint8_t>(field(image, 60, 1));
    return s;
}

}  // namespace e2k::cpu
