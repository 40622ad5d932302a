#include "engine/cpu/clock_tape.h"

#include <array>
#include <atomic>

namespace e2k::cpu {
namespace {

struct Entry {
    std::atomic<const CpuState*> state{nullptr};
    std::atomic<ClockTape*> tape{nullptr};
};
std::array<Entry, 8> entries;
std::atomic<unsigned> used{0};

}  // namespace

bool set_clock_tape(const CpuState& state, ClockTape* tape) {
    for (Entry& entry : entries)
        if (entry.state.load() == &state) {
            entry.tape = tape;
            if (!tape) {
                entry.state = nullptr;
                --used;
            }
            return true;
        }
    if (!tape) return true;
    for (Entry& entry : entries) {
        const CpuState* nobody = nullptr;
        if (!entry.state.compare_exchange_strong(nobody, &state)) continue;
        entry.tape = tape;
        ++used;
        return true;
    }
    return false;
}

ClockTape* clock_tape_of(const CpuState& state) {
    if (used.load(std::memory_order_relaxed) == 0) return nullptr;
    for (const Entry& entry : entries)
        if (entry.state.load(std::memory_order_relaxed) == &state) return entry.tape.load();
    return nullptr;
}

}  // namespace e2k::cpu
