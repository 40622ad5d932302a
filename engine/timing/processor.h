// What the cycle model knows of a processor: numbers from a data file (assets/processors/*.cpu),
// none of them in code.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "engine/isa/operation.h"

namespace e2k::timing {

/// Operations with the same distances to those that use their results.
enum class OpClass : std::uint8_t {
    Integer,
    Combined,
    Multiply,
    Divide,
    Float,
    FloatCombined,
    FloatFused,
    FloatDivide,
    Extended,
    Load,
    Array,
    Check,
    Stack,
    State,
    Count,
};
inline constexpr std::size_t kOpClasses = static_cast<std::size_t>(OpClass::Count);
/// As the data files write it: "integer", "float-combined".
std::string_view name_of(OpClass c);
OpClass class_of(const isa::Operation& op);

/// What looks at a result.
enum class Consumer : std::uint8_t { Integer, Float, Address, StoreData, Count };
inline constexpr std::size_t kConsumers = static_cast<std::size_t>(Consumer::Count);
Consumer consumer_of(const isa::Operation& op);

struct ClassTiming {
    std::uint8_t latency = 1;   ///< cycles to an operation of the same kind
    bool by_operation = false;  ///< the operation table's latency counts where it has one
    std::uint8_t cross = 0;     ///< cycles more into the other cluster
    std::uint8_t integer = 0;   ///< cycles more into integer operations and addresses
    std::uint8_t store = 0;     ///< cycles more as data of a store
    std::uint8_t every = 1;     ///< cycles until the unit takes the next one
};

/// From a predicate's producer to its users.
struct PredicateTiming {
    std::uint8_t logic = 1, guard = 2, transfer = 3;
};
enum class PredicateSource : std::uint8_t { Compare, FloatCompare, Logic, Count };

struct CacheTiming {
    std::string name;  ///< "L1"
    std::uint32_t bytes = 0, line = 64, ways = 4;
    std::uint16_t latency = 0;   ///< cycles from a load's issue to its use
    std::uint16_t interval = 1;  ///< cycles between two lines that it delivers
};

struct Processor {
    std::string name;   ///< "e8c"
    std::string title;  ///< "Elbrus-8C"
    int version = 4;    ///< of the instruction set
    double mhz = 0;
    std::array<ClassTiming, kOpClasses> classes{};
    std::array<PredicateTiming, static_cast<std::size_t>(PredicateSource::Count)> predicates{};
    std::uint8_t label_to_transfer = 5, return_to_transfer = 6, system_to_transfer = 5,
                 move_to_transfer = 9;             ///< disp, return, sdisp, movtd to ct or call
    std::uint16_t unprepared = 5;                  ///< a branch without preparation that is taken
    std::uint16_t taken = 0, call = 0, leave = 0;  ///< prepared ct, call, return
    std::uint16_t window_registers = 192;          ///< that stay in the file
    std::uint16_t spill = 1;                       ///< cycles a quad, filling too
    std::uint16_t chain_frames = 32, chain_spill = 2;
    std::vector<CacheTiming> caches;   ///< L1 first
    CacheTiming memory;                ///< latency and interval only
    std::uint16_t store_interval = 1;  ///< cycles a store keeps the way out of L1 busy
    std::uint16_t array_start = 20;    ///< from bap to the first element
    std::uint16_t array_ahead = 16;    ///< lines that one area is read ahead
    std::uint16_t system_call = 500;
    std::string source;  ///< the data file's text

    const ClassTiming& timing(OpClass c) const { return classes[static_cast<std::size_t>(c)]; }
};

/// Parses a data file; `origin` is its name in errors: "origin:12: …".
tl::expected<Processor, std::string> parse_processor(std::string_view text,
                                                     std::string_view origin);
/// All that are built in, oldest first.
std::span<const Processor> processors();
/// One of those by name ("e8c"), or a file with that name. Error: what there is.
tl::expected<Processor, std::string> find_processor(const std::string& name);
/// The built-in one that a program for this version is tuned for first.
const Processor& usual_processor(int version);
std::string processor_names();

/// Costs of library functions that the workbench computes itself, in cycles.
struct LibraryCosts {
    struct Class {
        std::string name;
        std::uint32_t cycles = 0;
    };
    std::vector<Class> classes;
    std::vector<std::pair<std::string, std::size_t>> functions;  ///< sorted by name; index of class
    std::size_t others = 0;  ///< class of what is named nowhere and traps to the workbench

    const Class* find(std::string_view function) const;
};
tl::expected<LibraryCosts, std::string> parse_library_costs(std::string_view text,
                                                            std::string_view origin);
const LibraryCosts& library_costs();  ///< built in

}  // namespace e2k::timing
