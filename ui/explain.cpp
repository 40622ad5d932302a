#include "ui/explain.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/isa/describe.h"
#include "engine/isa/disassembler.h"
#include "engine/lessons/value.h"
#include "ui/format.h"
#include "ui/text.h"

namespace e2k::ui {

namespace {

std::string all_views(std::uint64_t value) {
    return fmt::format("{:#x} · {} · {}", value, static_cast<std::int64_t>(value), float64(value));
}

const machine::RegisterView* register_of(const Scene& scene, const isa::Operand& operand) {
    using isa::OperandKind;
    const auto& now = scene.now;
    int index = -1;
    if (operand.kind == OperandKind::Window) index = operand.index;
    if (operand.kind == OperandKind::Based) index = based_register(now, operand.index);
    if (index >= 0 && static_cast<std::size_t>(index) < now.window.size())
        return &now.window[static_cast<std::size_t>(index)];
    if (operand.kind == OperandKind::Global && operand.index < now.globals.size())
        return &now.globals[operand.index];
    return nullptr;
}

std::string operand_name(const isa::Operand& operand) {
    using isa::OperandKind;
    const char* size = operand.width == isa::Width::S   ? ""
                       : operand.width == isa::Width::Q ? "q"
                       : operand.width == isa::Width::P ? "qp"
                                                        : "d";
    switch (operand.kind) {
        case OperandKind::Window:
            return fmt::format("%{}r{}", size, operand.index);
        case OperandKind::Based:
            return fmt::format("%{}b[{}]", size, operand.index);
        case OperandKind::Global:
            return fmt::format("%{}g{}", size, operand.index);
        case OperandKind::Pred:
            return fmt::format("%pred{}", operand.index);
        case OperandKind::StateReg:
            return std::string(isa::state_register_name(operand.index));
        default:
            return {};
    }
}

}  // namespace

int based_register(const machine::Snapshot& now, unsigned n) {
    return lessons::based_register(now, n);
}

int based_name(const machine::Snapshot& now, unsigned index) {
    const unsigned base = 2u * now.br.rbs, count = 2u * now.br.rsz + 2u;
    if (index < base || index >= base + count) return -1;
    const unsigned slot = index - base, turn = 2u * now.br.rcur;
    return static_cast<int>((slot + count - turn % count) % count);
}

std::string operand_value(const Scene& scene, const isa::Operand& operand) {
    if (operand.kind == isa::OperandKind::Literal) return {};
    const std::string name = operand_name(operand);
    if (name.empty()) return {};
    if (operand.kind == isa::OperandKind::Pred) {
        const auto value = scene.now.predicates[operand.index & 31];
        return fmt::format("{} = {}", name, value & cpu::kPredValue);
    }
    const machine::RegisterView* reg = register_of(scene, operand);
    if (!reg) return {};
    const bool narrow = operand.width == isa::Width::S;
    return fmt::format("{} = {}{}", name,
                       narrow ? fmt::format("{:#x}", reg->lo & 0xffff'ffff) : all_views(reg->lo),
                       reg->tag ? "  (diagnostic)" : "");
}

/// What the operation will leave, as the x-ray of the bundle says.
std::string result_text(const Scene& scene, int channel) {
    if (!scene.now.xray) return {};
    std::string out;
    for (const machine::XrayOperation& op : scene.now.xray->operations) {
        if (op.lane != channel || !op.works) continue;
        for (const machine::XrayWrite& write : op.writes)
            out += "\n" + trf("after: {} = {}", write.name,
                              write.after.bits == 1 ? std::to_string(write.after.lo)
                                                    : all_views(write.after.lo));
        for (const machine::XrayStore& store : op.stores)
            out += "\n" + trf("writes {} bytes at {}", store.after.size(), hex(store.address));
    }
    return out;
}

std::string explain_operation(const Scene& scene, const isa::Bundle& bundle, int channel) {
    const isa::AlsOp& als = bundle.als[static_cast<std::size_t>(channel)];
    std::string out = isa::format_als(bundle, channel);
    if (!als.op)
        return out + "\n" + tr("No operation has this encoding here: executing it is illegal.");
    const isa::Operation& op = *als.op;
    const isa::OperationDescription words = isa::describe(op);
    out += "\n" + words.title;
    if (!words.formula.empty()) out += "\n" + words.formula;
    if (als.speculative)
        out += std::string("\n") +
               tr("Speculative (.s): an error gives a diagnostic value instead of a trap.");
    if (bundle.address == scene.now.ip && !scene.running()) {
        for (const isa::Operand* operand : {&als.src1, &als.src2, &als.src3, &als.data}) {
            if (std::string value = operand_value(scene, *operand); !value.empty())
                out += "\n" + value;
        }
        for (const isa::PredicateRef& guard : als.guards.span()) {
            if (guard.kind != isa::PredicateRef::Kind::Pred) continue;
            const unsigned value = scene.now.predicates[guard.index & 31] & cpu::kPredValue;
            const bool on = (value != 0) != guard.negated;
            out += "\n" + trf("guard {}%pred{} = {}: {}", guard.negated ? "~" : "", guard.index,
                              value, on ? tr("it takes effect") : tr("it has no effect now"));
        }
        if (std::string value = operand_value(scene, als.dst); !value.empty())
            out += "\n" + trf("before: {}", value);
        out += result_text(scene, channel);
    }
    out += fmt::format("\n{} · {}", words.channels, words.versions);
    if (!words.latency.empty()) out += " · " + trf("latency {}", words.latency);
    for (const std::string& note : words.notes) out += "\n" + note;
    return out;
}

std::string explain_bundle(const Scene& scene, const machine::CodeView::Row& row) {
    std::string out =
        fmt::format("{}  ({:#x})", place(scene.symbols(), row.bundle.address), row.bundle.address);
    if (!row.valid) return out + "\n" + row.error;
    out += fmt::format(" · {} bytes", row.bundle.length);
    for (const std::string& line : row.text) out += "\n" + line;
    return out;
}

std::string explain_window_register(const Scene& scene, unsigned index) {
    const auto& now = scene.now;
    if (index >= now.window.size()) return {};
    const machine::RegisterView& reg = now.window[index];
    std::string out = fmt::format("%dr{}", index);
    if (const int n = based_name(now, index); n >= 0) out += fmt::format("  =  %db[{}]", n);
    out += fmt::format("\nhex       {:#018x}\nsigned    {}\nunsigned  {}\ndouble    {}", reg.lo,
                       static_cast<std::int64_t>(reg.lo), reg.lo, float64(reg.lo));
    out += fmt::format("\n32 bits   {} · {}", static_cast<std::int32_t>(reg.lo),
                       static_cast<std::uint32_t>(reg.lo));
    if (reg.ext) out += fmt::format("\nextension {:#018x}", reg.ext);
    const std::uint32_t file = now.window_index + index;
    if (const auto before = scene.changes.before(file))
        out += "\n" + trf("before the last step  {:#x}", before->lo);
    out += "\n" + trf("register {} of the window file", file);
    if (index < now.wd.psize) out += std::string("; ") + tr("received from the caller");
    if (reg.tag) out += "\n" + trf("Diagnostic value (tag {})", reg.tag);
    if (const std::string at = now.symbols ? now.symbols->describe(reg.lo) : ""; !at.empty())
        out += "\n" + trf("may point to {}", at);
    return out;
}

bool has_breakpoint(const machine::Snapshot& now, std::uint64_t address) {
    return std::find(now.breakpoints.begin(), now.breakpoints.end(), address) !=
           now.breakpoints.end();
}

void bundle_menu(const Scene& scene, std::uint64_t address, machine::CommandSink& sink) {
    const std::string where = place(scene.symbols(), address);
    ImGui::TextDisabled("%s", where.c_str());
    ImGui::Separator();
    if (ImGui::MenuItem(tr("Go to in Bundles"))) scene.selection.go_to = address;
    const bool on = has_breakpoint(scene.now, address);
    if (ImGui::MenuItem(on ? tr("Remove breakpoint") : tr("Break here"), "F9"))
        sink.send(machine::SetBreakpoint{address, !on});
    const bool can_run = scene.now.run_state == machine::RunState::Paused;
    if (ImGui::MenuItem(tr("Run to here"), nullptr, false, can_run))
        sink.send(machine::RunTo{address});
    ImGui::Separator();
    if (ImGui::MenuItem(tr("Copy address"))) ImGui::SetClipboardText(hex(address).c_str());
    if (ImGui::MenuItem(tr("Copy symbol"))) ImGui::SetClipboardText(where.c_str());
    if (const auto* row = find_row(scene.now.code.get(), address)) {
        if (ImGui::MenuItem(tr("Copy disassembly"))) {
            std::string text;
            for (const std::string& line : row->text) text += line + "\n";
            ImGui::SetClipboardText(text.c_str());
        }
    }
}

}  // namespace e2k::ui
