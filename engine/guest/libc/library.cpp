#include "engine/guest/libc/library.h"

#include <ctype.h>
#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "engine/cpu/host_leafs.h"
#include "engine/guest/libc/core/c_locale.h"
#include "engine/guest/libc/host_objects.h"
#include "engine/guest/libc/streams.h"

namespace e2k::guest::libc {
namespace {

constexpr std::string_view kLibraries[] = {
    "libc.so.6",      "libm.so.6",    "libpthread.so.0",      "librt.so.1",
    "libdl.so.2",     "libutil.so.1", "ld-linux.so.2",        "libnsl.so.1",
    "libresolv.so.2", "libanl.so.1",  "libBrokenLocale.so.1",
};

/// Variables of the library that programs use, with their other names (libraries.md §9).
struct VariableRow {
    std::array<std::string_view, 3> names;
    std::uint64_t size;
    std::uint32_t initial = 0;
};
constexpr VariableRow kVariables[] = {
    {{"stdin"}, 8},
    {{"stdout"}, 8},
    {{"stderr"}, 8},
    {{"environ", "__environ", "_environ"}, 8},
    {{"optarg"}, 8},
    {{"optind"}, 4, 1},
    {{"opterr"}, 4, 1},
    {{"optopt"}, 4, '?'},
    {{"timezone", "__timezone"}, 8},
    {{"daylight", "__daylight"}, 4},
    {{"tzname", "__tzname"}, 16},
    {{"program_invocation_name", "__progname_full"}, 8},
    {{"program_invocation_short_name", "__progname"}, 8},
    {{"signgam"}, 4},
    {{"_LIB_VERSION"}, 4},
    {{"__libc_stack_end"}, 8},
    {{"h_nerr"}, 4},
    {{"getdate_err"}, 4},
    {{"error_print_progname"}, 8},
    {{"error_message_count"}, 4},
    {{"error_one_per_line"}, 4},
    {{"in6addr_any"}, 16},
    {{"in6addr_loopback"}, 16},
    {{"obstack_alloc_failed_handler"}, 8},
    {{"re_syntax_options"}, 8},
    {{"__libc_single_threaded"}, 1},
    {{"_IO_2_1_stdin_"}, 224},
    {{"_IO_2_1_stdout_"}, 224},
    {{"_IO_2_1_stderr_"}, 224},
};

constexpr std::uint64_t kBelowThread = 0x100;  ///< bytes below a thread pointer
constexpr std::uint64_t kStackGuard = 8, kCtypeTables = 0x40;
constexpr int kCtypeLowest = -128, kCtypeEntries = 384;

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

/// The host's tables for the C locale, from -128 on.
std::vector<std::uint8_t> ctype_tables() {
    const CLocaleScope scope;
    std::vector<std::uint8_t> bytes;
    const auto append = [&](const auto* table) {
        const auto* from = reinterpret_cast<const std::uint8_t*>(table + kCtypeLowest);
        bytes.insert(bytes.end(), from, from + kCtypeEntries * sizeof *table);
    };
    append(*__ctype_b_loc());
    append(*__ctype_tolower_loc());
    append(*__ctype_toupper_loc());
    return bytes;
}

/// The stub for a function of the host by what it has to look at (stubs/leafs.s).
std::string_view leaf_pattern(const cpu::HostLeaf& leaf) {
    using Result = cpu::HostLeaf::Result;
    switch (leaf.result) {
        case Result::Double:
            return leaf.error ? "leaf_double" : "leaf_plain";
        case Result::Float:
            return leaf.error ? "leaf_float" : "leaf_plain";
        case Result::Long:
            return leaf.error ? "leaf_long" : "leaf_long_plain";
        case Result::Other:
            break;
    }
    return "leaf_plain";
}

/// The bytes of stub `name` with `number` where the mark stands.
std::vector<std::uint8_t> stub_with_numbers(std::string_view name, std::uint32_t number) {
    const auto symbols = stub_symbols();
    const auto stub =
        std::ranges::find_if(symbols, [&](const StubSymbol& s) { return name == s.name; });
    const auto bytes = stub_bytes().subspan(stub->offset, stub->size);
    std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
    for (std::size_t at = 0; at + 4 <= copy.size(); at += 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, copy.data() + at, sizeof word);
        if (word - kRowMark >= kRowMarks) continue;
        word += number - kRowMark;
        std::memcpy(copy.data() + at, &word, sizeof word);
    }
    return copy;
}

static_assert(kBridgeBase == cpu::kOwnCodeBegin && kBridgeBase + kBridgeSize == cpu::kOwnCodeEnd);

}  // namespace

