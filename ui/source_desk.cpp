// The source panel's work: reading, assembling and saving the program's source, and comparing runs.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "engine/isa/assembler/program.h"
#include "engine/machine/whole_file.h"
#include "ui/application.h"

namespace e2k::ui {

namespace fs = std::filesystem;
using machine::RunState;

namespace {

constexpr std::size_t kMostChecked = 512u << 10;  ///< bytes of a source assembled while typing
constexpr std::size_t kMostRead = 4u << 20;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (text.size() > kMostRead) text.clear();
    return text;
}

isa::ProgramSourceOptions options_for(const std::string& path) {
    isa::ProgramSourceOptions options;
    options.keep_lines = true;
    options.read = [folder = fs::path(path).parent_path()](
                       const std::string& name) -> tl::expected<std::string, std::string> {
        std::error_code ignored;
        if (!fs::is_regular_file(folder / name, ignored))
            return tl::unexpected(std::string("no such file"));
        return text_of(folder / name);
    };
    return options;
}

/// The text as it can be assembled from another folder: what it includes is named from the root.
std::string rooted(const std::string& text, const fs::path& folder) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string line = text.substr(at, end - at);
        const std::size_t word = line.find_first_not_of(" \t");
        if (word != std::string::npos &&
            (line.compare(word, 8, ".include") == 0 || line.compare(word, 7, ".incbin") == 0))
            if (const std::size_t quote = line.find('"', word);
                quote != std::string::npos && quote + 1 < line.size() && line[quote + 1] != '/')
                line.insert(quote + 1, folder.string() + "/");
        out += line;
        if (end < text.size()) out += '\n';
        at = end + 1;
    }
    return out;
}

/// Where a changed source is put to be started.
std::string copy_of(const std::string& path, const std::string& scratch) {
    return (fs::path(scratch) / "edited" / fs::path(path).filename()).string();
}

/// Where a breakpoint goes in the changed program: as far behind its label, if a bundle begins
/// there, else to the last one before that.
std::uint64_t moved(const isa::AssembledProgram& program, const std::string& label,
                    std::uint64_t offset) {
    const auto symbol = std::ranges::find(program.symbols, label, &isa::AssembledSymbol::name);
    if (symbol == program.symbols.end()) return 0;
    std::uint64_t best = symbol->address;
    for (const isa::AssembledLine& line : program.lines)
        if (line.address >= best && line.address <= symbol->address + offset) best = line.address;
    return best;
}

}  // namespace

void Application::load_source() {
    SourceState& state = panels_.source;
    const std::string& program = snapshot_->program;
    if (snapshot_->run_state == RunState::NoProgram || state.program == program) return;
    if (program == state.path || program == copy_of(state.path, options_.scratch)) {
        state.program = program;
        return;
    }
    if (state.changed()) state.drafts[state.path] = state.text;
    state.program = program;
    state.before.reset();
    state.last.reset();
    if (!isa::is_assembler_source(program)) {
        state.path.clear();
        state.text.clear();
        state.saved.clear();
        state.errors.clear();
        return;
    }
    state.path = program;
    state.text = state.saved = text_of(program);
    if (const auto draft = state.drafts.extract(state.path)) state.text = draft.mapped();
    state.edited = true;
    state.cursor = 0;
}

void Application::assemble_source() {
    SourceState& state = panels_.source;
    const auto program = isa::assemble_program(state.text, options_for(state.path));
    state.errors = program ? program->warnings : program.error();
    state.edited = false;
    if (!program) return workspace_.reveal(PanelId::Source);
    std::string target = state.path;
    if (state.changed()) {
        if (options_.scratch.empty())
            return logs_.notice(true, tr("Save the source first: there is no place for a copy"));
        const fs::path copy =
            fs::path(options_.scratch) / "edited" / fs::path(state.path).filename();
        std::error_code error;
        fs::create_directories(copy.parent_path(), error);
        const std::string why = machine::write_whole_file(
            copy.string(),
            rooted(state.text, fs::absolute(fs::path(state.path), error).parent_path()));
        if (!why.empty()) return logs_.notice(true, trf("{}: {}", copy.string(), why));
        target = copy.string();
    }
    // Breakpoints stay at their labels.
    std::vector<std::uint64_t> places;
    std::string lost;
    for (const std::uint64_t address : snapshot_->breakpoints) {
        source_.send(machine::SetBreakpoint{address, false});
        const guest::Symbol* symbol =
            snapshot_->symbols ? snapshot_->symbols->find(address) : nullptr;
        const std::uint64_t to =
            symbol ? moved(*program, symbol->name, address - symbol->address) : 0;
        if (to)
            places.push_back(to);
        else
            lost += (lost.empty() ? "" : ", ") + (symbol ? symbol->name : std::string("?"));
    }
    if (!lost.empty()) logs_.notice(false, trf("Breakpoints without their label: {}", lost));
    const auto& argv = opened_.options.process.argv;
    std::vector<std::string> arguments;
    if (argv.size() > 1) arguments.assign(argv.begin() + 1, argv.end());
    open(target, std::move(arguments));
    for (const std::uint64_t place : places) source_.send(machine::SetBreakpoint{place, true});
}

void Application::save_source(const std::string& path) {
    SourceState& state = panels_.source;
    if (const std::string why = machine::write_whole_file(path, state.text); !why.empty())
        return logs_.notice(true, trf("{} is not saved: {}", path, why));
    state.saved = state.text;
    if (path == state.path) return;
    state.path = path;
    assemble_source();
}

/// A run that has ended is compared with the one before it.
void Application::note_run() {
    SourceState& state = panels_.source;
    const machine::Snapshot& now = *snapshot_;
    const bool ended = now.run_state == RunState::Exited || now.run_state == RunState::Signaled ||
                       now.run_state == RunState::Failed;
    if (!ended || state.program != now.program) {
        state.noted = state.noted && ended;
        return;
    }
    if (std::exchange(state.noted, true)) return;
    state.before = std::move(state.last);
    RunNote& note = state.last.emplace();
    note.bundles = now.counters.bundles;
    note.operations = now.counters.operations;
    note.state = now.run_state;
    note.exit = now.exit.value;
    for (const Logs::Line& line : logs_.console())
        if (line.fd != 0) note.output += line.text + "\n";
    for (const machine::RegisterView& value : now.window) note.window.push_back(value.lo);
}

void Application::attend_source() {
    using Asked = SourceState::Asked;
    SourceState& state = panels_.source;
    if (!std::exchange(state.drawn, false)) state.focused = false;
    load_source();
    note_run();
    const Asked asked = std::exchange(state.asked, Asked::None);
    if (state.path.empty()) return;
    if (asked == Asked::Save) save_source(state.path);
    if (asked == Asked::SaveAs) save_source(state.save_as);
    if (asked == Asked::Assemble) assemble_source();
    if (!state.edited || state.text.size() > kMostChecked) return;
    state.edited = false;
    const auto program = isa::assemble_program(state.text, options_for(state.path));
    state.errors = program ? program->warnings : program.error();
}

}  // namespace e2k::ui
