// Execute records: set up the state of `in`, run the code, compare with `out`.
#include <sys/mman.h>

#include <array>
#include <cmath>
#include <cstring>
#include <set>

#include <fmt/format.h>

#include "engine/cpu/guest_space.h"
#include "engine/cpu/interpreter.h"
#include "engine/machine/vector_records.h"
#include "engine/translate/translator.h"

namespace e2k::machine {
namespace {

using cpu::CpuState;
using cpu::MemoryView;
using cpu::StopKind;
using cpu::TrapCode;

constexpr std::uint64_t kDataBegin = 0x4000'0000, kDataSize = 0x4'0000;
constexpr std::uint64_t kCodeBegin = 0x1000'0000, kCodeSize = 0x1000'0000;
constexpr std::uint64_t kStackBegin = 0x2000'0000, kStackSize = 0x1'0000;
constexpr std::uint64_t kStackPointer = kStackBegin + 0xe000;
/// Zero bytes (empty bundles) after the code, so that the end address can be fetched.
constexpr std::uint64_t kCodeTail = 64;
/// More than any record needs; the longest loops take some thousand bundles.
constexpr std::uint64_t kBundleLimit = 200'000;
constexpr unsigned kParameterRegisters = 8;    // psize = 4 quads
constexpr double kApproximation = 1.0 / 2048;  // frcps, frsqrts: a table look-up's precision

/// A whole guest address range in which only the few areas of the vectors are mapped.
class VectorMemory {
public:
    bool create() {
        if (!space_.reserve()) return false;
        view_ = space_.view();
        return allow(kDataBegin, kDataSize, cpu::kPageRead | cpu::kPageWrite) &&
               allow(kStackBegin, kStackSize, cpu::kPageRead | cpu::kPageWrite) &&
               allow(kCodeBegin, kCodeSize, cpu::kPageRead | cpu::kPageExec);
    }
    const MemoryView& view() const { return view_; }
    std::uint8_t* at(std::uint64_t address) const { return view_.base + address; }
    /// Bytes of the data area; a record that names others is not valid.
    std::uint8_t* data(std::uint64_t address, std::size_t size) const {
        if (address < kDataBegin || size > kDataSize || address - kDataBegin > kDataSize - size)
            throw std::out_of_range(fmt::format("memory at 0x{:x}", address));
        return at(address);
    }

private:
    bool allow(std::uint64_t begin, std::uint64_t size, int bits) {
        if (mprotect(view_.base + begin, size, PROT_READ | PROT_WRITE) != 0) return false;
        const std::uint64_t count = size >> cpu::kPageShift;
        std::memset(space_.writable_pages(begin >> cpu::kPageShift, count), bits | cpu::kPageMapped,
                    count);
        return true;
    }

