// How good translated code is: host instructions per executed guest operation, by region, bundle
// and reason. Reads only region records (translator.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/translate/translator.h"

namespace e2k::translate {

inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::Profile) + 1;

/// Executed amounts. Host instructions are those of the straight path of a bundle, executed as
/// often as the bundle; cold code (exits, stubs) and the profile's own counters are left out.
/// Instructions that a guard skips count as executed.
struct Executed {
    std::uint64_t bundles = 0, operations = 0, instructions = 0;
    std::array<std::uint64_t, kReasons> by_reason{};  ///< instructions

    /// Host instructions a guest operation; 0 when no operation was executed.
    double expansion() const;
    /// Instructions above the ideal of one an operation; 0 when there are fewer.
    std::uint64_t excess() const;
    void add(const Executed& other);
};

struct BundleQuality {
    std::uint64_t address = 0;
    std::uint32_t instructions = 0, operations = 0;  ///< of one execution
    Executed executed;
};

struct RegionQuality {
    std::shared_ptr<const RegionRecord> record;
    Executed executed;
};

struct QualityReport {
    Executed total;
    std::vector<RegionQuality> regions;  ///< largest excess first
    std::vector<BundleQuality> bundles;  ///< the same order
};

/// The bundles of one record, in region order.
std::vector<BundleQuality> assess(const RegionRecord& record);
/// Weighs records made with TranslatorOptions::profile. Others count as never executed.
QualityReport assess(std::span<const std::shared_ptr<const RegionRecord>> records);

/// Host instructions in a stretch of code.
std::uint64_t count_instructions(std::span<const std::uint8_t> code);

}  // namespace e2k::translate
