// A bundle between text and bytes: what the statements said, before places are chosen.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/isa/assembler/cursor.h"
#include "engine/isa/operation.h"

namespace e2k::isa::assembler {

struct Condition {
    std::uint8_t code = 0;  ///< as in a CDS half: 0x60+n = %predN, 0x40+n = %pcntN
    bool negated = false;
    bool is_pred() const { return code >= 0x60; }
    bool operator==(const Condition&) const = default;
};

/// A constant that needs LTS halves. Position 2k is the low half of LTSk, 2k+1 its high half.
struct Literal {
    Number number;
    int bits = 0;                  ///< 16, 32, 64 as written, 0 = any that holds the value
    int place = -1;                ///< LTS half as written, -1 = any
    bool reference = false;        ///< to a word that another operation fills
    int position = -1, width = 0;  ///< chosen
};

struct Operand {
    enum class Kind : std::uint8_t {
        Register,  ///< code
        Special,   ///< destination only: %ctpr, %tst, %tc, %tcd; code
        Empty,     ///< code 0xdf; 0xde if written `.lo`
        Number,
        Predicate,      ///< condition
        StateRegister,  ///< code
        AauRegister,    ///< bits 23:8 of the syllable in `address`
        ArrayAddress,   ///< the same, with a literal if it has an offset
    };
    Kind kind = Kind::Number;
    std::uint8_t code = 0;
    bool explicit_half = false;  ///< `.lo`, `.hi` of %empty
    Condition condition;
    std::uint32_t address = 0;
    bool has_offset = false;
    Literal literal;
    std::string_view text;
};

/// One operation for a channel, or for two.
struct AlsDraft {
    SourceLine line;
    std::string mnemonic;
    std::string_view mnemonic_text;
    int wanted_channel = -1;
    bool speculative = false;
    std::vector<Operand> operands;
    std::optional<std::uint8_t> mas;
    std::uint8_t wbs = 0;
    std::optional<Condition> merge;
    std::vector<Condition> guards;
    bool incr = false;
    std::uint8_t incr_register = 0;
    std::optional<Condition> incr_guard;
    int channel = -1, second_channel = -1;  ///< chosen
    const Operation* row = nullptr;         ///< chosen
};

struct MovaDraft {
    bool present = false;
    std::uint16_t word = 0;
    std::uint8_t dst = 0;
};

/// Everything the statements of one bundle said.
struct BundleDraft {
    std::vector<AlsDraft> als;
    bool loop_mode = false, set_mark = false;
    std::optional<std::uint8_t> nop;

    std::optional<std::uint32_t> ss;  ///< bits other than ipd
    SourceLine transfer;              ///< statement whose condition is in `ss`
    std::optional<std::uint8_t> ipd;
    std::optional<Condition> rp_condition;  ///< of crp, srp, slrp
    std::optional<std::uint32_t> cs0, cs1;
    std::string_view cs1_group;     ///< name of the group CS1 holds
    std::optional<Literal> window;  ///< LTS0 of setwd
    std::uint32_t window_fields = 0;
    std::array<MovaDraft, 4> mova;

    std::array<std::uint8_t, 4> elp{};
    std::array<bool, 7> defined{};  ///< local predicates with a source
    std::array<std::uint16_t, 3> clp{};
    int pls_count = 0;

    std::array<std::optional<std::array<std::uint32_t, 2>>, 2> async;  ///< left, right half
};

/// Context of a statement's parser.
struct Context {
    const AssemblerOptions& options;
    std::uint64_t address;
};

// Parsing: each takes one statement.
void parse_operation(Cursor& in, BundleDraft& draft, const Context& context);
/// True if `name` was a control, predicate, array or asynchronous operation and was parsed.
bool parse_control(std::string_view name, Cursor& in, BundleDraft& draft, const Context& context);
bool parse_predicate_logic(std::string_view name, Cursor& in, BundleDraft& draft);
bool parse_array(std::string_view name, Cursor& in, BundleDraft& draft, const Context& context);
void parse_als(std::string_view name, std::string_view text, Cursor& in, BundleDraft& draft,
               const Context& context);

Operand parse_operand(Cursor& in);
/// `[~]%predN` or `[~]%pcntN`.
std::optional<Condition> parse_condition(Cursor& in);
/// ` ? condition` of a transfer, as bits 8:0 of SS; "always" if there is none.
std::uint32_t parse_transfer_condition(Cursor& in);
/// The name the operation table has for one of the other spellings.
std::string canonical_name(std::string_view name, int iset);
/// The rows of a mnemonic of arithmetic-logic operations.
std::vector<const Operation*> rows_of(std::string_view mnemonic, int iset);

/// Channel of the upper member of a pair whose lower one is `channel`; -1 if it is no lower one.
int mate_of_lower(Pair pair, int channel);
/// Gives each ALS operation its channel and row.
std::optional<AssemblyError> choose_channels(BundleDraft& draft, const AssemblerOptions& options);
/// Gives each literal its position and width; `words` becomes the number of LTS words. False if
/// they do not fit.
bool place_literals(const std::vector<Literal*>& literals, int& words);

/// Operations of the bundle that a statement outside braces becomes: the statement itself first,
/// then its delays; `clpandp` becomes its elements. Empty if the statement is damaged.
std::vector<std::string> alone(const SourceLine& line, int iset, bool strict_delay);

/// Error at the start of a statement.
AssemblyError error_at(const SourceLine& line, std::string message);

}  // namespace e2k::isa::assembler
