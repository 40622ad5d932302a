// Immutable pictures of a guest that the worker publishes and panels draw. Nothing here points
// into live guest state.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/state.h"
#include "engine/cpu/trap.h"
#include "engine/guest/elf_image.h"
#include "engine/guest/process.h"
#include "engine/isa/bundle.h"
#include "engine/machine/source_lines.h"
#include "engine/machine/xray.h"
#include "engine/translate/quality.h"
#include "engine/translate/translator.h"

namespace e2k::machine {

enum class RunState : std::uint8_t { NoProgram, Paused, Running, Exited, Signaled, Failed };
enum class Tier : std::uint8_t { Interpreter, Translator };

/// A value of a register as shown.
struct RegisterView {
    std::uint64_t lo = 0, ext = 0;
    std::uint8_t tag = 0;
};

/// A procedure on the chain stack, innermost first.
struct FrameView {
    std::uint64_t ip = 0;            ///< current bundle, or return address of an outer frame
    std::uint32_t window_index = 0;  ///< of %r0 in the window file, registers
    std::uint16_t size = 0, psize = 0;
    cpu::RotationState br;
    std::uint64_t stack_pointer = 0;
};

/// Decoded code around a place of interest: a section, or a part of a long one.
struct CodeView {
    std::uint64_t generation = 0;                  ///< no two views have the same
    std::uint64_t begin = 0, end = 0;              ///< addresses the rows are from
    std::uint64_t whole_begin = 0, whole_end = 0;  ///< of the whole section or mapping
    struct Row {
        isa::Bundle bundle;
        bool valid = true;  ///< false: bytes are no bundle; `error` says why
        std::string error;
        std::vector<std::string> text;  ///< objdump lines
    };
    std::vector<Row> rows;  ///< ascending addresses; bytes that are no code have none

    /// Null if no row begins at `address`.
    const Row* row_at(std::uint64_t address) const {
        const auto at = std::ranges::lower_bound(rows, address, {},
                                                 [](const Row& row) { return row.bundle.address; });
        return at != rows.end() && at->bundle.address == address ? &*at : nullptr;
    }
};

/// Guest memory asked for with ReadMemory.
struct MemoryBlock {
    std::uint64_t address = 0;
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint8_t> readable;  ///< per byte: 0 = not mapped or not readable
};

/// A guest thread, of which panels show one.
struct ThreadView {
    std::uint32_t tid = 0;
    std::uint64_t ip = 0;
    bool in_system_call = false;
};

/// How often bundles were executed, as the profile counted.
struct HeatView {
    struct Entry {
        std::uint64_t address = 0;
        std::uint64_t executions = 0;
        std::uint64_t instructions = 0;  ///< of the host, executed for it
    };
    std::vector<Entry> entries;      ///< by address
    std::uint64_t instructions = 0;  ///< of all
    std::uint64_t most = 0;          ///< executions of one

    /// Null if it was not executed.
    const Entry* at(std::uint64_t address) const {
        const auto found = std::ranges::lower_bound(entries, address, {}, &Entry::address);
        return found != entries.end() && found->address == address ? &*found : nullptr;
    }
};

struct Counters {
    std::uint64_t bundles = 0, operations = 0;
    double bundles_per_second = 0;  ///< over the last publication interval
    double run_seconds = 0;         ///< time spent running, wall
    std::uint64_t syscalls = 0;     ///< of this run of the program
};

/// Full when stopped; while running only state, counters, ip and frames of the last safepoint.
struct Snapshot {
    std::uint64_t sequence = 0;
    bool live = false;  ///< light snapshot of a running guest
    RunState run_state = RunState::NoProgram;
    Tier tier = Tier::Translator;
    bool profile = false;  ///< executions of bundles are counted
    std::string program;   ///< path shown in title
    std::string banner;    ///< why it stopped, in plain words; "" if by command
    guest::ExitStatus exit;
    cpu::Trap trap;  ///< last trap that stopped the guest (code None if none)

    std::uint64_t ip = 0;
    std::string location;  ///< "main+0x18"
    Counters counters;
    int iset = 0;
    cpu::WindowDescriptor wd;
    cpu::RotationState br;
    std::uint32_t window_index = 0;
    std::vector<RegisterView> window;  ///< %r0 .. %r(size-1)
    std::array<RegisterView, 32> globals{};
    cpu::PredicateFile predicates{};  ///< by logical number
    std::array<cpu::Ctpr, 3> ctpr{};
    cpu::LoopState lsr, ilcr;
    cpu::AauState aau;
    std::uint32_t pfpfr = 0, fpcr = 0, fpsr = 0, upsr = 0;
    std::uint64_t stack_pointer = 0;
    std::vector<FrameView> frames;  ///< innermost first; [0] is the current procedure
    /// Registers of the window file from bottom to the end of the current window, for the strip
    /// (at most the last 1024; `file_first` is the index of the first).
    std::vector<RegisterView> window_file;
    std::uint32_t file_first = 0;

    std::vector<std::uint64_t> breakpoints;
    std::shared_ptr<const guest::SymbolTable> symbols;
    std::vector<guest::Region> regions;
    std::shared_ptr<const CodeView> code;  ///< around `ip`, or what ShowCode asked for
    std::shared_ptr<const translate::RegionRecord> region;  ///< translation containing ip, if any
    translate::TranslatorStats translation;
    std::shared_ptr<const MemoryBlock> memory;  ///< as of the last stop; null if not asked for
    std::uint32_t threads = 1;
    std::uint32_t thread = 0;     ///< guest tid of the thread shown
    bool in_system_call = false;  ///< it waits inside a system call; ip is already behind it
    std::string call;             ///< that call: "read(0, 0x1234, 64)"
    bool reads_input = false;     ///< ... and it waits for standard input
    std::vector<ThreadView> thread_list;        ///< as of the last stop
    std::shared_ptr<const Xray> xray;           ///< of the bundle at `ip`; null while running
    std::shared_ptr<const SourceLines> source;  ///< where the code comes from; null: not known
    /// With WatchQuality: all regions and what they cost, and the executions they have counted;
    /// made anew about once a second.
    std::shared_ptr<const translate::QualityReport> quality;
    std::shared_ptr<const HeatView> heat;
};

}  // namespace e2k::machine
