// The built-in dynamic linker: finds libraries, gives every symbol an address, relocates
// (libraries.md §1). What only guest code can do (resolvers, constructors) it lists; the
// start routine of the bridge calls it (libc/stubs/start.s).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "engine/guest/address_space.h"
#include "engine/guest/elf_image.h"
#include "engine/guest/loader/object_file.h"

namespace e2k::guest::loader {

/// Definitions that are in no file: those of the C library bridge.
class Definitions {
public:
    struct Object {
        std::uint64_t address = 0, size = 0;
    };
    virtual ~Definitions() = default;
    /// True if the bridge stands in for the library of this name.
    virtual bool stands_for(std::string_view library) const = 0;
    /// Address of a function; nothing: there is none of that name.
    virtual std::optional<std::uint64_t> function(std::string_view name,
                                                  std::string_view version) = 0;
    virtual std::optional<Object> object(std::string_view name) const = 0;
    /// The program has its own copy of the object now (R_E2K_64_COPY).
    virtual void move_object(std::string_view name, std::uint64_t address) = 0;
    /// Address of a function that ends the program with a message that names it.
    virtual std::uint64_t missing(std::string_view name) = 0;
    /// Address of `size` bytes of zeros, in place of data that nobody has.
    virtual std::uint64_t blank(std::uint64_t size) = 0;
    /// Where a debugger finds the list of objects (struct r_debug).
    virtual std::uint64_t debug_address() const = 0;
};

/// A function to call before the program begins.
struct StartCall {
    enum class Kind : std::uint8_t {
        Resolver,     ///< its result, plus `addend`, goes to `store`
        Constructor,  ///< gets argc, argv, envp
    } kind = Kind::Constructor;
    std::uint64_t function = 0;
    std::uint64_t store = 0;
    std::int64_t addend = 0;
    bool literal = false;  ///< the place is a literal of a bundle: high word first
};

/// What is to be called before code of new objects is used: resolvers, then constructors.
struct Startup {
    std::vector<StartCall> calls;
    std::vector<Range> read_only;  ///< once the resolvers have run (RELRO)
    std::size_t next = 0;          ///< among `calls`
};

/// One thread-local block of an object; offsets are distances from the thread pointer.
struct TlsModule {
    std::uint64_t offset = 0;
    std::uint64_t image = 0;  ///< guest address of the initial values
    std::uint64_t file_size = 0, memory_size = 0;
};
struct TlsLayout {
    std::uint64_t size = 16;      ///< from the thread pointer on
    std::uint64_t reserved = 16;  ///< what each thread has: libraries opened later lie there, too
    std::uint64_t alignment = 64;
    std::vector<TlsModule> modules;  ///< module k + 1
};

/// One object of the program, as dl_iterate_phdr and dlsym know it.
struct LoadedFile {
    std::string path;
    std::uint64_t bias = 0, headers = 0;  ///< address of its program headers
    std::uint16_t header_count = 0;
    unsigned tls_module = 0;  ///< 0: none
    std::uint64_t begin = 0, end = 0;
    /// Of functions and data that others see.
    struct Export {
        std::uint64_t address = 0, size = 0;
        bool indirect = false;
    };
    std::map<std::string, Export, std::less<>> exports;
    /// Places among the files that dlsym looks through for this one: itself, then what it needs.
    std::vector<std::size_t> search;
    bool global = true;  ///< its names serve everybody (RTLD_GLOBAL)
};

struct Linked {
    std::vector<LoadedFile> files;  ///< the program first
    Startup startup;                ///< of the libraries
    /// Of the program, for a C library start without init.
    std::vector<std::uint64_t> program_init;
    std::vector<std::uint64_t> finish;  ///< at exit, in order
    TlsLayout tls;
    std::vector<Symbol> symbols;    ///< of the libraries, at their addresses
    std::vector<Section> sections;  ///< of the libraries
    std::vector<std::string> missing_libraries, missing_symbols;
};

struct LinkOptions {
    /// Directories to look for libraries in, after those the program names and its own.
    std::vector<std::string> library_path;
    /// A name that nobody has is an error at once.
    bool strict = false;
};

/// A library that the running program asks for (dlopen).
struct OpenRequest {
    std::string name;          ///< without a slash: looked for; else the host's path
    std::size_t caller = 0;    ///< place of the asking object: its search path counts
    bool now = false;          ///< a function that nobody has is an error at once
    bool global = false;       ///< its names serve everybody from now on
    bool loaded_only = false;  ///< only if it is there already
};
struct Opened {
    std::size_t file = 0;               ///< its place among the files
    Startup startup;                    ///< of all that came with it; empty: it was there
    std::size_t first_tls_module = 0;   ///< places of the new modules: from here on
    std::vector<std::uint64_t> finish;  ///< at exit, before everything listed so far
};

/// A program that has been linked. Not for two threads at once.
class LinkedProgram {
public:
    virtual ~LinkedProgram() = default;
    /// Adds a library and what it needs to the program's `Linked`. After an error, which is a
    /// sentence, everything is as before.
    virtual tl::expected<Opened, std::string> open(const OpenRequest& request) = 0;
};

/// Links `program`, whose segments are mapped and still writable. Libraries are mapped, relocated
/// and protected. The error is a sentence. All but the options outlive the result.
tl::expected<std::unique_ptr<LinkedProgram>, std::string> link(AddressSpace& memory,
                                                               Definitions& definitions,
                                                               const ElfImage& program,
                                                               LinkOptions options, Linked& linked);

/// Stores an address: as a word, or as a literal of a bundle. False: the place is not mapped.
bool store_address(AddressSpace& memory, std::uint64_t place, std::uint64_t value, bool literal);

}  // namespace e2k::guest::loader
