// Which tags a region looks at. Its code knows no tags: while some are visible it may run where
// nothing is diagnostic that it reads before it writes it (engine/README.md, "Tags").
#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/translate/plan.h"
#include "engine/translate/value_cache.h"

namespace e2k::translate {

/// Parts of register tags by slot of the value cache: of bits 31:0, 63:32, and what lies above.
struct RegisterTags {
    using Slots = std::bitset<kGuestRegisters>;
    Slots low, high, extension;

    /// Adds to the tag of a register the bits of `mask` (as in its tag byte).
    void add(unsigned slot, unsigned mask);
    unsigned mask(unsigned slot) const;
    RegisterTags& operator|=(const RegisterTags& other);
    RegisterTags& operator&=(const RegisterTags& other);
    RegisterTags& remove(const RegisterTags& other);
    bool operator==(const RegisterTags&) const = default;
};

/// Tags of registers and, by index in the value cache, of predicates.
struct TagSet {
    RegisterTags registers;
    std::bitset<kPredicates> predicates;
    TagSet& operator|=(const TagSet& other);
    TagSet& remove(const TagSet& other);
    bool operator==(const TagSet&) const = default;
};

struct TagSets {
    /// Per node: looked at from there on, as far as the region goes, before they are replaced.
    std::vector<TagSet> live;
    /// Per node: surely 0 in front of it if those that are live at the region's entries are.
    std::vector<RegisterTags> clean;
};

/// Bundles, by address, that do more about tags than others.
struct TagPlaces {
    /// Speculative loads that fail may go on in translated code.
    std::function<bool(std::uint64_t)> may_fail;
    /// Looks at the tags of its operands and conditions itself: they need not be 0.
    std::function<bool(std::uint64_t)> aware;
};
TagSets find_tag_sets(const Plan& plan, const TagPlaces& places);

/// The bits of the tag byte that a result of `op` replaces.
unsigned replaced_tag(const cpu::exec::MicroOp& op, const Node& node);
/// The tag of a diagnostic result of `op`.
unsigned diagnostic_tag(const cpu::exec::MicroOp& op, const Node& node);
/// The same as replaced_tag() for a mova.
unsigned replaced_tag(const cpu::exec::ArrayLoad& load);

/// Whether operation `i`, a speculative load that fails, may leave its diagnostic result in the
/// register: nothing of the region looks at it, nothing else of the bundle depends on it.
bool may_go_on(const TagSets& sets, const Node& node, unsigned i);
/// The same for a diagnostic predicate that the bundle leaves, by index in the value cache.
bool predicate_unseen(const TagSets& sets, const Node& node, unsigned predicate);
/// Whether operation `i`, an operand of which is diagnostic, does nothing but leave a diagnostic
/// result, and may do so as above.
bool may_propagate(const TagSets& sets, const Node& node, unsigned i);

/// Calls f(slot, mask) for the tags of the operands of an operation, as Executor::operand_tag()
/// sees them; of both operands between which a merge chooses.
void for_each_look(const cpu::exec::MicroOp& op, const Node& node,
                   const std::function<void(unsigned, unsigned)>& f);
/// Whether the condition of a transfer may be a predicate.
bool reads_predicate(const cpu::exec::Transfer& transfer);
/// The part of a tag byte that an operand of that width has.
unsigned looked_at(isa::Width w);

}  // namespace e2k::translate
