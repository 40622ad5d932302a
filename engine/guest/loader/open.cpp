// Libraries that are added while the program runs (dlopen).
#include <algorithm>
#include <utility>

#include "engine/guest/loader/linker_impl.h"

namespace e2k::guest::loader {

/// The object itself, then what it needs, breadth first.
std::vector<std::size_t> Linker::search_of(std::size_t object) const {
    std::vector<std::size_t> all{object};
    for (std::size_t i = 0; i < all.size(); ++i)  // the list grows
        for (const std::size_t needed : objects_[all[i]].dependencies)
            if (std::ranges::find(all, needed) == all.end()) all.push_back(needed);
    return all;
}

void Linker::make_global(std::size_t object) {
    for (const std::size_t i : search_of(object)) {
        objects_[i].global = true;
        if (i < linked_.files.size()) linked_.files[i].global = true;
    }
}

tl::expected<Opened, std::string> Linker::open(const OpenRequest& request) {
    const std::size_t first = objects_.size();
    // What is listed for the program itself may not have run yet: its constructors may ask, too.
    Linked before;
    before.startup = std::exchange(linked_.startup, {});
    before.finish = std::exchange(linked_.finish, {});
    before.tls = linked_.tls;
    before.symbols.resize(linked_.symbols.size());
    before.sections.resize(linked_.sections.size());
    before.missing_libraries = linked_.missing_libraries;
    const std::uint64_t base = next_base_;
    auto missing = std::exchange(missing_, {});
    Opened opened;
    opened.first_tls_module = linked_.tls.modules.size();
    const auto done = add(request, first, opened);
    opened.startup = std::exchange(linked_.startup, std::move(before.startup));
    opened.finish = std::exchange(linked_.finish, std::move(before.finish));
    if (done) {
        missing_.merge(missing);
        return opened;
    }
    forget(first, before);
    missing_ = std::move(missing);
    next_base_ = base;
    return tl::unexpected(done.error());
}

tl::expected<void, std::string> Linker::add(const OpenRequest& request, std::size_t first,
                                            Opened& opened) {
    constexpr const char* kAbsent = ": cannot open shared object file: No such file or directory";
    // What was not there may have been made since.
    std::erase_if(tried_, [](const auto& known) { return !known.second; });
    if (request.loaded_only && !tried_.contains(request.name))
        return tl::unexpected(request.name + kAbsent);
    const auto library = load_library(request.name, objects_[std::min(request.caller, first - 1)]);
    if (!library) return tl::unexpected(library.error());
    if (!*library) return tl::unexpected(request.name + kAbsent);
    opened.file = **library;
    if (first != objects_.size()) {
        if (auto done = add_dependencies(first); !done) return done;
        if (auto done = place_tls(first); !done) return done;
        for (std::size_t i = objects_.size(); i-- > first;)
            if (auto done = relocate(objects_[i]); !done) return done;
        if (!missing_.empty() && (request.now || options_.strict))
            return tl::unexpected(request.name + ": undefined symbol: " + *missing_.begin());
        if (auto done = list_functions(first); !done) return done;
        if (auto done = finish_objects(first); !done) return done;
    }
    if (request.global) make_global(opened.file);
    return {};
}

/// What the new objects need, and whom they serve: each other.
tl::expected<void, std::string> Linker::add_dependencies(std::size_t first) {
    const std::size_t missing = linked_.missing_libraries.size();
    if (auto done = load_libraries(first); !done) return done;
    if (missing != linked_.missing_libraries.size())
        return tl::unexpected(linked_.missing_libraries.back() +
                              ": cannot open shared object file: No such file or directory (" +
                              objects_[first].file->path() + " needs it)");
    const std::vector<std::size_t> group = search_of(first);
    for (std::size_t i = first; i < objects_.size(); ++i) {
        objects_[i].global = false;
        objects_[i].group = group;
    }
    return {};
}

void Linker::forget(std::size_t first, const Linked& before) {
    constexpr std::uint64_t kInPage = cpu::kPageSize - 1;
    while (objects_.size() > first) {
        for (const auto& segment : objects_.back().image.segments) {
            const std::uint64_t begin = segment.vaddr & ~kInPage;
            const std::uint64_t end = (segment.vaddr + segment.memsz + kInPage) & ~kInPage;
            if (begin < end) memory_.unmap(begin, end - begin);
        }
        objects_.pop_back();
    }
    std::erase_if(tried_,
                  [&](const auto& known) { return known.second && *known.second >= first; });
    linked_.tls = before.tls;
    linked_.symbols.resize(before.symbols.size());
    linked_.sections.resize(before.sections.size());
    linked_.missing_libraries = before.missing_libraries;
}

}  // namespace e2k::guest::loader
