// The registers that gdb knows of an Elbrus machine: their numbers, names, types, and what they are
// of a stopped thread. Numbers are fixed in the client (0 … 669).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/cpu/state.h"

namespace e2k::tools::gdb {

/// Which description a register stands in, and from which version of the architecture on.
enum class Feature : std::uint8_t { Generic, V2, V3, V5, V6 };

/// A thread that has stopped, as the registers show it.
struct StoppedThread {
    cpu::CpuState* state = nullptr;
    std::uint64_t trap_ip = 0, trap_bits = 0;  ///< of the exception it has stopped for; 0: none
    std::int64_t system_call = -1;             ///< number; -1: it is in none
};

/// One row: consecutive numbers with one meaning.
struct RegisterRow {
    const char* name;     ///< "_g{}", or, of a single one, all of it
    std::uint16_t first;  ///< number
    std::uint16_t count;
    std::uint8_t size;  ///< bytes in a packet
    const char* type;   ///< of the description
    Feature feature;
    /// Register `i` of the row; nullptr: it reads as zero.
    std::uint64_t (*get)(const StoppedThread& at, unsigned i);
    /// nullptr: writing has no effect.
    void (*set)(const StoppedThread& at, unsigned i, std::uint64_t value);
    /// Names that follow no pattern, `count` of them.
    std::span<const char* const> names = {};

    std::string name_of(unsigned i) const;
};

inline constexpr unsigned kRegisters = 670;

/// All rows in the order of their numbers, without gaps.
std::span<const RegisterRow> register_rows();
/// nullptr: there is no such number, or not in that version.
const RegisterRow* find_register(unsigned number, int iset);
bool has_feature(Feature feature, int iset);

/// The bytes of a register in a packet. Nullopt: there is none.
std::optional<std::vector<std::uint8_t>> read_register(const StoppedThread& at, unsigned number);
/// False: there is no such register, or it has another size.
bool write_register(const StoppedThread& at, unsigned number, std::span<const std::uint8_t> bytes);
/// All of the version, one after the other.
std::vector<std::uint8_t> read_all_registers(const StoppedThread& at);

/// target.xml.
std::string target_description(int iset, const std::string& architecture);
/// "elbrus-v4:64"; `machine` is that of the ELF header's flags.
std::string architecture_name(int iset, unsigned machine);

}  // namespace e2k::tools::gdb
