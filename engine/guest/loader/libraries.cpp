// Finding and mapping shared objects; thread-local blocks; the list for debuggers.
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "engine/guest/loader/elbrus_elf.h"
#include "engine/guest/loader/linker_impl.h"
#include "engine/guest/loader/map_image.h"

namespace e2k::guest::loader {
namespace {

/// Libraries lie here, one after the other, with room between them.
constexpr std::uint64_t kLibraryBase = 0x30'0000'0000, kLibraryLimit = 0x3f'0000'0000;
constexpr std::uint64_t kLibraryStep = 2u << 20;
constexpr std::size_t kMaxLibraries = 256;
constexpr std::uint64_t kFirstTlsOffset = 16;  ///< DTV pointer and a private word
constexpr std::uint64_t kLinkMapSize = 40, kDebugSize = 40;

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

/// The whole file, or an errno value.
tl::expected<std::vector<std::uint8_t>, int> read_file(const std::string& path) {
    constexpr std::int64_t kMaxFile = std::int64_t{1} << 31;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return tl::unexpected(errno);
    struct stat st {};
    int error = fstat(fd, &st) != 0 ? errno : 0;
    if (error == 0 && !S_ISREG(st.st_mode)) error = EACCES;
    if (error == 0 && st.st_size > kMaxFile) error = EFBIG;
    std::vector<std::uint8_t> bytes;
    if (error == 0) bytes.resize(static_cast<std::size_t>(st.st_size));
    std::size_t have = 0;
    while (error == 0 && have < bytes.size()) {
        const ssize_t n = ::read(fd, bytes.data() + have, bytes.size() - have);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) error = errno;
        if (n <= 0) break;
        have += static_cast<std::size_t>(n);
    }
    close(fd);
    if (error != 0) return tl::unexpected(error);
    bytes.resize(have);
    return bytes;
}

/// Only what stands in the file's own place is asked for; "$ORIGIN" is its directory.
void add_search_path(std::string_view list, const std::string& origin,
                     std::vector<std::string>& to) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(':'), list.size());
        std::string directory(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        for (const std::string_view name : {"${ORIGIN}", "$ORIGIN"})
            if (const auto at = directory.find(name); at != std::string::npos)
                directory.replace(at, name.size(), origin);
        if (directory.starts_with('/')) to.push_back(directory);
    }
}

std::string directory_of(const std::string& path) {
    std::error_code error;
    const auto whole = std::filesystem::absolute(path, error);
    return error ? std::string(".") : whole.parent_path().string();
}

}  // namespace

tl::expected<void, std::string> Linker::load_program() {
    auto file = ObjectFile::parse(program_.bytes, program_.path);
    if (!file) return tl::unexpected(file.error());
    LoadedObject& object = objects_.emplace_back();
    object.file = std::make_unique<ObjectFile>(std::move(*file));
    object.bias = program_.position_independent ? kPieBase : 0;
    next_base_ = kLibraryBase;
    return {};
}

std::vector<std::string> Linker::directories(const LoadedObject& wanted_by) const {
    std::vector<std::string> all;
    const std::string origin = directory_of(wanted_by.file->path());
    add_search_path(wanted_by.file->search_path(), origin, all);
    all.push_back(directory_of(program_.path));
    all.insert(all.end(), options_.library_path.begin(), options_.library_path.end());
    return all;
}

tl::expected<void, std::string> Linker::open_library(const std::string& path) {
    auto bytes = read_file(path);
    if (!bytes) return tl::unexpected(fmt::format("{}: {}", path, std::strerror(bytes.error())));
    auto image = ElfImage::parse_library(std::move(*bytes), path, next_base_);
    if (!image) return tl::unexpected(image.error());
    LoadedObject& object = objects_.emplace_back();
    object.image = std::move(*image);
    object.bias = next_base_;
    auto file = ObjectFile::parse(object.image.bytes, path);
    if (!file) return tl::unexpected(file.error());
    object.file = std::make_unique<ObjectFile>(std::move(*file));
    auto end = map_image(memory_, object.image, path);
    if (!end) return tl::unexpected(end.error());
    next_base_ = round_up(*end, kLibraryStep) + kLibraryStep;
    if (next_base_ >= kLibraryLimit)
        return tl::unexpected(path + ": there is no room for another library");
    linked_.symbols.insert(linked_.symbols.end(), object.image.symbols.begin(),
                           object.image.symbols.end());
    linked_.sections.insert(linked_.sections.end(), object.image.sections.begin(),
                            object.image.sections.end());
    return {};
}

