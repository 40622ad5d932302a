// A dynamically linked program: the built-in linker and the C library bridge stand in for the
// system's own.
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "engine/guest/libc/library.h"
#include "engine/guest/syscalls/call.h"

namespace e2k::guest {
namespace {

std::string joined(const std::vector<std::string>& names) {
    constexpr std::size_t kShown = 40;
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < kShown; ++i) text += (i ? " " : "") + names[i];
    if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
    return text;
}

/// Advice for libraries that many programs need and the bridge cannot stand for.
std::string advice(const std::vector<std::string>& libraries) {
    for (const std::string& name : libraries)
        if (name.starts_with("libstdc++") || name.starts_with("libgcc_s"))
            return "; C++ programs need the libraries of an Elbrus system";
    return {};
}

}  // namespace

tl::expected<void, std::string> Process::Impl::link_program() {
    auto made = libc::Library::create(*memory);
    if (!made) return tl::unexpected(image.path + ": " + made.error());
    library = std::move(*made);
    library->pages.allows = [this](std::uint64_t bytes) {
        return within_limits(*this, {.bytes = bytes, .data = true});
    };
    auto linked = loader::link(*memory, *library, image,
                               {options.library_path, options.strict_imports}, library->linked);
    if (!linked) return tl::unexpected(linked.error());
    library->program = std::move(*linked);
    if (!library->finish_stubs())
        return tl::unexpected(image.path + ": cannot write the stubs of the C library bridge");

    std::uint64_t guard = 0;
    std::memcpy(&guard, at_random.data(), sizeof guard);
    library->set_stack_guard(guard & ~0xffull);  // a text cannot hold it
    const std::uint64_t size = library->thread_area_size();
    const auto area = memory->map(0, size, kProtRead | kProtWrite, AddressSpace::Place::Hint, false,
                                  -1, 0, "[tls]");
    const auto pointer = area ? library->make_thread_area(*area) : std::nullopt;
    if (!pointer) return tl::unexpected(image.path + ": cannot make the thread-local storage");
    first_thread_data = std::make_shared<libc::ThreadData>();
    first_thread_data->pointer = *pointer;
    library->threads[*pointer] = first_thread_data;

    const auto& missing = library->linked.missing_symbols;
    const auto& libraries = library->linked.missing_libraries;
    if (!libraries.empty())
        notice =
            fmt::format("{}: no library {}{}", image.path, joined(libraries), advice(libraries));
    if (!missing.empty())
        notice += fmt::format("{}{}: the program stops when it calls one of: {}",
                              notice.empty() ? "" : "\n", image.path, joined(missing));
    return {};
}

void Process::Impl::publish_symbols() {
    std::vector<Symbol> all_symbols = image.symbols;
    std::vector<Section> all_sections = image.sections;
    if (library) {
        for (const auto& more : {library->linked.symbols, library->symbols()})
            all_symbols.insert(all_symbols.end(), more.begin(), more.end());
        const auto& more = library->linked.sections;
        all_sections.insert(all_sections.end(), more.begin(), more.end());
        all_sections.push_back(library->section());
    }
    std::lock_guard lock(thread_mutex);
    symbols = std::make_shared<const SymbolTable>(std::move(all_symbols));
    sections = std::make_shared<const std::vector<Section>>(std::move(all_sections));
}

}  // namespace e2k::guest