Library::Library(AddressSpace& memory)
    : pages(memory),
      heap(GuestMemory(memory), pages),
      objects(std::make_unique<HostObjects>()),
      memory_(memory) {}
Library::~Library() = default;

tl::expected<std::unique_ptr<Library>, std::string> Library::create(AddressSpace& memory) {
    std::unique_ptr<Library> library(new Library(memory));
    const auto code = stub_bytes();
    library->code_.assign(code.begin(), code.end());
    for (const StubSymbol& symbol : stub_symbols())
        library->functions_.emplace(symbol.name, kBridgeBase + symbol.offset);
    const bool mapped = memory.map(kBridgeBase, kBridgeSize, kProtRead | kProtExec,
                                   AddressSpace::Place::Fixed, false, -1, 0, "[bridge]") &&
                        memory.map(kDataBase, kDataSize, kProtRead | kProtWrite,
                                   AddressSpace::Place::Fixed, false, -1, 0, "[libc]");
    if (!mapped || !library->make_objects())
        return tl::unexpected(std::string("cannot map the C library bridge"));
    return library;
}

bool Library::make_objects() {
    debug_ = blank(40);
    statics = blank(kStaticSize);
    bool good = true;
    for (const VariableRow& row : kVariables) {
        const std::uint64_t at = blank(row.size);
        if (row.initial) good &= memory_.write(at, &row.initial, sizeof row.initial);
        for (const std::string_view name : row.names)
            if (!name.empty())
                variable_names_.emplace(name, static_cast<unsigned>(variables_.size()));
        variables_.push_back({at, row.size});
    }
    constexpr std::pair<const char*, const char*> kStreams[] = {
        {"stdin", "_IO_2_1_stdin_"}, {"stdout", "_IO_2_1_stdout_"}, {"stderr", "_IO_2_1_stderr_"}};
    for (const auto& [pointer, file] : kStreams) {
        const std::uint64_t value = variable(file);
        good &= memory_.write(variable(pointer), &value, sizeof value);
    }
    streams = make_streams(
        memory_, heap,
        {variable("_IO_2_1_stdin_"), variable("_IO_2_1_stdout_"), variable("_IO_2_1_stderr_")});
    if (!streams) return false;
    const std::vector<std::uint8_t> tables = ctype_tables();
    const std::uint64_t at = blank(tables.size());
    good &= memory_.write(at, tables.data(), tables.size());
    constexpr std::uint64_t kClasses = kCtypeEntries * 2, kCases = kCtypeEntries * 4;
    constexpr std::uint64_t kZero = -kCtypeLowest;
    ctype_ = {at + kZero * 2, at + kClasses + kZero * 4, at + kClasses + kCases + kZero * 4};
    return good;
}

bool Library::stands_for(std::string_view library) const {
    return std::ranges::find(kLibraries, library) != std::end(kLibraries);
}

std::optional<std::uint64_t> Library::function(std::string_view asked, std::string_view version) {
    const std::string old = fmt::format("{}@{}", asked, version);
    const bool is_old = !version.empty() && find_row(old);
    std::lock_guard lock(stub_mutex_);
    // The bridge's own code may have the other name.
    const bool is_known = !is_old && functions_.contains(asked);
    const std::string_view name = is_old     ? std::string_view(old)
                                  : is_known ? asked
                                             : first_name(asked);
    if (const auto known = functions_.find(name); known != functions_.end()) return known->second;
    if (const cpu::HostLeaf* leaf = cpu::find_host_leaf(name))
        return make_stub(
            std::string(name), leaf_pattern(*leaf),
            cpu::kLeafParts * static_cast<std::uint32_t>(leaf - cpu::host_leafs().data()));
    const Row* row = find_row(name);
    if (!row) return std::nullopt;
    return make_stub(std::string(name), row->stub,
                     kFirstRow + static_cast<std::uint32_t>(row - library_rows().data()));
}

