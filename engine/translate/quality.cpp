#include "engine/translate/quality.h"

#include <algorithm>

#include <Zydis/Zydis.h>

namespace e2k::translate {

namespace {

/// One execution of each bundle of a region: instructions of its straight path by reason.
std::vector<std::array<std::uint32_t, kReasons>> straight_path(const RegionRecord& record) {
    std::vector<std::array<std::uint32_t, kReasons>> all(record.bundle_addresses.size());
    const std::span<const std::uint8_t> code(record.host_code);
    for (const HostRange& range : record.ranges) {
        if (range.begin >= record.cold_begin || range.bundle >= all.size()) continue;
        all[range.bundle][static_cast<std::size_t>(range.reason)] += static_cast<std::uint32_t>(
            count_instructions(code.subspan(range.begin, range.end - range.begin)));
    }
    return all;
}

Executed executed(const RegionRecord& record, std::size_t bundle,
                  const std::array<std::uint32_t, kReasons>& path) {
    Executed e;
    if (bundle >= record.bundle_executions.size()) return e;
    const std::uint64_t times = record.bundle_executions[bundle];
    e.bundles = times;
    e.operations = times * record.bundle_operations[bundle];
    for (std::size_t reason = 0; reason < kReasons; ++reason) {
        if (reason == static_cast<std::size_t>(Reason::Profile)) continue;
        e.by_reason[reason] = times * path[reason];
        e.instructions += e.by_reason[reason];
    }
    return e;
}

}  // namespace

double Executed::expansion() const {
    return operations ? static_cast<double>(instructions) / static_cast<double>(operations) : 0;
}

std::uint64_t Executed::excess() const {
    return instructions > operations ? instructions - operations : 0;
}

void Executed::add(const Executed& other) {
    bundles += other.bundles;
    operations += other.operations;
    instructions += other.instructions;
    for (std::size_t i = 0; i < kReasons; ++i) by_reason[i] += other.by_reason[i];
}

std::vector<BundleQuality> assess(const RegionRecord& record) {
    std::vector<BundleQuality> bundles;
    const auto paths = straight_path(record);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        BundleQuality& bundle = bundles.emplace_back();
        bundle.address = record.bundle_addresses[i];
        bundle.operations = record.bundle_operations[i];
        for (std::size_t reason = 0; reason < kReasons; ++reason)
            if (reason != static_cast<std::size_t>(Reason::Profile))
                bundle.instructions += paths[i][reason];
        bundle.executed = executed(record, i, paths[i]);
    }
    return bundles;
}

QualityReport assess(std::span<const std::shared_ptr<const RegionRecord>> records) {
    QualityReport report;
    for (const auto& record : records) {
        RegionQuality region{record, {}};
        for (const BundleQuality& bundle : assess(*record)) {
            region.executed.add(bundle.executed);
            report.bundles.push_back(bundle);
        }
        report.total.add(region.executed);
        report.regions.push_back(std::move(region));
    }
    const auto by_excess = [](const auto& a, const auto& b) {
        return a.executed.excess() > b.executed.excess();
    };
    std::ranges::stable_sort(report.regions, by_excess);
    std::ranges::stable_sort(report.bundles, by_excess);
    return report;
}

std::uint64_t count_instructions(std::span<const std::uint8_t> code) {
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
    std::uint64_t count = 0;
    ZydisDecodedInstruction instruction;
    while (!code.empty() && ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
                                &decoder, nullptr, code.data(), code.size(), &instruction))) {
        ++count;
        code = code.subspan(instruction.length);
    }
    return count;
}

}  // namespace e2k::translate
