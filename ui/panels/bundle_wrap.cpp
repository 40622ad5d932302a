#include "ui/panels/bundle_wrap.h"

#include <algorithm>

#include "ui/format.h"

namespace e2k::ui {

namespace {

/// Bytes of the first `count` characters.
std::size_t prefix_bytes(std::string_view text, std::size_t count) {
    std::size_t at = 0;
    for (; at < text.size() && count > 0; --count) {
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
    }
    return at;
}

float token_cells(const Token& token) { return static_cast<float>(columns(token.text)); }

/// Breaks one operation into lines of at most `room` characters: the whole on
/// one line if it fits, else the mnemonic alone, then operands, then guards.
void wrap(const OpText& op, float room, std::vector<TokenLine>& lines) {
    float total = -1;
    for (const auto* group : {&op.mnemonic, &op.operands, &op.guards}) {
        for (const Token& token : *group) total += token_cells(token) + 1;
    }
    lines.emplace_back();
    float used = 0;
    const auto put = [&](const Token& token) {
        const float width = token_cells(token);
        if (!lines.back().empty() && used + 1 + width > room) {
            lines.emplace_back();
            used = 0;
        }
        used += (lines.back().empty() ? 0 : 1) + width;
        std::string_view text = token.text;
        // A token longer than the cell continues on the next line rather than being
        // cut.
        while (room >= 4 && static_cast<float>(columns(text)) > room) {
            std::size_t end = prefix_bytes(text, static_cast<std::size_t>(room));
            // "? ~pred0" rather between the words.
            if (const std::size_t space = text.rfind(' ', end - 1); space != text.npos)
                end = space + 1;
            lines.back().push_back({text.substr(0, end), token.kind});
            text.remove_prefix(end);
            lines.emplace_back();
            used = static_cast<float>(columns(text));
        }
        lines.back().push_back({text, token.kind});
    };
    const bool one_line = total <= room;
    for (const auto* group : {&op.mnemonic, &op.operands, &op.guards}) {
        if (!one_line && !lines.back().empty() && !group->empty()) {
            lines.emplace_back();
            used = 0;
        }
        for (const Token& token : *group) put(token);
    }
}

}  // namespace

std::vector<TokenLine> wrap_cell(const std::vector<OpText>& ops, float room) {
    std::vector<TokenLine> lines;
    for (const OpText& op : ops) wrap(op, room, lines);
    return lines;
}

float natural_cells(const std::vector<OpText>& ops) {
    float most = 0;
    for (const OpText& op : ops) {
        for (const auto* group : {&op.mnemonic, &op.operands, &op.guards}) {
            float line = -1;
            for (const Token& token : *group) line += token_cells(token) + 1;
            most = std::max(most, line);
        }
    }
    return most;
}

}  // namespace e2k::ui