std::uint64_t Library::missing(std::string_view name) {
    std::lock_guard lock(stub_mutex_);
    if (const auto known = functions_.find(name); known != functions_.end()) return known->second;
    missing_.emplace_back(name);
    return make_stub(std::string(name), Row::kPlain,
                     kFirstMissing + static_cast<std::uint32_t>(missing_.size() - 1));
}

std::string Library::missing_name(std::uint32_t number) const {
    std::lock_guard lock(stub_mutex_);
    const std::uint32_t index = number - kFirstMissing;
    return index < missing_.size() ? missing_[index] : std::string();
}

/// A copy of one of the stubs with its number. (stub_mutex_)
std::uint64_t Library::make_stub(std::string name, std::string_view pattern, std::uint32_t number) {
    std::vector<std::uint8_t> stub = stub_with_numbers(pattern, number);
    if (code_.size() + stub.size() > kBridgeSize) return address_of("abort");
    const std::uint64_t at = kBridgeBase + code_.size();
    code_.insert(code_.end(), stub.begin(), stub.end());
    functions_.emplace(std::move(name), at);
    if (!finished_) return at;
    finished_ = false;
    const std::uint64_t page = at & ~(cpu::kPageSize - 1);
    const std::uint64_t size = at + stub.size() - page;
    memory_.protect(page, size, kProtRead | kProtWrite | kProtExec);
    memory_.write(at, stub.data(), stub.size());
    memory_.protect(page, size, kProtRead | kProtExec);
    finished_ = true;
    return at;
}

bool Library::finish_stubs() {
    std::lock_guard lock(stub_mutex_);
    finished_ = true;
    return memory_.protect(kBridgeBase, code_.size(), kProtRead | kProtWrite) &&
           memory_.write(kBridgeBase, code_.data(), code_.size()) &&
           memory_.protect(kBridgeBase, code_.size(), kProtRead | kProtExec);
}

std::optional<loader::Definitions::Object> Library::object(std::string_view name) const {
    const auto found = variable_names_.find(name);
    if (found == variable_names_.end()) return std::nullopt;
    const Variable& variable = variables_[found->second];
    return Object{variable.address, variable.size};
}

void Library::move_object(std::string_view name, std::uint64_t address) {
    const auto found = variable_names_.find(name);
    if (found != variable_names_.end()) variables_[found->second].address = address;
}

std::uint64_t Library::variable(std::string_view name) const {
    const auto found = variable_names_.find(name);
    return found == variable_names_.end() ? 0 : variables_[found->second].address;
}

std::uint64_t Library::blank(std::uint64_t size) {
    const std::uint64_t at = round_up(next_data_, 16);
    if (size <= kDataBase + kDataSize - at) {
        next_data_ = at + size;
        return at;
    }
    const auto mapped = memory_.map(0, round_up(size, cpu::kPageSize), kProtRead | kProtWrite,
                                    AddressSpace::Place::Hint, false, -1, 0, "[libc]");
    return mapped ? *mapped : 0;
}

std::vector<Symbol> Library::symbols() const {
    std::lock_guard lock(stub_mutex_);
    std::vector<Symbol> all;
    for (const auto& [name, address] : functions_) all.push_back({address, 0, name, true});
    std::ranges::sort(all, {}, &Symbol::address);
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::uint64_t end = kBridgeBase + code_.size();
        for (std::size_t k = i + 1; k < all.size(); ++k)
            if (all[k].address != all[i].address) {
                end = all[k].address;
                break;
            }
        all[i].size = end - all[i].address;
    }
    return all;
}

