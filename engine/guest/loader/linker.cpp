// Symbols and relocations.
#include "engine/guest/loader/linker.h"

#include <elf.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "engine/guest/loader/elbrus_elf.h"
#include "engine/guest/loader/linker_impl.h"
#include "engine/guest/loader/map_image.h"

namespace e2k::guest::loader {
namespace {

constexpr std::uint64_t kMaxFunctions = 1u << 16;  ///< of one array
constexpr std::uint64_t kMaxCopied = 64u << 20;

tl::unexpected<std::string> damaged(const ObjectFile& file, const Relocation& relocation,
                                    std::string_view why) {
    return tl::unexpected(fmt::format("{}: damaged relocation of type {} at 0x{:x}: {}",
                                      file.path(), relocation.type, relocation.offset, why));
}

}  // namespace

bool store_address(AddressSpace& memory, std::uint64_t place, std::uint64_t value, bool literal) {
    if (literal) value = value << 32 | value >> 32;
    return memory.write(place, &value, sizeof value);
}

std::optional<Target> Linker::defined_in(const LoadedObject& object, std::string_view name,
                                         std::string_view version) {
    const auto index = object.file->find(name, version);
    if (!index) return std::nullopt;
    const DynamicSymbol s = object.file->symbol(*index);
    Target target;
    target.found = true;
    target.object = &object;
    target.value = s.value;
    target.size = s.size;
    target.address = s.absolute ? s.value : s.value + object.bias;
    target.indirect = s.indirect();
    return target;
}

Target Linker::unknown(const DynamicSymbol& symbol) {
    Target target;
    if (symbol.weak()) return target;
    const std::string name(symbol.name);
    missing_.insert(name);
    target.found = true;
    target.size = symbol.size;
    target.address = symbol.type == STT_OBJECT || symbol.type == STT_TLS
                         ? definitions_.blank(std::max<std::uint64_t>(symbol.size, 8))
                         : definitions_.missing(name);
    return target;
}

Target Linker::resolve(const LoadedObject& object, std::uint32_t index, bool for_call,
                       bool skip_own) {
    Target target;
    if (index == 0) {  // no symbol: the object itself
        target.found = true;
        target.object = &object;
        return target;
    }
    const DynamicSymbol s = object.file->symbol(index);
    const bool own = s.defined && (s.binding == STB_LOCAL || s.visibility != STV_DEFAULT);
    if (own) {
        target = {s.absolute ? s.value : s.value + object.bias,
                  s.size,
                  &object,
                  s.value,
                  s.indirect(),
                  true};
        return target;
    }
    // The address that a program without position-independent code has given a function: its PLT
    // entry. Everybody uses it, but for the PLT itself.
    if (!for_call && !skip_own && s.type != STT_OBJECT && s.type != STT_TLS)
        if (const auto plt = canonical_.find(s.name); plt != canonical_.end())
            return {plt->second, 0, &objects_.front(), plt->second, false, true};
    for (const LoadedObject& other : objects_) {
        if (!other.global || (skip_own && &other == &object)) continue;
        if (auto found = defined_in(other, s.name, s.version)) return *found;
    }
    for (const std::size_t other : object.group)
        if (auto found = defined_in(objects_[other], s.name, s.version)) return *found;
    if (const auto data = definitions_.object(s.name))
        return {data->address, data->size, nullptr, 0, false, true};
    if (const auto function = definitions_.function(s.name, s.version))
        return {*function, 0, nullptr, 0, false, true};
    return unknown(s);
}

tl::expected<void, std::string> Linker::store(const LoadedObject& object,
                                              const Relocation& relocation, std::uint64_t offset,
                                              std::uint64_t value, bool literal) {
    if (!object.file->loads(offset, 8))
        return damaged(*object.file, relocation, "the place is in no segment");
    if (!store_address(memory_, offset + object.bias, value, literal))
        return damaged(*object.file, relocation, "the place is not mapped");
    return {};
}

tl::expected<void, std::string> Linker::store_target(const LoadedObject& object,
                                                     const Relocation& relocation,
                                                     std::uint64_t offset, const Target& target,
                                                     bool literal) {
    const std::uint64_t addend = static_cast<std::uint64_t>(relocation.addend);
    if (target.indirect) {
        if (!object.file->loads(offset, 8))
            return damaged(*object.file, relocation, "the place is in no segment");
        linked_.startup.calls.push_back({StartCall::Kind::Resolver, target.address,
                                         offset + object.bias, relocation.addend, literal});
        return {};
    }
    // A weak function that nobody has stays 0, whatever the addend.
    return store(object, relocation, offset, target.found ? target.address + addend : 0, literal);
}

tl::expected<void, std::string> Linker::apply_copy(LoadedObject& object,
                                                   const Relocation& relocation) {
    if (&object != &objects_.front())
        return damaged(*object.file, relocation, "only a program copies data of libraries");
    const DynamicSymbol s = object.file->symbol(relocation.symbol);
    const Target target = resolve(object, relocation.symbol, false, true);
    if (!target.found) return {};
    const std::uint64_t size = target.size ? std::min(target.size, s.size) : s.size;
    const std::uint64_t to = relocation.offset + object.bias;
    if (size > kMaxCopied || !object.file->loads(relocation.offset, size))
        return damaged(*object.file, relocation, "the place is in no segment");
    std::vector<std::uint8_t> bytes(size);
    if (!memory_.read(target.address, bytes.data(), size) || !memory_.write(to, bytes.data(), size))
        return damaged(*object.file, relocation, "the data is not mapped");
    if (!target.object) definitions_.move_object(s.name, to);
    return {};
}

tl::expected<void, std::string> Linker::apply_tls(LoadedObject& object,
                                                  const Relocation& relocation) {
    const Target target = resolve(object, relocation.symbol, false, false);
    const LoadedObject* owner = target.object;
    if (target.found && (!owner || owner->tls_module == 0))
        return damaged(*object.file, relocation, "the symbol is in no thread-local storage");
    const std::uint64_t offset =
        (target.found ? target.value : 0) + static_cast<std::uint64_t>(relocation.addend);
    std::uint64_t value = offset;
    if (relocation.type == kTlsModule) value = owner ? owner->tls_module : 0;
    if (relocation.type == kTlsFromPointer && owner) value = offset + owner->tls_offset;
    return store(object, relocation, relocation.offset, value, false);
}

tl::expected<void, std::string> Linker::apply(LoadedObject& object, const Relocation& relocation) {
    const std::uint64_t place = relocation.offset;
    const std::uint64_t addend = static_cast<std::uint64_t>(relocation.addend);
    switch (relocation.type) {
        case kNone:
            return {};
        case kR32Abs:
            if (relocation.offset == 0) return {};  // padding
            break;
        case k64Abs:
        case k64AbsLiteral:
            return store_target(object, relocation, place,
                                resolve(object, relocation.symbol, false, false),
                                relocation.type == k64AbsLiteral);
        case k64PcLiteral: {
            const Target target = resolve(object, relocation.symbol, false, false);
            return store(object, relocation, place, target.address + addend - place - object.bias,
                         true);
        }
        case k64JumpSlot: {
            constexpr std::uint64_t kEntryLiteral = 8, kEntryLiteral20 = 20 * 8;
            const Target target = resolve(object, relocation.symbol, true, false);
            switch (object.file->plt_form()) {
                case PltForm::Got:
                    return store_target(object, relocation, place, target, false);
                case PltForm::EntryLiteral:
                    return store_target(object, relocation, place + kEntryLiteral, target, true);
                case PltForm::EntryLiteral20:
                    return store_target(object, relocation, place + kEntryLiteral20, target, true);
                case PltForm::Literal:
                    return store_target(object, relocation, place, target, true);
            }
            return {};
        }
        case k64Relative:
        case k64RelativeLiteral:
            return store(object, relocation, place, object.bias + addend,
                         relocation.type == k64RelativeLiteral);
        case k64IndirectRelative: {
            Target resolver;
            resolver.indirect = resolver.found = true;
            resolver.address = object.bias + addend;
            Relocation plain = relocation;
            plain.addend = 0;
            return store_target(object, plain, place, resolver, false);
        }
        case k64Size: {
            const Target target = resolve(object, relocation.symbol, false, false);
            return store(object, relocation, place, target.size + addend, false);
        }
        case kTlsModule:
        case kTlsOffset:
        case kTlsFromPointer:
            return apply_tls(object, relocation);
        default:
            break;
    }
    return damaged(*object.file, relocation, "this type is not one of 64-bit programs");
}

tl::expected<void, std::string> Linker::relocate(LoadedObject& object) {
    for (const Relocation& relocation : object.file->relocations()) {
        if (relocation.type == k64Copy) continue;
        if (auto done = apply(object, relocation); !done) return done;
    }
    return {};
}

tl::expected<void, std::string> Linker::read_array(const LoadedObject& object, const Range& array,
                                                   std::uint64_t least,
                                                   std::vector<std::uint64_t>& functions) const {
    const std::uint64_t count = array.size / 8;
    if (count > kMaxFunctions)
        return tl::unexpected(fmt::format("{}: damaged dynamic section: an array of {} functions",
                                          object.file->path(), count));
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t function = 0;
        if (!memory_.read(array.address + object.bias + 8 * i, &function, sizeof function))
            return tl::unexpected(fmt::format(
                "{}: damaged dynamic section: the array of functions at 0x{:x} is not mapped",
                object.file->path(), array.address));
        // Toolchains end and begin these arrays with 0 or -1.
        if (function > least && function != ~0ull) functions.push_back(function);
    }
    return {};
}