    cpu::GuestSpace space_;
    MemoryView view_;
};

/// The signal a Linux program receives for a trap (traps.md §1).
std::string_view signal_of(TrapCode code) {
    switch (code) {
        case TrapCode::Division:
        case TrapCode::FloatingPoint:
            return "SIGFPE";
        case TrapCode::WindowBounds:
        case TrapCode::UserStackBounds:
        case TrapCode::ProcStackBounds:
        case TrapCode::ChainStackBounds:
        case TrapCode::ArrayBounds:
        case TrapCode::InstrPageMiss:
        case TrapCode::InstrPageProtection:
        case TrapCode::DataPage:
            return "SIGSEGV";
        case TrapCode::AddressNotAligned:
        case TrapCode::BaseNotAligned:
            return "SIGBUS";
        case TrapCode::Breakpoint:
        case TrapCode::SoftwareTrap:
            return "SIGTRAP";
        case TrapCode::Unsupported:
        case TrapCode::None:
            return "";
        default:
            return "SIGILL";
    }
}

/// "SP", "SP-0x40", "SP+0x10" or a number.
std::uint64_t register_value(const Json& value) {
    if (!value.is_string()) return vector_number(value);
    const std::string text = value;
    if (!text.starts_with("SP")) return vector_number(value);
    if (text.size() == 2) return kStackPointer;
    const std::uint64_t offset = std::stoull(text.substr(3), nullptr, 16);
    return text[2] == '-' ? kStackPointer - offset : kStackPointer + offset;
}

const Json& member(const Json& object, const char* key) {
    static const Json kEmpty = Json::object();
    const auto it = object.find(key);
    return it == object.end() ? kEmpty : *it;
}

/// One area of registers of a record: keys for 64 bits, 80-bit and 128-bit upper parts.
struct RegisterFile {
    const char* name;
    const char* key;
    const char* extended;
    const char* upper;
    cpu::Reg* registers;
    std::uint8_t* tags;
    unsigned count;
};

std::array<RegisterFile, 2> register_files(CpuState& s) {
    return {RegisterFile{"r", "r", "rx", "rh", s.window, s.window_tags, 224},
            RegisterFile{"g", "g", "gx", "gh", s.g.data(), s.g_tags.data(), 32}};
}

unsigned register_index(const std::string& key, unsigned count) {
    const unsigned long n = std::stoul(key);
    if (n >= count) throw std::out_of_range(fmt::format("register number {}", key));
    return static_cast<unsigned>(n);
}

void set_window(CpuState& s, const Json& window) {
    s.wd.size = static_cast<std::uint16_t>(2 * window.value("wsz", 16));
    s.wd.psize = kParameterRegisters;
    s.wd.fx = !window.value("nfx", 0);
    s.wd.dbl = static_cast<std::uint8_t>(window.value("dbl", 0));
    s.br.rbs = static_cast<std::uint8_t>(window.value("rbs", 0));
    s.br.rsz = static_cast<std::uint8_t>(window.value("rsz", 0));
    s.br.rcur = static_cast<std::uint8_t>(window.value("rcur", 0));
    s.br.psz = static_cast<std::uint8_t>(window.value("psz", 0));
    s.br.pcur = 0;
}

void set_registers(CpuState& s, const Json& in) {
    for (const RegisterFile& file : register_files(s)) {
        for (const auto& [key, value] : member(in, file.key).items())
            file.registers[register_index(key, file.count)].lo = register_value(value);
        for (const char* upper : {file.extended, file.upper})
            for (const auto& [key, value] : member(in, upper).items())
                file.registers[register_index(key, file.count)].ext = vector_number(value);
    }
    for (const auto& [key, value] : member(in, "pred").items())
        s.pred[register_index(key, 32)] = static_cast<std::uint8_t>(vector_number(value));
}

void set_control(CpuState& s, const Json& in) {
    constexpr std::uint64_t kIlcrMask = 0x001f'001f'ffff'ffffull;
    const auto word = [&](const char* key, std::uint32_t& to) {
        if (in.contains(key)) to = static_cast<std::uint32_t>(vector_number(in[key]));
    };
    word("pfpfr", s.pfpfr);
    word("fpcr", s.fpcr);
    word("fpsr", s.fpsr);
    word("upsr", s.upsr);
    if (in.contains("lsr")) {
        const std::uint64_t lsr = vector_number(in["lsr"]);
        s.lsr = cpu::LoopState::from_lsr(lsr);
        s.ilcr = cpu::LoopState::from_lsr(lsr & kIlcrMask);
    }
    if (in.contains("ilcr"))
        s.ilcr = cpu::LoopState::from_lsr(vector_number(in["ilcr"]) & kIlcrMask);
}

/// Compares what a run left with a record; collects the differences as lines.
class Comparison {
public:
    Comparison(const Json& record, CpuState& state, const VectorMemory& memory)
        : record_(record),
          in_(record.at("in")),
          out_(record.at("out")),
          s_(state),
          memory_(memory) {
        for (const char* list : {"poison", "clobber"})
            for (const Json& name : member(record, list)) unspecified_.insert(name);
    }

    std::string run() {
        for (const RegisterFile& file : register_files(s_)) {
            low_parts(file);
            upper_parts(file, file.extended, 0xffff);
            upper_parts(file, file.upper, ~0ull);
            tags(file);
        }
        predicates();
        control();
        window();
        memory();
        return std::move(text_);
    }

private:
    void expect(const std::string& what, std::uint64_t expected, std::uint64_t found) {
        if (expected != found)
            text_ +=
                fmt::format("  {:<8} expected 0x{:016x} found 0x{:016x}\n", what, expected, found);
    }

    bool specified(const RegisterFile& file, const std::string& key) const {
        return !unspecified_.contains(file.name + key);
    }

