#include "engine/isa/assembler/plt.h"

#include <fmt/format.h>

#include <initializer_list>
#include <string>

#include "engine/isa/assembler/assembler.h"

namespace e2k::isa::assembler {
namespace {

constexpr std::uint64_t kWord = 8;
constexpr std::uint64_t kLazyEntry = 0x20;   ///< bytes
constexpr std::uint64_t kRelocation = 0x18;  ///< bytes of an entry of .rela.plt
constexpr std::string_view kWindow = "setwd wsz = 0x8, nfx = 0x1, dbl = 0x0";

struct Sizes {
    std::uint64_t header, entry;
};
constexpr Sizes sizes_of(bool position_independent) {
    return position_independent ? Sizes{0x50, 0x40} : Sizes{0x40, 0x28};
}

class Writer {
public:
    explicit Writer(const PltPlan& plan) : plan_(plan) {}

    std::uint64_t here() const { return plan_.address + bytes_.size(); }

    void bundle(std::initializer_list<std::string> operations) {
        std::vector<SourceLine> lines;
        for (const std::string& text : operations) lines.push_back({text, 1, 1});
        AssemblerOptions options;
        options.iset = plan_.iset;
        const auto made = assemble_bundle(lines, here(), options);
        if (made) bytes_.insert(bytes_.end(), made->begin(), made->end());
    }

    void bind() {
        bundle({"movtd,0 %dr8, %ctpr1"});
        bundle({"ct %ctpr1", "ipd 2"});
    }

    void pad_to(std::uint64_t size) { bytes_.resize(size); }

    std::vector<std::uint8_t> take() { return std::move(bytes_); }

private:
    const PltPlan& plan_;
    std::vector<std::uint8_t> bytes_;
};

std::string from_here(const Writer& w, std::uint64_t address) {
    return fmt::format("_f32s {:#x}", static_cast<std::uint32_t>(address - w.here()));
}

/// Calls the dynamic linker with what it has left in the table and the relocation's offset in %r9.
void header(const PltPlan& plan, Writer& w) {
    const std::uint64_t map = plan.table + kWord, binder = plan.table + 2 * kWord;
    if (plan.position_independent) {
        const auto low = from_here(w, map), high = from_here(w, binder);
        w.bundle({"rrd,0 %ip, %dr10"});
        w.bundle({"nop 2", "ldd,0 %dr10, " + low + ", %dr8", "ldd,2 %dr10, " + high + ", %dr10"});
    } else {
        w.bundle({"nop 2", fmt::format("ldd,0 0x0, _f64 {:#x}, %dr8", map),
                  fmt::format("ldd,2 0x8, _f64 {:#x}, %dr10", map)});
    }
    w.bundle({"movtd,0 %dr10, %ctpr1"});
    w.bundle({"ipd 2", "call %ctpr1, wbs = 0x4"});
    w.bind();
}

void lazy_entry(const PltPlan& plan, std::size_t stub, Writer& w) {
    const auto back = (plan.address - w.here()) / 8 & 0xfff'ffff;
    w.bundle({"ipd 2", fmt::format("adds,0 0x0, _f32s {:#x}, %r9", kRelocation * stub),
              fmt::format("ibranch {:#x}", back), std::string(kWindow)});
}

void entry(const PltPlan& plan, std::size_t stub, Writer& w) {
    const std::uint64_t slot = plan.table + kWord * (kReservedWords + stub);
    if (plan.position_independent) {
        const auto distance = from_here(w, slot);
        w.bundle({"rrd,0 %ip, %dr8", std::string(kWindow)});
        w.bundle({"nop 2", "ldd,0 %dr8, " + distance + ", %dr8"});
    } else {
        w.bundle({"nop 2", fmt::format("ldd,0 0x0, _f64 {:#x}, %dr8", slot), std::string(kWindow)});
    }
    w.bind();
}

}  // namespace

std::uint64_t plt_lazy_entry(const PltPlan& plan, std::size_t stub) {
    return plan.address + sizes_of(plan.position_independent).header + kLazyEntry * stub;
}

std::uint64_t plt_entry(const PltPlan& plan, std::size_t stub) {
    return plt_lazy_entry(plan, plan.stubs) + sizes_of(plan.position_independent).entry * stub;
}

std::vector<std::uint8_t> plt_code(const PltPlan& plan) {
    Writer w(plan);
    header(plan, w);
    for (std::size_t i = 0; i < plan.stubs; ++i) {
        w.pad_to(plt_lazy_entry(plan, i) - plan.address);
        lazy_entry(plan, i, w);
    }
    for (std::size_t i = 0; i < plan.stubs; ++i) {
        w.pad_to(plt_entry(plan, i) - plan.address);
        entry(plan, i, w);
    }
    w.pad_to(plt_entry(plan, plan.stubs) - plan.address);
    return w.take();
}

}  // namespace e2k::isa::assembler