/// What an object needs comes before it; else those loaded last come first, the program at the end.
/// In a circle one begins.
std::vector<std::size_t> Linker::order_of_construction(std::size_t first) const {
    std::vector<std::size_t> order;
    std::vector<char> placed(objects_.size());
    std::fill_n(placed.begin(), first, true);
    while (order.size() < objects_.size() - first) {
        std::size_t at = objects_.size() - 1;
        while (placed[at]) --at;
        std::vector<char> passed = placed;
        for (;;) {
            passed[at] = true;
            std::optional<std::size_t> next;
            for (const std::size_t needed : objects_[at].dependencies)
                if (!passed[needed] && needed != 0) next = std::max(next.value_or(0), needed);
            if (!next) break;
            at = *next;
        }
        placed[at] = true;
        order.push_back(at);
    }
    return order;
}

tl::expected<void, std::string> Linker::list_functions(std::size_t first) {
    std::vector<StartCall> constructors;
    std::vector<std::vector<std::uint64_t>> finish;  // of each object, program last
    for (const std::size_t i : order_of_construction(first)) {
        const LoadedObject& object = objects_[i];
        const ObjectFile& file = *object.file;
        std::vector<std::uint64_t> init;
        if (i == 0)
            if (auto done = read_array(object, file.preinit_array(), 0, init); !done) return done;
        if (file.init() != 0) init.push_back(file.init() + object.bias);
        if (auto done = read_array(object, file.init_array(), 0, init); !done) return done;
        if (i == 0)
            linked_.program_init = std::move(init);
        else
            for (const std::uint64_t function : init)
                constructors.push_back({StartCall::Kind::Constructor, function, 0, 0, false});
        std::vector<std::uint64_t> fini;
        if (auto done = read_array(object, file.fini_array(), 0, fini); !done) return done;
        std::ranges::reverse(fini);
        if (file.fini() != 0) fini.push_back(file.fini() + object.bias);
        finish.push_back(std::move(fini));
    }
    std::ranges::reverse(finish);
    for (const auto& functions : finish)
        linked_.finish.insert(linked_.finish.end(), functions.begin(), functions.end());
    auto& calls = linked_.startup.calls;
    calls.insert(calls.end(), constructors.begin(), constructors.end());
    return {};
}

