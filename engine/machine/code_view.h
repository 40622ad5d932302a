// Decoded, printed code for panels, cached until the code changes.
#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include "engine/cpu/memory.h"
#include "engine/guest/elf_image.h"
#include "engine/machine/snapshot.h"

namespace e2k::machine {

/// Builds CodeViews of whole functions (or of a stretch of bytes where no symbol is known) and
/// keeps the latest ones.
class CodeViewCache {
public:
    CodeViewCache(cpu::MemoryView memory, std::shared_ptr<const guest::SymbolTable> symbols,
                  int iset);

    /// Code around `address`; null if no executable memory is there.
    std::shared_ptr<const CodeView> around(std::uint64_t address);
    /// The same, if it has been built already.
    std::shared_ptr<const CodeView> cached(std::uint64_t address) const;
    void forget();  ///< some code changed

private:
    struct Entry {
        std::uint64_t begin, end;
        std::shared_ptr<const CodeView> view;
    };
    struct Extent {
        std::uint64_t begin, end;
    };
    Extent extent_of(std::uint64_t address) const;

    cpu::MemoryView memory_;
    std::shared_ptr<const guest::SymbolTable> symbols_;
    int iset_;
    std::uint64_t generation_ = 0;
    std::list<Entry> entries_;  ///< newest first
};

}  // namespace e2k::machine
