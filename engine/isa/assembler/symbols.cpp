#include "engine/isa/assembler/symbols.h"

namespace e2k::isa::assembler {

std::size_t Definitions::add(std::string_view name, const SourceLine& line, std::vector<Use> uses) {
    all_.push_back({std::string(name), line, std::move(uses)});
    return all_.size();
}

const SourceLine* Definitions::circle(const SymbolMap& symbols) const {
    // Definitions whose uses are all settled settle; what remains hangs on a circle.
    const std::size_t count = all_.size();
    std::vector<std::size_t> open(count, 0);
    std::vector<std::vector<std::size_t>> users(count);
    for (std::size_t i = 0; i < count; ++i)
        for (const Use& use : all_[i].uses) {
            std::size_t used = use.definition;
            if (used == 0) {  // the last definition counts
                const auto at = symbols.find(use.name);
                if (at != symbols.end()) used = at->second.definition;
            }
            if (used == 0 || used > count) continue;
            users[used - 1].push_back(i);
            ++open[i];
        }
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < count; ++i)
        if (open[i] == 0) ready.push_back(i);
    for (std::size_t at = 0; at < ready.size(); ++at)
        for (const std::size_t user : users[ready[at]])
            if (--open[user] == 0) ready.push_back(user);
    if (ready.size() == count) return nullptr;
    for (std::size_t i = 0; i < count; ++i)
        if (open[i] != 0) return &all_[i].line;
    return nullptr;
}

}  // namespace e2k::isa::assembler
