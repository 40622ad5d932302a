#include "engine/timing/processor.h"

namespace e2k::timing {

using isa::Family;

namespace {

constexpr std::array<std::string_view, kOpClasses> kNames{
    "integer",      "combined", "multiply", "divide", "float", "float-combined", "float-fused",
    "float-divide", "extended", "load",     "array",  "check", "stack",          "state"};

bool divides(std::string_view mnemonic) {
    return mnemonic.starts_with("fdiv") || mnemonic.starts_with("fsqrt") ||
           mnemonic.starts_with("frcp") || mnemonic.starts_with("frsqrt") ||
           mnemonic.starts_with("pfdiv") || mnemonic.starts_with("pfsqrt");
}

}  // namespace

std::string_view name_of(OpClass c) { return kNames[static_cast<std::size_t>(c)]; }

OpClass class_of(const isa::Operation& op) {
    switch (op.family) {
        case Family::IntMul:
        case Family::Clmul:
            return OpClass::Multiply;
        case Family::IntDiv:
            return OpClass::Divide;
        case Family::IntCombined:
            return OpClass::Combined;
        case Family::FpScalar:
        case Family::FpConvert:
        case Family::FpPacked64:
        case Family::FpPacked128:
        case Family::FpCompare:
            return divides(op.mnemonic) ? OpClass::FloatDivide : OpClass::Float;
        case Family::FpCombined:
        case Family::FpCombinedPacked:
            return OpClass::FloatCombined;
        case Family::FpFma:
            return OpClass::FloatFused;
        case Family::Fp80:
            return OpClass::Extended;
        case Family::MemLoad:
        case Family::MemSegment:
        case Family::MemProtected:
            return OpClass::Load;
        case Family::MemArray:
            return OpClass::Array;
        case Family::State:
            return op.mnemonic == "getsp" ? OpClass::Stack : OpClass::State;
        default:
            return op.mnemonic == "getsp" ? OpClass::Stack : OpClass::Integer;
    }
}

Consumer consumer_of(const isa::Operation& op) {
    switch (op.family) {
        case Family::IntMul:
        case Family::FpScalar:
        case Family::FpConvert:
        case Family::FpPacked64:
        case Family::FpPacked128:
        case Family::FpCombined:
        case Family::FpCombinedPacked:
        case Family::FpFma:
        case Family::FpCompare:
        case Family::Fp80:
            return Consumer::Float;
        case Family::MemLoad:
        case Family::MemStore:
        case Family::MemArray:
        case Family::MemSegment:
        case Family::MemProtected:
            return Consumer::Address;
        default:
            return Consumer::Integer;
    }
}

}  // namespace e2k::timing