tl::expected<std::optional<std::size_t>, std::string> Linker::load_library(
    std::string_view name, const LoadedObject& wanted_by) {
    if (const auto before = tried_.find(name); before != tried_.end()) return before->second;
    std::optional<std::size_t>& found = tried_[std::string(name)];
    for (std::size_t i = 0; i < objects_.size(); ++i)
        if (objects_[i].file->soname() == name) return found = i;
    const bool stands_in = definitions_.stands_for(name);
    std::vector<std::string> places;
    if (name.find('/') != std::string_view::npos)
        places.emplace_back(name);
    else if (!stands_in)  // the bridge's own names are not looked for
        for (const std::string& directory : directories(wanted_by))
            places.push_back(directory + "/" + std::string(name));
    for (const std::string& place : places) {
        if (access(place.c_str(), R_OK) != 0) continue;
        if (objects_.size() > kMaxLibraries)
            return tl::unexpected(program_.path + ": needs too many libraries");
        if (auto done = open_library(place); !done) return tl::unexpected(done.error());
        return found = objects_.size() - 1;
    }
    if (!stands_in) linked_.missing_libraries.emplace_back(name);
    return found;
}

tl::expected<void, std::string> Linker::load_libraries(std::size_t first) {
    for (std::size_t i = first; i < objects_.size(); ++i)  // the list grows: breadth first
        for (const std::string_view name : objects_[i].file->needed()) {
            const auto library = load_library(name, objects_[i]);
            if (!library) return tl::unexpected(library.error());
            if (*library) objects_[i].dependencies.push_back(**library);
        }
    return {};
}

tl::expected<void, std::string> Linker::place_tls(std::size_t first) {
    TlsLayout& layout = linked_.tls;
    std::uint64_t end = first == 0 ? kFirstTlsOffset : layout.size;
    for (std::size_t i = first; i < objects_.size(); ++i) {
        LoadedObject& object = objects_[i];
        const auto& tls = object.file->tls();
        if (!tls) continue;
        object.tls_offset = round_up(end, tls->alignment);
        end = object.tls_offset + tls->memory_size;
        if (end > kMaxTls)
            return tl::unexpected(object.file->path() + ": too much thread-local storage");
        if (first != 0 && (end > layout.reserved || tls->alignment > layout.alignment))
            return tl::unexpected(object.file->path() +
                                  ": no room is left for its thread-local storage: the program "
                                  "must be linked with this library");
        layout.modules.push_back(
            {object.tls_offset, tls->address + object.bias, tls->file_size, tls->memory_size});
        layout.alignment = std::max(layout.alignment, tls->alignment);
        object.tls_module = static_cast<unsigned>(layout.modules.size());
    }
    layout.size = end;
    return {};
}

/// struct r_debug and a chain of struct link_map, as debuggers know them.
void Linker::publish_debug(std::size_t first) {
    const std::uint64_t debug = definitions_.debug_address();
    std::uint64_t first_map = 0;
    for (std::size_t i = first; i < objects_.size(); ++i) {
        const LoadedObject& object = objects_[i];
        const std::string name = i == 0 ? std::string() : object.file->path();
        const std::uint64_t map = definitions_.blank(kLinkMapSize);
        const std::uint64_t text = definitions_.blank(name.size() + 1);
        const std::uint64_t words[] = {object.bias, text,
                                       object.file->dynamic_address() + object.bias, 0, last_map_};
        memory_.write(text, name.c_str(), name.size() + 1);
        memory_.write(map, words, sizeof words);
        if (last_map_ != 0) memory_.write(last_map_ + 24, &map, sizeof map);
        if (i == 0) first_map = map;
        last_map_ = map;
        const std::uint64_t value = object.file->debug_value_address();
        if (value != 0) memory_.write(value + object.bias, &debug, sizeof debug);
    }
    if (first != 0) return;
    const std::uint64_t words[] = {1 /* version */, first_map, 0, 0, 0};
    static_assert(sizeof words == kDebugSize);
    memory_.write(debug, words, sizeof words);
}

void Linker::list_files(std::size_t first) {
    for (std::size_t i = first; i < objects_.size(); ++i) {
        const LoadedObject& object = objects_[i];
        const ElfImage& image = i == 0 ? program_ : object.image;
        LoadedFile file;
        file.path = object.file->path();
        file.bias = object.bias;
        file.headers = image.phdr_address;
        file.header_count = image.phnum;
        file.tls_module = object.tls_module;
        file.begin = ~0ull;
        for (const auto& segment : image.segments) {
            file.begin = std::min(file.begin, segment.vaddr);
            file.end = std::max(file.end, segment.vaddr + segment.memsz);
        }
        for (std::uint32_t k = 1; k < object.file->symbol_count(); ++k) {
            const DynamicSymbol s = object.file->symbol(k);
            const bool seen = s.binding != STB_LOCAL && s.type != STT_TLS &&
                              (s.visibility == STV_DEFAULT || s.visibility == STV_PROTECTED);
            if (!s.defined || !seen || s.hidden_version || s.name.empty()) continue;
            file.exports.try_emplace(
                std::string(s.name),
                LoadedFile::Export{s.absolute ? s.value : s.value + object.bias, s.size,
                                   s.indirect()});
        }
        file.search = search_of(i);
        file.global = object.global;
        linked_.files.push_back(std::move(file));
    }
}

}  // namespace e2k::guest::loader
