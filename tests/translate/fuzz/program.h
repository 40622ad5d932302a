// Random guest programs for the differential fuzzer: bundles made from the operation table by the
// assembler, with branches, loops, calls and rotations between them, mixed with compiled bundles.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "engine/isa/operation.h"
#include "tests/translate/bare_guest.h"

namespace e2k::fuzz {

using Random = std::mt19937_64;
using Words = std::vector<std::uint32_t>;

// Guest addresses every program uses.
using translate::test::kCode;
using translate::test::kData;
using translate::test::kPage;
using translate::test::kReadOnly;
using translate::test::kUnmapped;
/// Registers and globals below these numbers hold addresses in kData and are seldom overwritten.
inline constexpr unsigned kPointerRegisters = 2, kFirstPointerGlobal = 8, kPointerGlobals = 2;

struct Program {
    int iset = 4;
    Words code;                        ///< at kCode, at most one page
    std::vector<std::uint64_t> ends;   ///< addresses of bundles that stop the program
    std::vector<std::string> listing;  ///< source of each bundle, with its address
    unsigned bundles = 0;
};

/// Bundles of compiled programs, from tests/data.
std::vector<Words> compiled_bundles();

/// Makes programs for one processor version.
class ProgramMaker {
public:
    /// `compiled` must outlive the maker.
    ProgramMaker(int iset, std::span<const Words> compiled);
    Program make(Random& random) const;

private:
    struct Draft {
        std::vector<std::string> lines;
        Words compiled;  ///< instead of lines
    };
    Draft bundle(Random& random, unsigned index, unsigned count, unsigned callee) const;
    std::vector<Draft> structured(Random& random, unsigned& callee) const;
    std::vector<std::vector<std::string>> function(Random& random, unsigned first,
                                                   unsigned next) const;
    std::vector<Draft> pipelined(Random& random, unsigned& callee) const;
    std::string loop_operation(Random& random, unsigned ring) const;
    std::string common_operation(Random& random) const;
    std::string plain_access(Random& random) const;
    std::string operation(Random& random) const;
    std::string memory_operation(Random& random) const;
    void control(Random& random, unsigned count, unsigned callee, Draft& draft) const;

    int iset_;
    std::span<const Words> compiled_;
    std::vector<const isa::Operation*> plain_, memory_;
};

}  // namespace e2k::fuzz
