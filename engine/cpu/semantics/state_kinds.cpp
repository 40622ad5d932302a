// Operations that the interpreter performs itself, because they touch state: memory, tags, state
// registers, branches (integer.md §11, memory.md, integer.md §12). Sizes in bytes. Not here:
// protected-mode and segment accesses, ldaa*, movtr* (versions.md §3); they have no meaning in
// 64-bit programs.
#include "engine/cpu/semantics/families.h"

namespace e2k::cpu {
namespace {

constexpr std::uint8_t kWord = 4, kDouble = 8, kQuad = 16;

constexpr SemanticEntry kEntries[] = {
    {"ldb", SemKind::Load, std::uint8_t{1}},
    {"ldh", SemKind::Load, std::uint8_t{2}},
    {"ldw", SemKind::Load, kWord},
    {"ldd", SemKind::Load, kDouble},
    {"ldqp", SemKind::Load, kQuad},
    {"stb", SemKind::Store, std::uint8_t{1}},
    {"sth", SemKind::Store, std::uint8_t{2}},
    {"stw", SemKind::Store, kWord},
    {"std", SemKind::Store, kDouble},
    {"stqp", SemKind::Store, kQuad},
    {"stmqp", SemKind::Store, kQuad},

    {"staab", SemKind::ArrayStore, std::uint8_t{1}},
    {"staah", SemKind::ArrayStore, std::uint8_t{2}},
    {"staaw", SemKind::ArrayStore, kWord},
    {"staad", SemKind::ArrayStore, kDouble},
    {"staaq", SemKind::ArrayStore, kQuad},
    {"staaqp", SemKind::ArrayStore, kQuad},
    {"aaurw", SemKind::AauWrite, kWord},
    {"aaurws", SemKind::AauWrite, kWord},
    {"aaurwd", SemKind::AauWrite, kDouble},
    {"aaurwq", SemKind::AauWrite, kQuad},
    {"aaurr", SemKind::AauRead, kWord},
    {"aaurrd", SemKind::AauRead, kDouble},
    {"aaurrq", SemKind::AauRead, kQuad},

    {"movts", SemKind::MoveTag, kWord},
    {"movtd", SemKind::MoveTag, kDouble},
    {"movtq", SemKind::MoveTag, kQuad},
    {"movtcs", SemKind::MoveTag, kWord},
    {"movtcd", SemKind::MoveTag, kDouble},
    {"movtcq", SemKind::MoveTag, kQuad},
    {"gettags", SemKind::TagOp, kWord},
    {"gettagd", SemKind::TagOp, kDouble},
    {"puttags", SemKind::TagOp, kWord},
    {"puttagd", SemKind::TagOp, kDouble},
    {"puttagqp", SemKind::TagOp, kQuad},

    {"rrs", SemKind::StateRead, kWord},
    {"rrd", SemKind::StateRead, kDouble},
    {"rws", SemKind::StateWrite, kWord},
    {"rwd", SemKind::StateWrite, kDouble},
    {"getsp", SemKind::GetSp, kDouble},
    {"ibranchd", SemKind::IndirectBranch, kDouble},
    {"icalld", SemKind::IndirectBranch, kDouble},
};

}  // namespace

std::span<const SemanticEntry> state_entries() { return kEntries; }

}  // namespace e2k::cpu
