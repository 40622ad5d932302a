// Inside of the dynamic linker; for its own files only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "engine/guest/loader/linker.h"

namespace e2k::guest::loader {

struct LoadedObject {
    ElfImage image;  ///< of a library; empty for the program
    std::unique_ptr<ObjectFile> file;
    std::uint64_t bias = 0;
    std::uint64_t tls_offset = 0;           ///< of its block from the thread pointer
    unsigned tls_module = 0;                ///< 0: none
    std::vector<std::size_t> dependencies;  ///< places among the objects
    bool global = true;                     ///< its names serve all objects
    /// The objects that came with it, itself among them: they serve it, too.
    std::vector<std::size_t> group;
};

/// What a symbol stands for.
struct Target {
    std::uint64_t address = 0, size = 0;
    const LoadedObject* object = nullptr;  ///< that defines it; null: the bridge, or nobody
    std::uint64_t value = 0;               ///< as in that object's file
    bool indirect = false;
    bool found = false;  ///< false: weak and nobody has it
};

class Linker final : public LinkedProgram {
public:
    Linker(AddressSpace& memory, Definitions& definitions, const ElfImage& program,
           LinkOptions options, Linked& linked)
        : memory_(memory),
          definitions_(definitions),
          program_(program),
          options_(std::move(options)),
          linked_(linked) {}
    tl::expected<void, std::string> run();
    tl::expected<Opened, std::string> open(const OpenRequest& request) override;

private:
    using Done = tl::expected<void, std::string>;

    // open.cpp
    Done add(const OpenRequest& request, std::size_t first, Opened& opened);
    Done add_dependencies(std::size_t first);
    void forget(std::size_t first, const Linked& before);
    std::vector<std::size_t> search_of(std::size_t object) const;
    void make_global(std::size_t object);

    // libraries.cpp
    Done load_program();
    Done load_libraries(std::size_t first);
    /// Nothing: there is none of that name, or the bridge stands for it.
    tl::expected<std::optional<std::size_t>, std::string> load_library(
        std::string_view name, const LoadedObject& wanted_by);
    std::vector<std::string> directories(const LoadedObject& wanted_by) const;
    Done open_library(const std::string& path);
    Done place_tls(std::size_t first);
    void publish_debug(std::size_t first);
    void list_files(std::size_t first);

    // linker.cpp
    /// `for_call`: for the PLT. `skip_own`: a definition elsewhere than in `object`.
    Target resolve(const LoadedObject& object, std::uint32_t symbol, bool for_call, bool skip_own);
    static std::optional<Target> defined_in(const LoadedObject& object, std::string_view name,
                                            std::string_view version);
    Target unknown(const DynamicSymbol& symbol);
    Done relocate(LoadedObject& object);
    Done apply(LoadedObject& object, const Relocation& relocation);
    Done apply_tls(LoadedObject& object, const Relocation& relocation);
    Done apply_copy(LoadedObject& object, const Relocation& relocation);
    Done store(const LoadedObject& object, const Relocation& relocation, std::uint64_t offset,
               std::uint64_t value, bool literal);
    Done store_target(const LoadedObject& object, const Relocation& relocation,
                      std::uint64_t offset, const Target& target, bool literal);
    /// Of the objects from `first` on.
    Done list_functions(std::size_t first);
    std::vector<std::size_t> order_of_construction(std::size_t first) const;
    Done read_array(const LoadedObject& object, const Range& array, std::uint64_t least,
                    std::vector<std::uint64_t>& functions) const;
    Done check_missing() const;
    Done finish_objects(std::size_t first);
    void find_canonical();

    AddressSpace& memory_;
    Definitions& definitions_;
    const ElfImage& program_;
    const LinkOptions options_;
    std::deque<LoadedObject> objects_;  ///< the program first, then in order of loading
    std::uint64_t next_base_ = 0;
    std::uint64_t last_map_ = 0;  ///< the end of the debuggers' list
    /// Names of libraries, and what has come of them.
    std::map<std::string, std::optional<std::size_t>, std::less<>> tried_;
    std::set<std::string, std::less<>> missing_;
    std::map<std::string_view, std::uint64_t>
        canonical_;  ///< functions whose address is their PLT entry
    Linked& linked_;
};

}  // namespace e2k::guest::loader
