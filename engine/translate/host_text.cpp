#include "engine/translate/host_text.h"

#include <optional>

#include <fmt/format.h>

namespace e2k::translate {

namespace {

std::optional<std::string> outside(const ZydisDecodedInstruction& instruction,
                                   const ZydisDecodedOperand& operand, std::size_t at,
                                   std::size_t size) {
    if (instruction.operand_count_visible == 0 || operand.type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
        !operand.imm.is_relative)
        return std::nullopt;
    ZyanU64 target = 0;
    ZydisCalcAbsoluteAddress(&instruction, &operand, at, &target);
    if (target < size) return std::nullopt;
    return fmt::format("{} <stub>", ZydisMnemonicGetString(instruction.mnemonic));
}

}  // namespace

HostText::HostText() {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisFormatterInit(&formatter_, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
    ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
                              ZYDIS_PADDING_DISABLED);
}

std::string HostText::instruction(std::span<const std::uint8_t> code, std::size_t at,
                                  std::size_t& length) const {
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    length = code.size() - at;
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeFull(&decoder_, code.data() + at, length, &instruction, operands)))
        return "?";
    length = instruction.length;
    if (const auto target = outside(instruction, operands[0], at, code.size())) return *target;
    char text[256];
    ZydisFormatterFormatInstruction(&formatter_, &instruction, operands,
                                    instruction.operand_count_visible, text, sizeof text, at,
                                    nullptr);
    return text;
}

}  // namespace e2k::translate
