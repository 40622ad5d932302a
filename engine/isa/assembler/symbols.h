// Names of a source and what they stand for.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/assembler.h"
#include "engine/isa/assembler/program.h"

namespace e2k::isa::assembler {

struct Symbol {
    std::uint64_t value = 0, size = 0;
    bool constant = false, label = false;
    bool declared_global = false, weak = false;
    SymbolType type = SymbolType::None;
    SymbolVisibility visibility = SymbolVisibility::Default;
    int defined_in_pass = -1;
    int region = 0;               ///< of a label: SymbolValue::region
    std::size_t section = 0;      ///< of a label
    bool set = false;             ///< by `=`, which may be said again
    std::string expression = {};  ///< of `==`: evaluated anew at every use
    std::string alias = {};       ///< of `.weakref`: the symbol meant
    std::size_t definition = 0;   ///< number in `Definitions`, from 1
    Link link = {};
};
using SymbolMap = std::map<std::string, Symbol, std::less<>>;

/// Which definitions by `=` use which, to find those that go in a circle.
class Definitions {
public:
    struct Use {
        std::string name;
        std::size_t definition = 0;  ///< 0: one that comes later, or a label
    };
    void clear() { all_.clear(); }
    /// Returns the number of the definition, from 1.
    std::size_t add(std::string_view name, const SourceLine& line, std::vector<Use> uses);
    /// The first definition that depends on itself; null: there is none.
    const SourceLine* circle(const SymbolMap& symbols) const;

private:
    struct Definition {
        std::string name;
        SourceLine line;
        std::vector<Use> uses;
    };
    std::vector<Definition> all_;
};

}  // namespace e2k::isa::assembler
