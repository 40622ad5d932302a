// <dlfcn.h>, <link.h>: the objects of the program.
#include <dlfcn.h>

#include <array>
#include <cstring>
#include <mutex>

#include "engine/guest/libc/guest_image.h"
#include "engine/guest/libc/internal_rows.h"

namespace e2k::guest::libc {
namespace {

using loader::LoadedFile;

/// A handle is the place of an object, counted from 1, in sixteens.
constexpr std::uint64_t kHandle = 16;
/// Stands for the C library, which is no object.
constexpr std::uint64_t kLibraryHandle = kHandle << 32;
constexpr std::uint64_t kDefault = 0, kNext = ~0ull;

Outcome<Value> failed(LibraryCall& call, std::string text) {
    call.thread().dynamic_error = std::move(text);
    return Value(0);
}

std::string_view file_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

const LoadedFile* file_of(const LibraryCall& call, std::uint64_t address) {
    for (const LoadedFile& file : call.library.linked.files)
        if (address >= file.begin && address < file.end) return &file;
    return nullptr;
}

/// The handle of a library; the constructors of what has come with it are called first.
/// state 0: the handle, 1: the number of the opening.
Outcome<Value> finish_opening(LibraryCall& call) {
    Library& library = call.library;
    std::lock_guard lock(library.link_mutex);
    const auto opening = library.openings.find(call.state(1));
    if (opening != library.openings.end()) {
        if (call_next_of(call, opening->second)) return Value();
        library.openings.erase(opening);
    }
    call.call_next(0);
    return Value(call.state(0));
}

/// Where the library is that the guest calls `name`: paths as files of the guest are, names by the
/// linker.
tl::expected<std::string, int> place_of(LibraryCall& call, const std::string& name) {
    if (name.find('/') == std::string::npos) return name;
    auto path = host_path(call.system, kAtFdCwd, name, Touch::Look);
    if (!path) return tl::unexpected(path.error());
    std::string place = path->absolute();
    return place.find('/') == std::string::npos ? "./" + place : place;
}

const LoadedFile* calling_file(const LibraryCall& call) {
    const cpu::CpuState& s = call.system.thread.state;
    return s.depth() ? file_of(call, s.chain_top[-1].return_ip) : nullptr;
}

/// Adds the library to the program. (link_mutex)
tl::expected<loader::Opened, std::string> open_library(LibraryCall& call, const std::string& name,
                                                       int flags) {
    auto place = place_of(call, name);
    if (!place)
        return tl::unexpected(name +
                              ": cannot open shared object file: " + std::strerror(place.error()));
    Library& library = call.library;
    const LoadedFile* caller = calling_file(call);
    const std::size_t file =
        caller ? static_cast<std::size_t>(caller - library.linked.files.data()) : 0;
    auto opened = library.program->open({std::move(*place), file, (flags & RTLD_NOW) != 0,
                                         (flags & RTLD_GLOBAL) != 0, (flags & RTLD_NOLOAD) != 0});
    if (!opened) return opened;
    if (!library.add_thread_blocks(opened->first_tls_module))
        return tl::unexpected(name + ": cannot make its thread-local storage");
    std::lock_guard lock(library.exit_mutex);
    auto& finish = library.linked.finish;
    finish.insert(finish.begin() + static_cast<std::ptrdiff_t>(library.next_finish),
                  opened->finish.begin(), opened->finish.end());
    return opened;
}

/// dlopen(name, flags)
Outcome<Value> dlopen_(LibraryCall& call) {
    if (call.state(0) != 0) return finish_opening(call);
    if (call.pointer(0) == 0) return Value(kHandle);
    const auto name = call.text(0, 4096);
    if (!name && name.error().kind == Trouble::Kind::Error)
        return failed(call, "a name of a library that is too long");
    if (!name) return tl::unexpected(name.error());
    const int flags = call.integer(1);
    if ((flags & (RTLD_LAZY | RTLD_NOW)) == 0)
        return failed(call, "invalid mode for dlopen(): Invalid argument");
    if (name->empty()) return Value(kHandle);
    Library& library = call.library;
    std::unique_lock lock(library.link_mutex);
    if (library.stands_for(file_name(*name))) return Value(kLibraryHandle);
    auto opened = open_library(call, *name, flags);
    if (!opened) return failed(call, opened.error());
    const std::uint64_t handle = kHandle * (opened->file + 1);
    const bool fresh = !opened->startup.calls.empty() || !opened->startup.read_only.empty();
    if (fresh) {
        call.set_state(1, library.next_opening);
        library.openings[library.next_opening++] = std::move(opened->startup);
    }
    lock.unlock();
    call.system.process.publish_symbols();
    call.set_state(0, handle);
    return finish_opening(call);
}

/// A library stays: its destructors run when the program ends.
Outcome<Value> dlclose_(LibraryCall& call) {
    std::lock_guard lock(call.library.link_mutex);
    const std::uint64_t handle = call.word(0);
    if (handle == kLibraryHandle || (handle % kHandle == 0 && handle != 0 &&
                                     handle / kHandle <= call.library.linked.files.size()))
        return Value(0);
    call.thread().dynamic_error = "dlclose: no such handle";
    return Value(-1);
}
/// Each message is told once.
Outcome<Value> dlerror_(LibraryCall& call) {
    const std::string text = std::exchange(call.thread().dynamic_error, std::string());
    if (text.empty()) return Value(0);
    return keep_image(call, "dlerror", [&](GuestImage& image) { return image.text(text); });
}

/// The objects that are searched for a handle, in order; then perhaps the C library.
struct Scope {
    std::vector<std::size_t> files;
    bool library = true;
};
Scope everybody(const LibraryCall& call, std::size_t from) {
    Scope scope;
    const auto& files = call.library.linked.files;
    for (std::size_t i = from; i < files.size(); ++i)
        if (files[i].global) scope.files.push_back(i);
    return scope;
}
std::optional<Scope> scope_of(const LibraryCall& call, std::uint64_t handle) {
    const auto& files = call.library.linked.files;
    if (handle == kDefault || handle == kHandle) return everybody(call, 0);
    if (handle == kLibraryHandle) return Scope{};
    if (handle == kNext) {
        const LoadedFile* caller = calling_file(call);
        return everybody(
            call, caller ? static_cast<std::size_t>(caller - files.data()) + 1 : files.size());
    }
    const std::uint64_t place = handle / kHandle - 1;
    if (handle % kHandle != 0 || place >= files.size()) return std::nullopt;
    return Scope{files[place].search, true};
}

/// dlsym(handle, name), dlvsym(handle, name, version). The address of an indirect function is what
/// its resolver says.
Outcome<Value> symbol(LibraryCall& call, const std::string& version) {
    if (call.state(0) != 0) return Value(call.last_result());
    std::lock_guard lock(call.library.link_mutex);
    const auto name = call.text(1, 1u << 16);
    if (!name) return tl::unexpected(name.error());
    const auto scope = scope_of(call, call.word(0));
    if (!scope) return failed(call, "dlsym: no such handle");
    const auto& files = call.library.linked.files;
    for (const std::size_t i : scope->files) {
        const auto found = files[i].exports.find(*name);
        if (found == files[i].exports.end()) continue;
        if (!found->second.indirect) return Value(found->second.address);
        call.set_state(0, 1);
        call.call_next(found->second.address);
        return Value();
    }
    if (scope->library) {
        if (const auto data = call.library.object(*name)) return Value(data->address);
        if (const auto function = call.library.function(*name, version)) return Value(*function);
    }
    return failed(call, "undefined symbol: " + *name);
}
Outcome<Value> dlsym_(LibraryCall& call) { return symbol(call, ""); }
Outcome<Value> dlvsym_(LibraryCall& call) {
    const auto version = call.text(2, 256);
    if (!version) return tl::unexpected(version.error());
    return symbol(call, *version);
}

/// dladdr(address, {path, base, name, symbol address})
Outcome<Value> dladdr_(LibraryCall& call) {
    const std::uint64_t address = call.pointer(0);
    std::lock_guard lock(call.library.link_mutex);
    const LoadedFile* file = file_of(call, address);
    if (!file) return Value(0);
    std::string name;
    std::uint64_t nearest = 0;
    for (const auto& [symbol, place] : file->exports)
        if (place.address <= address && place.address >= nearest &&
            (place.size == 0 || address < place.address + place.size)) {
            name = symbol;
            nearest = place.address;
        }
    std::array<std::uint64_t, 4> info{0, file->begin, 0, name.empty() ? 0 : nearest};
    const auto kept = keep_image(call, "dladdr", [&](GuestImage& image) {
        info[0] = image.text(file->path);
        if (!name.empty()) info[2] = image.text(name);
        return info[0];
    });
    if (!kept) return kept;
    return call.memory.store(call.pointer(1), info).map([] { return Value(1); });
}

/// struct dl_phdr_info, and the path behind it.
struct ObjectInfo {
    std::uint64_t bias, name, headers;
    std::uint16_t header_count, pad[3];
    std::uint64_t added, removed, tls_module, tls_data;
};
static_assert(sizeof(ObjectInfo) == 64);

/// dl_iterate_phdr(callback, data): one object after the other, until a callback says not 0.
/// state 0: the next object, 1: the memory of its description.
Outcome<Value> iterate_(LibraryCall& call) {
    std::lock_guard lock(call.library.link_mutex);
    const auto& files = call.library.linked.files;
    const std::uint64_t next = call.state(0);
    const int result = next == 0 ? 0 : static_cast<int>(call.last_result());
    if (const std::uint64_t block = call.state(1); block != 0)
        if (auto done = call.library.heap.release(block); !done)
            return tl::unexpected(done.error());
    call.set_state(1, 0);
    if (result != 0 || next >= files.size()) return Value(result);
    const LoadedFile& file = files[next];
    const auto& modules = call.library.linked.tls.modules;
    const std::uint64_t data = file.tls_module != 0 && file.tls_module <= modules.size()
                                   ? call.thread().pointer + modules[file.tls_module - 1].offset
                                   : 0;
    std::uint64_t block = 0;
    const auto info = make_image(
        call,
        [&](GuestImage& image) {
            const ObjectInfo object{file.bias,
                                    image.text(next == 0 ? std::string() : file.path),
                                    file.headers,
                                    file.header_count,
                                    {},
                                    files.size(),
                                    0,
                                    file.tls_module,
                                    data};
            return image.object(object);
        },
        &block);
    if (!info) return tl::unexpected(info.error());
    call.set_state(0, next + 1);
    call.set_state(1, block);
    call.call_next(call.pointer(0), {*info, sizeof(ObjectInfo), call.word(1)});
    return Value();
}

constexpr std::array kRows{
    Row{"dlopen", "p(s,i)", dlopen_, Row::kDriven},
    Row{"dlclose", "i(p)", dlclose_},
    Row{"dlerror", "p()", dlerror_},
    Row{"dlsym", "p(p,s)", dlsym_, Row::kDriven},
    Row{"dlvsym", "p(p,s,s)", dlvsym_, Row::kDriven},
    Row{"dladdr", "i(p,p)", dladdr_},
    Row{"dl_iterate_phdr", "i(F,p)", iterate_, Row::kDriven},
};

}  // namespace

std::span<const Row> dynamic_rows() { return kRows; }

}  // namespace e2k::guest::libc