Section Library::section() const {
    std::lock_guard lock(stub_mutex_);
    return {"[bridge]", kBridgeBase, code_.size(), 0, 0, true};
}

std::uint64_t Library::address_of(std::string_view name) const {
    const auto found = functions_.find(name);
    return found == functions_.end() ? 0 : found->second;
}

std::uint64_t Library::thread_area_size() const {
    return round_up(kBelowThread + linked.tls.alignment + linked.tls.reserved, cpu::kPageSize);
}

std::optional<std::uint64_t> Library::make_thread_area(std::uint64_t begin) {
    const std::uint64_t pointer =
        round_up(begin + kBelowThread, std::max<std::uint64_t>(linked.tls.alignment, 16));
    const bool good = memory_.write(pointer - kStackGuard, &stack_guard_, sizeof stack_guard_) &&
                      memory_.write(pointer - kCtypeTables, ctype_.data(), sizeof ctype_) &&
                      fill_thread_blocks(pointer, 0);
    if (!good) return std::nullopt;
    return pointer;
}

bool Library::fill_thread_blocks(std::uint64_t pointer, std::size_t first) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = first; i < linked.tls.modules.size(); ++i) {
        const loader::TlsModule& module = linked.tls.modules[i];
        bytes.assign(module.memory_size, 0);  // a library that was refused may have left values
        if (!memory_.read(module.image, bytes.data(), module.file_size) ||
            !memory_.write(pointer + module.offset, bytes.data(), bytes.size()))
            return false;
    }
    return true;
}

bool Library::add_thread_blocks(std::size_t first_module) {
    if (first_module >= linked.tls.modules.size()) return true;
    std::lock_guard lock(thread_mutex);
    bool good = true;
    for (const auto& [pointer, data] : threads)
        good = fill_thread_blocks(pointer, first_module) && good;
    return good;
}

void Library::lock_for_fork() {
    link_mutex.lock();
    stub_mutex_.lock();
    exit_mutex.lock();
    thread_mutex.lock();
    heap.lock_for_fork();
    random.lock_for_fork();
    clock.mutex.lock();
    objects->patterns.mutex.lock();
    objects->conversions.mutex.lock();
    lock_streams(*streams);
}

void Library::unlock_after_fork(bool in_child, std::uint32_t thread) {
    unlock_streams(*streams, in_child, thread);
    objects->conversions.mutex.unlock();
    objects->patterns.mutex.unlock();
    clock.mutex.unlock();
    random.unlock_after_fork();
    heap.unlock_after_fork();
    thread_mutex.unlock();
    exit_mutex.unlock();
    stub_mutex_.unlock();
    link_mutex.unlock();
}

// --- the table ---

namespace {

std::vector<Row> build_table() {
    std::vector<Row> table;
    for (const auto rows :
         {memory_rows(),    string_rows(),    number_rows(),      math_rows(),
          time_rows(),      process_rows(),   thread_rows(),      lock_rows(),
          semaphore_rows(), call_rows(),      wide_rows(),        thread_state_rows(),
          stdio_rows(),     scan_rows(),      stream_rows(),      message_rows(),
          text_rows(),      character_rows(), environment_rows(), option_rows(),
          standard_rows(),  checked_rows(),   stat_rows(),        system_rows(),
          program_rows(),   account_rows(),   pattern_rows(),     network_rows(),
          convert_rows(),   dynamic_rows(),   obstack_rows(),     system_log_rows(),
          kernel_rows(),    spawn_rows(),     path_rows()})
        table.insert(table.end(), rows.begin(), rows.end());
    std::ranges::sort(table, {}, &Row::name);
    return table;
}

}  // namespace

std::span<const Row> library_rows() {
    static const std::vector<Row> table = build_table();
    return table;
}

const Row* find_row(std::string_view name) {
    const auto rows = library_rows();
    const auto row = std::ranges::lower_bound(rows, name, {}, &Row::name);
    return row != rows.end() && row->name == name ? &*row : nullptr;
}

}  // namespace e2k::guest::libc
