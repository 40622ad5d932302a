#include "engine/translate/emitters.h"

#include <unordered_map>
#include <vector>

namespace e2k::translate {
namespace {

std::vector<const Emitter*> make_table() {
    std::unordered_map<std::string_view, const Emitter*> by_name;
    for (const auto list :
         {integer_emitters(), bitfield_emitters(), compare_emitters(), combined_emitters(),
          float_emitters(), float_packed_emitters(), float80_emitters(), packed_emitters()})
        for (const Emitter& e : list) by_name.emplace(e.mnemonic, &e);
    std::vector<const Emitter*> table(isa::operations().size(), nullptr);
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto it = by_name.find(isa::operations()[i].mnemonic);
        if (it != by_name.end()) table[i] = it->second;
    }
    return table;
}

std::vector<const Emitter*>& table() {
    static std::vector<const Emitter*> table = make_table();
    return table;
}

}  // namespace

const Emitter* emitter_of(isa::OpIndex op) { return table()[op]; }

void replace_emitter_for_test(std::string_view mnemonic, const Emitter* emitter) {
    const std::vector<const Emitter*> right = make_table();
    for (std::size_t i = 0; i < right.size(); ++i)
        if (isa::operations()[i].mnemonic == mnemonic) table()[i] = emitter ? emitter : right[i];
}

}  // namespace e2k::translate