    void low_parts(const RegisterFile& file) {
        const Json& out = member(out_, file.key);
        const auto compare = [&](const std::string& key, const Json& value) {
            if (!specified(file, key)) return;
            const std::uint64_t found = file.registers[register_index(key, file.count)].lo;
            const std::uint64_t expected = register_value(value);
            if (accepted(expected, found)) return;
            expect(fmt::format("%{}{}", file.name, key), expected, found);
        };
        for (const auto& [key, value] : out.items()) compare(key, value);
        for (const auto& [key, value] : member(in_, file.key).items())
            if (!out.contains(key)) compare(key, value);
    }

    /// Bits above 63: stated ones, and those of registers that the record does not write at all.
    void upper_parts(const RegisterFile& file, const char* part, std::uint64_t mask) {
        const Json& out = member(out_, part);
        const auto compare = [&](const std::string& key, const Json& value) {
            if (!specified(file, key)) return;
            expect(fmt::format("%{}{}.ext", file.name, key), vector_number(value) & mask,
                   file.registers[register_index(key, file.count)].ext & mask);
        };
        for (const auto& [key, value] : out.items()) compare(key, value);
        for (const auto& [key, value] : member(in_, part).items())
            if (!out.contains(key) && !member(out_, file.key).contains(key)) compare(key, value);
    }

    /// Values for which the record allows more than equality.
    bool accepted(std::uint64_t expected, std::uint64_t found) const {
        if (record_.contains("approx")) {
            float e, f;
            const auto e32 = static_cast<std::uint32_t>(expected),
                       f32 = static_cast<std::uint32_t>(found);
            std::memcpy(&e, &e32, sizeof e);
            std::memcpy(&f, &f32, sizeof f);
            return expected >> 32 == found >> 32 && std::isfinite(e) && std::isfinite(f) &&
                   std::fabs(f - e) <= std::fabs(e) * kApproximation;
        }
        // rrs %lsr with dbl = 1: the vectors' source writes all 64 bits, a 32-bit result clears
        // the upper half; both are accepted.
        if (record_.at("op") == "rrs" && record_.at("chk") == 0)
            return (expected & 0xffff'ffff) == found;
        return false;
    }

    void tags(const RegisterFile& file) {
        for (const auto& [key, value] : member(out_, "tags").items()) {
            if (!key.starts_with(file.name)) continue;
            const unsigned n = register_index(key.substr(1), file.count);
            expect("tag " + key, vector_number(value), file.tags[n] & 0xfu);
        }
    }

    void predicates() {
        const Json& out = member(out_, "pred");
        const Json& physical = member(out_, "pred_phys");
        for (const auto& [key, value] : out.items())
            expect("%pred" + key, vector_number(value),
                   s_.pred[s_.pred_phys(register_index(key, 32))] & cpu::kPredValue);
        for (const auto& [key, value] : physical.items())
            expect("physical predicate " + key, vector_number(value),
                   s_.pred[register_index(key, 32)] & cpu::kPredValue);
        if (!physical.empty()) return;
        for (const auto& [key, value] : member(in_, "pred").items())
            if (!out.contains(key))
                expect("%pred" + key, vector_number(value),
                       s_.pred[s_.pred_phys(register_index(key, 32))] & cpu::kPredValue);
    }

    void control_register(const char* name, std::uint64_t found, std::uint64_t mask) {
        if (out_.contains(name)) expect(name, vector_number(out_[name]) & mask, found & mask);
    }

    void control() {
        const std::uint64_t flags =
            out_.contains("flags_mask") ? vector_number(out_["flags_mask"]) : ~0ull;
        const std::uint64_t lsr_mask =
            out_.contains("lsr_mask") ? vector_number(out_["lsr_mask"]) : ~0ull;
        control_register("pfpfr", s_.pfpfr, flags);
        control_register("fpsr", s_.fpsr, flags);
        control_register("fpcr", s_.fpcr, ~0ull);
        control_register("upsr", s_.upsr, ~0ull);
        control_register("lsr", s_.lsr.lsr_image(), lsr_mask);
        control_register("lsr1", s_.lsr.lcnt, ~0ull);
        control_register("ilcr", s_.ilcr.lsr_image(), ~0ull);
        control_register("ilcr1", s_.ilcr.lcnt, ~0ull);
    }

    void window() {
        const Json& w = member(out_, "window");
        const auto field = [&](const char* name, std::uint64_t found) {
            if (w.contains(name)) expect(name, vector_number(w[name]), found);
        };
        field("wsz", s_.wd.size / 2u);
        field("dbl", s_.wd.dbl);
        field("rbs", s_.br.rbs);
        field("rsz", s_.br.rsz);
        field("rcur", s_.br.rcur);
        field("psz", s_.br.psz);
        field("pcur", s_.br.pcur);
    }

    /// Bytes in `covered` were stated by an earlier area; this one adds its own to it.
    void memory_area(const std::string& key, const std::string& hex,
                     std::set<std::uint64_t>& covered) {
        const std::uint64_t address = std::stoull(key, nullptr, 16);
        const std::vector<std::uint8_t> expected = vector_bytes(hex);
        const std::uint8_t* found = memory_.data(address, expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            if (!covered.insert(address + i).second || found[i] == expected[i]) continue;
            text_ += fmt::format("  memory at 0x{:x}: expected {:02x} found {:02x}\n", address + i,
                                 expected[i], found[i]);
            return;
        }
    }

    /// Areas of `out`, then what `in` says about bytes that `out` does not mention.
    void memory() {
        std::set<std::uint64_t> covered;
        for (const auto& [key, value] : member(out_, "mem").items())
            memory_area(key, value, covered);
        for (const auto& [key, value] : member(in_, "mem").items())
            memory_area(key, value, covered);
    }

    const Json& record_;
    const Json& in_;
    const Json& out_;
    CpuState& s_;
    const VectorMemory& memory_;
    std::set<std::string> unspecified_;
    std::string text_;
};

std::string describe_stop(const cpu::Stop& stop) {
    switch (stop.kind) {
        case StopKind::Budget:
            return fmt::format("still running after {} bundles", kBundleLimit);
        case StopKind::Trapped:
            return fmt::format("trap {} ({}) at 0x{:x}: {}", name_of(stop.trap.code),
                               signal_of(stop.trap.code), stop.trap.ip, stop.trap.detail);
        case StopKind::SystemCall:
            return "a system call";
        case StopKind::Breakpoint:
            return "the end of the code was reached";
        default:
            return fmt::format("stop kind {}", static_cast<int>(stop.kind));
    }
}

}  // namespace

struct VectorMachine::Impl {
    VectorMemory memory;
    cpu::HardwareStacks stacks;
    std::unique_ptr<cpu::Interpreter> interpreter;
    std::unique_ptr<translate::Translator> translator;  ///< made when first asked for
    bool data_dirty = true;

