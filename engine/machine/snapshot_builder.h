// Turns the state of a held guest into a Snapshot.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/machine/code_view.h"
#include "engine/machine/guest.h"
#include "engine/machine/snapshot.h"

namespace e2k::machine {

/// Keeps what is expensive and rarely changes between snapshots: code views, mappings, regions.
class SnapshotBuilder {
public:
    /// `path`: the program's file, from which source lines are taken.
    SnapshotBuilder(Guest& guest, const std::string& path);

    /// Everything, of the thread `runner` executes. Nothing may be running.
    void fill(Snapshot& to, Runner& runner);
    /// Cheap: registers, counters and frames of `runner` at its safepoint, the rest as it was last.
    void fill_live(Snapshot& to, Runner& runner);

    void show_code(std::optional<std::uint64_t> address) { code_at_ = address; }
    void show_region(std::optional<std::uint64_t> address) {
        region_at_ = address;
        region_age_ = 0;
    }
    /// Translations are gone; the record in view is looked up again.
    void forget_region() {
        last_region_ = nullptr;
        region_age_ = 0;
    }
    /// Snapshots get a QualityReport, made anew about once a second.
    void watch_quality(bool on) {
        watches_quality_ = on;
        quality_ = nullptr;
        heat_ = nullptr;
    }
    void show_memory(std::uint64_t address, std::uint32_t size) {
        memory_at_ = address;
        memory_size_ = size;
    }

private:
    void fill_registers(Snapshot& to, const cpu::CpuState& state) const;
    void fill_frames(Snapshot& to, const cpu::CpuState& state, std::size_t limit) const;
    void fill_place(Snapshot& to, Runner& runner) const;
    void stay_at_the_end(Snapshot& to, Runner& runner);
    void fill_call(Snapshot& to, Runner& runner) const;
    void fill_quality(Snapshot& to);
    std::shared_ptr<const translate::RegionRecord> hottest();
    void follow_program(Runner& runner);  ///< execve may have put another one in its place

    Guest& guest_;
    std::shared_ptr<const guest::SymbolTable> symbols_;
    CodeViewCache code_;
    std::optional<std::uint64_t> code_at_, region_at_;
    int region_age_ = 0;  ///< live snapshots until `last_region_` is looked up again
    std::uint64_t memory_at_ = 0;
    std::uint32_t memory_size_ = 0;
    std::shared_ptr<const CodeView> last_code_;
    std::shared_ptr<const translate::RegionRecord> last_region_;
    std::vector<guest::Region> last_regions_;
    std::shared_ptr<const MemoryBlock> last_memory_;
    std::vector<ThreadView> last_threads_;
    std::shared_ptr<const SourceLines> source_;
    std::unordered_map<std::uint64_t, std::uint64_t> entries_;  ///< of regions, at the last look
    XrayLens lens_;
    bool watches_quality_ = false;
    std::chrono::steady_clock::time_point next_quality_{};
    std::shared_ptr<const translate::QualityReport> quality_;
    std::shared_ptr<const HeatView> heat_;
};

/// The bundle at `address` as text, one operation after the other; "" if it cannot be read.
std::string bundle_text(const cpu::MemoryView& memory, std::uint64_t address, int iset);

}  // namespace e2k::machine
