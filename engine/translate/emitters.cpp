#include "engine/translate/emitters.h"

#include <unordered_map>
#include <vector>

namespace e2k::translate {
namespace {

std::vector<const Emitter*> make_table() {
    std::unordered_map<std::string_view, const Emitter*> by_name;
    for (const auto list :
         {integer_emitters(), bitfield_emitters(), compare_emitters(), combined_emitters(),
          float_emitters(), float_packed_emitters(), float_combined_packed_emitters(),
          float80_emitters(), packed_emitters(), packed_shift_emitters(), packed_permute_emitters(),
          packed_multiply_emitters()})
        for (const Emitter& e : list) by_name.emplace(e.mnemonic, &e);
    std::vector<const Emitter*> table(isa::operations().size(), nullptr);
    for (std::size_t i = 0; i < table.size(); ++i) {
        const isa::Operation& row = isa::operations()[i];
        const auto it = by_name.find(row.mnemonic);
        if (it != by_name.end()) table[i] = it->second;
        if (row.family == isa::Family::Plog) table[i] = &truth_table_emitter(row);
    }
    return table;
}

std::vector<const Emitter*>& table() {
    static std::vector<const Emitter*> table = make_table();
    return table;
}

}  // namespace

const Emitter* emitter_of(isa::OpIndex op) { return table()[op]; }

bool has_function(cpu::SemKind kind) {
    using cpu::SemKind;
    switch (kind) {
        case SemKind::Int64:
        case SemKind::Sse64:
        case SemKind::Int128:
        case SemKind::Sse128:
        case SemKind::X87:
            return true;
        default:
            return false;
    }
}

HostCode host_code_of(isa::OpIndex op, cpu::SemKind kind) {
    using cpu::SemKind;
    const auto own_or_call = [](bool own) { return own ? HostCode::Own : HostCode::Call; };
    if (has_function(kind)) return own_or_call(emitter_of(op) != nullptr);
    switch (kind) {
        case SemKind::Div:
            return own_or_call(has_division(op));
        case SemKind::Load:
        case SemKind::Store:
        case SemKind::ArrayStore:
        case SemKind::AauWrite:
        case SemKind::MoveTag:
        case SemKind::TagOp:
        case SemKind::GetSp:
        case SemKind::StateRead:
        case SemKind::StateWrite:
            return HostCode::Own;
        default:
            return HostCode::None;
    }
}

void replace_emitter_for_test(std::string_view mnemonic, const Emitter* emitter) {
    const std::vector<const Emitter*> right = make_table();
    for (std::size_t i = 0; i < right.size(); ++i)
        if (isa::operations()[i].mnemonic == mnemonic) table()[i] = emitter ? emitter : right[i];
}

}  // namespace e2k::translate
