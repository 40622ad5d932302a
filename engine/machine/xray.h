// A bundle taken apart before it is executed: what every operation reads, whether its predicate
// lets it work, what it writes over what, and what would come out wrong if the operations were
// executed one after the other. All of it is computed by executing the bundle on a copy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cpu/memory.h"
#include "engine/cpu/preview.h"
#include "engine/cpu/state.h"
#include "engine/isa/bundle.h"

namespace e2k::machine {

/// Bits as shown: 64, 80 or 128 of them, or a predicate's one.
struct XrayValue {
    std::uint64_t lo = 0, ext = 0;
    std::uint8_t tag = 0;    ///< not 0: diagnostic
    std::uint8_t bits = 64;  ///< that count
    bool operator==(const XrayValue&) const = default;
};

/// A place that can be read or written in a bundle. Registers by their place in the window file, so
/// that two names of one register are the same place.
struct XrayPlace {
    enum class Kind : std::uint8_t { None, File, Global, Predicate, Ctpr, Other } kind = Kind::None;
    std::uint32_t index = 0;  ///< predicates: physical number
    bool operator==(const XrayPlace&) const = default;
};

struct XrayRead {
    std::string name;  ///< "%dr5", "0x8"
    XrayPlace place;   ///< None: a literal
    XrayValue value;
    int crosses = -1;  ///< operation of this bundle that writes the place: the old value is read
};

/// A predicate that lets an operation work or not.
struct XrayGuard {
    std::string name;  ///< "~%pred0"
    XrayPlace place;
    bool value = false;  ///< of the predicate
    bool holds = false;  ///< with the negation
    bool diagnostic = false;
};

struct XrayWrite {
    std::string name;
    XrayPlace place;
    XrayValue before, after;
    std::optional<XrayValue> sequential;  ///< what would be wrong, if operations came one by one
};

struct XrayStore {
    std::uint64_t address = 0;
    std::vector<std::uint8_t> before, after;  ///< `before` is shorter where memory cannot be read
};

struct XrayOperation {
    enum class Unit : std::uint8_t { Lane, Predicates, Array, Control } unit = Unit::Lane;
    int lane = -1;        ///< ALC
    std::string text;     ///< of the disassembler
    std::string formula;  ///< in words; may be empty
    std::vector<XrayRead> reads;
    std::vector<XrayGuard> guards;
    bool works = true;  ///< false: a guard keeps it from having an effect
    std::vector<XrayWrite> writes;
    std::vector<XrayStore> stores;
};

struct Xray {
    std::uint64_t address = 0;
    std::vector<XrayOperation> operations;  ///< lanes, predicate unit, array unit, control
    std::uint64_t next = 0;                 ///< where control goes
    bool taken = false;                     ///< not to the bundle behind
    std::string trap;                       ///< what happens instead; "" if the bundle executes
    std::string call;                       ///< "system call"; "" if it makes none
    bool wrong_in_order = false;            ///< some XrayWrite::sequential is set
};

/// Looks at bundles; keeps the copies it works on.
class XrayLens {
public:
    /// Null if there is no bundle at state.ip or the host has no room for the copies.
    std::shared_ptr<const Xray> look(const cpu::MemoryView& memory, const cpu::CpuState& state);
    /// The same for a bundle that is not in memory.
    std::shared_ptr<const Xray> look(const cpu::MemoryView& memory, const cpu::CpuState& state,
                                     const isa::Bundle& bundle);

private:
    cpu::StateCopy after_, sequential_;
};

}  // namespace e2k::machine
