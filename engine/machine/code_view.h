// Decoded, printed code for panels: whole sections, as they are in memory now.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "engine/guest/address_space.h"
#include "engine/guest/elf_image.h"
#include "engine/machine/code_sweep.h"
#include "engine/machine/snapshot.h"

namespace e2k::machine {

/// Builds CodeViews and keeps the latest ones. A view that is asked for again is compared with
/// memory, and made anew where that has changed: by the program, by the kernel, by a new mapping.
class CodeViewCache {
public:
    /// `sections`: of the program; those that hold code count.
    CodeViewCache(const guest::AddressSpace& memory,
                  std::shared_ptr<const guest::SymbolTable> symbols,
                  const std::vector<guest::Section>& sections, int iset);

    /// Code around `address`; without rows if nothing can be read there.
    std::shared_ptr<const CodeView> around(std::uint64_t address);
    /// The same around a place control is at: there is a row for it, whatever it holds.
    std::shared_ptr<const CodeView> executing(std::uint64_t address);
    /// For pictures of a running program: only what has been built already, made anew a few times a
    /// second at most.
    std::shared_ptr<const CodeView> cached(std::uint64_t address);

private:
    using Clock = std::chrono::steady_clock;
    struct Extent {
        std::uint64_t begin, end;              ///< what a view holds
        std::uint64_t whole_begin, whole_end;  ///< the section or mapping it is part of
    };
    struct Entry {
        Extent extent;
        CodeImage image;
        std::shared_ptr<const CodeView> view;
        Clock::time_point made;
    };
    Extent extent_of(std::uint64_t address) const;
    Extent mapping_around(std::uint64_t address) const;
    CodeImage image_of(const Extent& extent) const;
    Entry* find(std::uint64_t address);
    void make(Entry& entry);
    std::shared_ptr<const CodeView> current(std::uint64_t address, bool executed);

    const guest::AddressSpace* memory_;  ///< another one after execve
    std::shared_ptr<const guest::SymbolTable> symbols_;
    std::vector<Extent> sections_;
    int iset_;
    std::uint64_t generation_ = 0;
    std::list<Entry> entries_;             ///< newest first
    std::vector<std::uint64_t> executed_;  ///< sorted: places that needed a row of their own
};

}  // namespace e2k::machine
