// Disassembly of host code with Zydis and its pairing with guest bundles.
#include <Zydis/Zydis.h>
#include <fmt/format.h>

#include <algorithm>

#include "ui/panels/host_code.h"

namespace e2k::ui {

namespace {

using Piece = HostInstruction::Piece;

Piece::Kind kind_of(ZydisTokenType type) {
    switch (type) {
        case ZYDIS_TOKEN_MNEMONIC:
        case ZYDIS_TOKEN_PREFIX:
            return Piece::Kind::Mnemonic;
        case ZYDIS_TOKEN_REGISTER:
            return Piece::Kind::Register;
        case ZYDIS_TOKEN_IMMEDIATE:
        case ZYDIS_TOKEN_DISPLACEMENT:
            return Piece::Kind::Number;
        case ZYDIS_TOKEN_ADDRESS_ABS:
        case ZYDIS_TOKEN_ADDRESS_REL:
        case ZYDIS_TOKEN_SYMBOL:
            return Piece::Kind::Address;
        default:
            return Piece::Kind::Other;
    }
}

class Disassembler {
public:
    Disassembler() {
        ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        ZydisFormatterInit(&formatter_, ZYDIS_FORMATTER_STYLE_INTEL);
        ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
        ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
                                  ZYDIS_PADDING_DISABLED);
        ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_DISP_PADDING,
                                  ZYDIS_PADDING_DISABLED);
        ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_IMM_PADDING,
                                  ZYDIS_PADDING_DISABLED);
    }

    /// Fills length and pieces; false if the bytes are no instruction.
    bool decode(const std::uint8_t* bytes, std::size_t size, std::uint64_t address,
                HostInstruction& out) {
        ZydisDecodedInstruction instruction;
        ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, bytes, size, &instruction, operands)))
            return false;
        out.length = instruction.length;
        char buffer[512];
        const ZydisFormatterToken* token = nullptr;
        if (!ZYAN_SUCCESS(ZydisFormatterTokenizeInstruction(
                &formatter_, &instruction, operands, instruction.operand_count_visible, buffer,
                sizeof buffer, address, &token, nullptr)))
            return false;
        do {
            ZydisTokenType type = 0;
            ZyanConstCharPointer text = nullptr;
            if (!ZYAN_SUCCESS(ZydisFormatterTokenGetValue(token, &type, &text))) break;
            out.pieces.push_back({kind_of(type), text});
        } while (ZYAN_SUCCESS(ZydisFormatterTokenNext(&token)));
        return true;
    }

private:
    ZydisDecoder decoder_{};
    ZydisFormatter formatter_{};
};

}  // namespace

std::string HostInstruction::text() const {
    std::string out;
    for (const Piece& piece : pieces) out += piece.text;
    return out;
}

std::vector<HostInstruction> disassemble_region(const translate::RegionRecord& region) {
    std::vector<HostInstruction> out;
    Disassembler disassembler;
    const std::size_t size = region.host_code.size();
    std::size_t range = 0;
    for (std::size_t at = 0; at < size;) {
        HostInstruction instruction;
        instruction.offset = static_cast<std::uint32_t>(at);
        while (range < region.ranges.size() && region.ranges[range].end <= at) ++range;
        if (range < region.ranges.size()) {
            const translate::HostRange& tag = region.ranges[range];
            instruction.bundle = tag.bundle;
            instruction.lane = tag.lane;
            instruction.reason = tag.reason;
        }
        if (!disassembler.decode(&region.host_code[at], size - at, region.host_address + at,
                                 instruction)) {
            instruction.length = 1;
            instruction.pieces = {
                {Piece::Kind::Mnemonic, "db "},
                {Piece::Kind::Number, fmt::format("{:#04x}", region.host_code[at])}};
        }
        at += instruction.length;
        out.push_back(std::move(instruction));
    }
    return out;
}

std::vector<HostRow> host_rows(const translate::RegionRecord& region,
                               const std::vector<HostInstruction>& instructions,
                               const machine::CodeView* code) {
    std::vector<HostRow> rows;
    std::vector<bool> shown(region.bundle_addresses.size(), false);
    for (std::size_t i = 0; i < instructions.size();) {
        const std::uint16_t bundle = instructions[i].bundle;
        std::size_t end = i;
        while (end < instructions.size() && instructions[end].bundle == bundle) ++end;
        std::vector<HostRow> block;
        const bool known = bundle < region.bundle_addresses.size();
        HostRow head;
        head.bundle = known ? bundle : -1;
        head.first = true;
        if (known) head.guest = fmt::format("{:#x}", region.bundle_addresses[bundle]);
        // A bundle's text stands at its main block; exit stubs later only name the address.
        const bool again = known && shown[bundle];
        if (again) head.guest += " (exit)";
        block.push_back(head);
        const auto* row =
            known && !again ? find_row(code, region.bundle_addresses[bundle]) : nullptr;
        if (known) shown[bundle] = true;
        if (row) {
            for (const std::string& line : row->text) {
                HostRow guest;
                guest.bundle = bundle;
                const std::size_t first = line.find_first_not_of(' ');
                guest.guest = first == std::string::npos ? "" : line.substr(first);
                const std::size_t comma = guest.guest.find(',');
                if (comma < guest.guest.find(' ') && comma + 1 < guest.guest.size()) {
                    const char c = guest.guest[comma + 1];
                    if (c >= '0' && c <= '5') guest.guest_lane = c - '0';
                }
                block.push_back(std::move(guest));
            }
        }
        block.resize(std::max(block.size(), end - i), HostRow{.bundle = head.bundle, .guest = {}});
        for (std::size_t k = 0; i + k < end; ++k) block[k].instruction = static_cast<int>(i + k);
        if (known && !again)
            for (std::size_t k = 0; k < block.size(); ++k) block[k].line = static_cast<int>(k);
        rows.insert(rows.end(), block.begin(), block.end());
        i = end;
    }
    return rows;
}

}  // namespace e2k::ui