    void reset(CpuState& s, const Json& record, const VectorOptions& options);
    std::uint64_t load_code(const Json& record);
    cpu::Stop run(CpuState& s, std::uint64_t begin, std::uint64_t end, Tier tier);
};

VectorMachine::VectorMachine() : impl_(std::make_unique<Impl>()) {}
VectorMachine::~VectorMachine() = default;

tl::expected<std::unique_ptr<VectorMachine>, std::string> VectorMachine::create() {
    constexpr std::size_t kRegisters = 1u << 15, kFrames = 1u << 10;
    std::unique_ptr<VectorMachine> machine(new VectorMachine);
    if (!machine->impl_->memory.create() || !machine->impl_->stacks.reserve(kRegisters, kFrames))
        return tl::unexpected(
            std::string("the host does not reserve the guest's address space (1 TiB without "
                        "backing); look at vm.overcommit_memory and ulimit -v"));
    machine->impl_->interpreter = std::make_unique<cpu::Interpreter>(machine->impl_->memory.view());
    return machine;
}

void VectorMachine::Impl::reset(CpuState& s, const Json& record, const VectorOptions& options) {
    const Json& in = record.at("in");
    stacks.attach(s);
    constexpr unsigned kUsedRegisters = 1024;  // what one record can have left behind
    std::fill_n(s.window_file, kUsedRegisters, cpu::Reg{});
    std::fill_n(s.tag_file, kUsedRegisters, std::uint8_t{0});
    s.memory_base = memory.view().base;
    s.page_map = memory.view().pages;
    s.usd_base = kStackPointer;
    s.usd_size = kStackPointer - kStackBegin;
    s.sbr = kStackBegin + kStackSize;
    const int iset = record.at("iset");
    s.iset = static_cast<std::uint8_t>(iset);
    s.strict = 1;
    const std::string name = record.at("class");
    s.exact_tags = options.exact_tags || name == "tags" || name == "tags-fault";
    s.uncover_tags = options.tier == Tier::Interpreter;
    set_window(s, in.at("window"));
    set_registers(s, in);
    set_control(s, in);
    for (const RegisterFile& file : register_files(s))
        for (const auto& [key, value] : member(record, "tags_in").items())
            if (key.starts_with(file.name))
                file.tags[register_index(key.substr(1), file.count)] =
                    static_cast<std::uint8_t>(vector_number(value));

    const bool uses_data = in.contains("mem") || record.at("out").contains("mem");
    if (data_dirty) std::memset(memory.at(kDataBegin), 0, kDataSize);
    data_dirty = uses_data;
    for (const auto& [key, value] : member(in, "mem").items()) {
        const std::vector<std::uint8_t> bytes = vector_bytes(value);
        std::memcpy(memory.data(std::stoull(key, nullptr, 16), bytes.size()), bytes.data(),
                    bytes.size());
    }
}

/// Copies the pieces to `addr`; returns the address after them.
std::uint64_t VectorMachine::Impl::load_code(const Json& record) {
    const std::uint64_t begin = vector_number(record.at("addr"));
    std::uint64_t end = begin;
    if (begin & 7) throw std::out_of_range("addr is not a multiple of 8");
    for (const Json& piece : record.at("hex")) {
        const std::vector<std::uint8_t> bytes = vector_bytes(piece);
        if (end < kCodeBegin || end + bytes.size() + kCodeTail > kCodeBegin + kCodeSize)
            throw std::out_of_range("addr is outside the code area");
        std::memcpy(memory.at(end), bytes.data(), bytes.size());
        end += bytes.size();
    }
    std::memset(memory.at(end), 0, kCodeTail);
    interpreter->invalidate(begin, end + kCodeTail);
    if (translator) translator->invalidate(begin, end + kCodeTail);
    return end;
}

cpu::Stop VectorMachine::Impl::run(CpuState& s, std::uint64_t begin, std::uint64_t end, Tier tier) {
    const std::array<std::uint64_t, 1> stop_at{end};
    s.ip = begin;
    interpreter->set_breakpoints(stop_at);
    if (tier == Tier::Interpreter) return interpreter->run(s, kBundleLimit);
    if (!translator)
        translator =
            std::make_unique<translate::Translator>(memory.view(), translate::TranslatorOptions{});
    translator->set_breakpoints(stop_at);
    return translator->run(s, *interpreter);
}

std::string VectorMachine::check(const Json& record, const VectorOptions& options) {
    CpuState state;
    impl_->reset(state, record, options);
    const std::uint64_t begin = vector_number(record.at("addr"));
    const std::uint64_t end = impl_->load_code(record);
    const cpu::Stop stop = impl_->run(state, begin, end, options.tier);

    std::string difference;
    const Json& fault = record.at("fault");
    if (fault.is_string()) {
        if (stop.kind != StopKind::Trapped || signal_of(stop.trap.code) != fault)
            difference = fmt::format("  expected {}, found: {}\n", fault.get<std::string>(),
                                     describe_stop(stop));
    } else if (stop.kind != StopKind::Breakpoint) {
        difference =
            fmt::format("  expected the end of the code, found: {}\n", describe_stop(stop));
    } else {
        difference = Comparison(record, state, impl_->memory).run();
    }
    if (difference.empty()) return {};
    difference.pop_back();
    std::string code;
    for (const Json& text : member(record, "asm"))
        code += fmt::format("    {{ {} }}\n", text.get<std::string>());
    return fmt::format("  class {} op {} v{} at 0x{:x}\n{}{}",
                       record.at("class").get<std::string>(), record.at("op").get<std::string>(),
                       record.at("iset").get<int>(), begin, code, difference);
}

void VectorMachine::count_translation(VectorReport& report) const {
    if (!impl_->translator) return;
    const translate::TranslatorStats stats = impl_->translator->stats();
    report.translated_bundles += stats.bundles_translated;
    report.interpreted_bundles += stats.interpreted_bundles;
}

}  // namespace e2k::machine
