// Family IntShift: shifts and rotations (integer.md §2).
#include "engine/cpu/semantics/families.h"
#include "engine/cpu/semantics/int_pieces.h"

namespace e2k::cpu {
namespace {

using namespace integer;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

constexpr SemanticEntry kEntries[] = {
    {"shls", SemKind::Int64, binary<Shl, U32>}, {"shld", SemKind::Int64, binary<Shl, U64>},
    {"shrs", SemKind::Int64, binary<Shr, U32>}, {"shrd", SemKind::Int64, binary<Shr, U64>},
    {"sars", SemKind::Int64, binary<Sar, U32>}, {"sard", SemKind::Int64, binary<Sar, U64>},
    {"scls", SemKind::Int64, binary<Scl, U32>}, {"scld", SemKind::Int64, binary<Scl, U64>},
    {"scrs", SemKind::Int64, binary<Scr, U32>}, {"scrd", SemKind::Int64, binary<Scr, U64>},
};

}  // namespace

std::span<const SemanticEntry> int_shift_entries() { return kEntries; }

}  // namespace e2k::cpu