tl::expected<void, std::string> Linker::check_missing() const {
    if (!options_.strict || (missing_.empty() && linked_.missing_libraries.empty())) return {};
    std::string text;
    for (const std::string& library : linked_.missing_libraries) {
        if (!text.empty()) text += ", ";
        text += "library " + library;
    }
    for (const std::string& symbol : missing_) {
        if (!text.empty()) text += ", ";
        text += symbol;
    }
    return tl::unexpected(fmt::format("{}: missing: {}", program_.path, text));
}

tl::expected<void, std::string> Linker::run() {
    if (auto done = load_program(); !done) return done;
    if (auto done = load_libraries(0); !done) return done;
    if (auto done = place_tls(0); !done) return done;
    constexpr std::uint64_t kLaterTls = 16u << 10;
    linked_.tls.reserved = linked_.tls.size + kLaterTls;
    find_canonical();
    // Data is copied as the libraries' own relocations have made it.
    for (std::size_t i = objects_.size(); i-- > 0;)
        if (auto done = relocate(objects_[i]); !done) return done;
    LoadedObject& program = objects_.front();
    for (const Relocation& relocation : program.file->relocations())
        if (relocation.type == k64Copy)
            if (auto done = apply_copy(program, relocation); !done) return done;
    if (auto done = list_functions(0); !done) return done;
    if (auto done = check_missing(); !done) return done;
    if (auto done = finish_objects(0); !done) return done;
    linked_.missing_symbols.assign(missing_.begin(), missing_.end());
    return {};
}

/// What comes when nothing can go wrong with the objects from `first` on any more.
tl::expected<void, std::string> Linker::finish_objects(std::size_t first) {
    for (std::size_t i = first; i < objects_.size(); ++i) {
        const LoadedObject& object = objects_[i];
        const Range& relro = object.file->relro();
        if (relro.size != 0)
            linked_.startup.read_only.push_back({relro.address + object.bias, relro.size});
        if (i == 0) continue;  // the program's own rights are its loader's affair
        if (auto done = protect_image(memory_, object.image); !done) return done;
    }
    publish_debug(first);
    list_files(first);
    return {};
}

void Linker::find_canonical() {
    const LoadedObject& program = objects_.front();
    for (std::uint32_t i = 1; i < program.file->symbol_count(); ++i) {
        const DynamicSymbol s = program.file->symbol(i);
        if (!s.defined && s.type == STT_FUNC && s.value != 0)
            canonical_.emplace(s.name, s.value + program.bias);
    }
}

tl::expected<std::unique_ptr<LinkedProgram>, std::string> link(AddressSpace& memory,
                                                               Definitions& definitions,
                                                               const ElfImage& program,
                                                               LinkOptions options,
                                                               Linked& linked) {
    auto linker =
        std::make_unique<Linker>(memory, definitions, program, std::move(options), linked);
    if (auto done = linker->run(); !done) return tl::unexpected(done.error());
    return linker;
}

}  // namespace e2k::guest::loader
