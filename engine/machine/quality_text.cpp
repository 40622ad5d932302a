#include "engine/machine/quality_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace e2k::machine {

using translate::BundleQuality;
using translate::Executed;
using translate::QualityReport;
using translate::Reason;
using translate::RegionQuality;

std::string quality_place(const guest::SymbolTable* symbols, std::uint64_t address) {
    const std::string name = symbols ? symbols->describe(address) : std::string();
    return name.empty() ? fmt::format("{:x}", address) : fmt::format("{:x} {}", address, name);
}

namespace {

nlohmann::json json_of(const Executed& e) {
    nlohmann::json reasons;
    for (std::size_t i = 0; i < translate::kReasons; ++i)
        if (e.by_reason[i]) reasons[translate::name_of(static_cast<Reason>(i))] = e.by_reason[i];
    return {{"bundles", e.bundles},
            {"operations", e.operations},
            {"host_instructions", e.instructions},
            {"per_operation", e.expansion()},
            {"by_reason", reasons}};
}

}  // namespace

std::string quality_json(const QualityReport& report, const guest::SymbolTable* symbols) {
    const auto place = [&](std::uint64_t address) { return quality_place(symbols, address); };
    nlohmann::json regions = nlohmann::json::array(), bundles = nlohmann::json::array();
    for (const RegionQuality& r : report.regions) {
        if (r.executed.bundles == 0) continue;
        regions.push_back({{"address", r.record->guest_begin},
                           {"place", place(r.record->guest_begin)},
                           {"configuration", r.record->key_text},
                           {"host_bytes", r.record->host_code.size()},
                           {"executed", json_of(r.executed)}});
    }
    for (const BundleQuality& b : report.bundles) {
        if (b.executed.bundles == 0) continue;
        bundles.push_back({{"address", b.address},
                           {"operations", b.operations},
                           {"host_instructions", b.instructions},
                           {"executed", json_of(b.executed)}});
    }
    return nlohmann::json{{"total", json_of(report.total)},
                          {"regions", std::move(regions)},
                          {"bundles", std::move(bundles)}}
               .dump(1) +
           "\n";
}

std::string quality_csv(const QualityReport& report, const guest::SymbolTable* symbols) {
    std::string out =
        "address,place,tier,bundles,bytes,exits,executions,operations,host_instructions,"
        "per_operation,excess\n";
    for (const RegionQuality& r : report.regions) {
        if (r.executed.bundles == 0) continue;
        std::string place = quality_place(symbols, r.record->guest_begin);
        for (std::size_t at = 0; (at = place.find('"', at)) != std::string::npos; at += 2)
            place.insert(at, 1, '"');
        out += fmt::format("0x{:x},\"{}\",{},{},{},{},{},{},{},{:.4f},{}\n", r.record->guest_begin,
                           place, r.record->tier, r.record->bundle_addresses.size(),
                           r.record->host_code.size(), r.record->exits.size(), r.executed.bundles,
                           r.executed.operations, r.executed.instructions, r.executed.expansion(),
                           r.executed.excess());
    }
    return out;
}

}  // namespace e2k::machine
