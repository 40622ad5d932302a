// Questions about the target, and the monitor commands.
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "engine/tools/gdb/server.h"
#include "engine/tools/gdb/signals.h"

namespace e2k::tools::gdb {
namespace {

constexpr std::string_view kOk = "OK", kBad = "E01";
constexpr std::string_view kSupported =
    "PacketSize=8000;QStartNoAckMode+;multiprocess+;vContSupported+;swbreak+;hwbreak+;"
    "qXfer:features:read+;qXfer:auxv:read+;qXfer:exec-file:read+;qXfer:threads:read+;"
    "qXfer:siginfo:read+;qXfer:tags:read+;qXfer:tags:write+;qXfer:packed_tags:read+;"
    "QPassSignals+;QCatchSyscalls+;ReverseStep+;ReverseContinue+;fork-events+;exec-events+";

std::string xml_text(std::string_view text) {
    std::string safe;
    for (const char c : text) switch (c) {
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '&':
                safe += "&amp;";
                break;
            case '"':
                safe += "&quot;";
                break;
            default:
                safe += static_cast<unsigned char>(c) < ' ' ? '?' : c;
        }
    return safe;
}

}  // namespace

std::string Session::supported(std::string_view rest) {
    take(rest, ":");
    while (!rest.empty()) {
        const std::string_view one = take_until(rest, ';');
        knows_swbreak_ |= one == "swbreak+";
        knows_hwbreak_ |= one == "hwbreak+";
        knows_forks_ |= one == "fork-events+";
        knows_exec_ |= one == "exec-events+";
    }
    debuggee_.follows_forks = knows_forks_;
    debuggee_.follows_exec = knows_exec_;
    return std::string(kSupported);
}

std::string Session::no_acks(std::string_view) {
    no_acknowledgements = true;
    return std::string(kOk);
}

std::string Session::pass_signals(std::string_view rest) {
    std::set<int> passed;
    while (!rest.empty()) {
        std::string_view one = take_until(rest, ';');
        const auto number = take_number(one);
        if (!number || !one.empty()) return std::string(kBad);
        if (const int signal = from_gdb(static_cast<int>(*number & 0xff))) passed.insert(signal);
    }
    debuggee_.pass_signals(std::move(passed));
    return std::string(kOk);
}

std::string Session::catch_calls(std::string_view rest) {
    if (rest == "0") {
        debuggee_.catch_calls(std::nullopt);
        return std::string(kOk);
    }
    if (!take(rest, "1")) return std::string(kBad);
    std::set<std::uint64_t> numbers;
    while (take(rest, ";")) {
        const auto number = take_number(rest);
        if (!number) return std::string(kBad);
        numbers.insert(*number);
    }
    if (!rest.empty()) return std::string(kBad);
    debuggee_.catch_calls(std::move(numbers));
    return std::string(kOk);
}

std::string Session::first_threads(std::string_view) {
    std::string text = "m";
    for (const unsigned number : debuggee_.threads())
        text += (text.size() > 1 ? "," : "") + thread_id(number);
    return text;
}
std::string Session::no_more_threads(std::string_view) { return "l"; }
std::string Session::is_attached(std::string_view) { return attached ? "1" : "0"; }
std::string Session::current_thread(std::string_view) { return "QC" + thread_id(selected_); }
std::string Session::offsets(std::string_view) { return "Text=0;Data=0;Bss=0"; }

std::string Session::thread_list() {
    std::string text = "<?xml version=\"1.0\"?><threads>";
    for (const unsigned number : debuggee_.threads())
        text += fmt::format("<thread id=\"{}\" core=\"0\" name=\"{}\"/>", thread_id(number),
                            xml_text(debuggee_.process().name_of(*debuggee_.thread(number))));
    return text + "</threads>";
}

/// The bytes of an object of qXfer; nullopt: there is none of that name.
std::optional<std::string> Session::object(std::string_view name, std::string_view annex) {
    if (name == "features") {
        const int iset = debuggee_.stopped(selected_).state->iset;
        if (annex != "target.xml") return std::nullopt;
        return target_description(iset,
                                  architecture_name(iset, debuggee_.process().machine_number()));
    }
    if (name == "threads") return thread_list();
    if (name == "exec-file") return debuggee_.process().executable();
    if (name == "auxv") {
        const auto words = debuggee_.process().auxiliary_vector();
        std::string bytes(words.size() * sizeof words[0], '\0');
        std::memcpy(bytes.data(), words.data(), bytes.size());
        return bytes;
    }
    if (name == "siginfo") {
        const auto bytes = debuggee_.signal_information(selected_);
        if (bytes.empty()) return std::nullopt;
        return std::string(bytes.begin(), bytes.end());
    }
    return std::nullopt;
}

/// qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH
std::string Session::transfer(std::string_view rest) {
    const std::string_view name = take_until(rest, ':'), way = take_until(rest, ':');
    const std::string_view annex = take_until(rest, ':');
    if (name == "tags" && way == "read") return read_tags(rest, false);
    if (name == "packed_tags" && way == "read") return read_tags(rest, true);
    if (name == "tags" && way == "write") return write_tags(rest);
    if (way != "read") return {};
    const auto from = take_number(rest);
    if (!from || !take(rest, ",")) return std::string(kBad);
    const auto size = take_number(rest);
    if (!size || !rest.empty()) return std::string(kBad);
    const auto all = object(name, annex);
    if (!all) return name == "siginfo" || name == "features" ? std::string(kBad) : std::string();
    if (*from >= all->size()) return "l";
    constexpr std::uint64_t kMost = 0x3f00;  // may double when it is escaped
    const std::string part = all->substr(*from, std::min(*size, kMost));
    return (*from + part.size() < all->size() ? "m" : "l") + escaped(part);
}

std::string Session::command(std::string_view rest) {
    const auto words = from_hex(rest);
    if (!words) return std::string(kBad);
    console.push_back(monitor({reinterpret_cast<const char*>(words->data()), words->size()}));
    return std::string(kOk);
}

std::string Session::monitor(std::string_view words) {
    machine::Guest& guest = debuggee_.guest();
    if (words == "syscalls") {
        std::string text;
        for (const std::string& call : recent_calls_) text += call + "\n";
        return text.empty() ? "no system call yet\n" : text;
    }
    if (words == "quality") {
        const translate::TranslatorStats stats = guest.translator().stats();
        const translate::HostCodeCensus census = guest.translator().census();
        const std::uint64_t operations = std::max<std::uint64_t>(census.operations, 1);
        return fmt::format(
            "{} bundles and {} operations executed\n"
            "{} regions of {} bundles, {} host instructions, {:.1f} an operation\n",
            guest.bundles(), guest.operations(), stats.regions, stats.bundles_translated,
            census.instructions,
            static_cast<double>(census.instructions) / static_cast<double>(operations));
    }
    if (words == "history") return debuggee_.describe_history();
    if (words.starts_with("goto ")) {
        std::uint64_t bundle = 0;
        const std::string_view text = words.substr(5);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bundle);
        if (error != std::errc() || end != text.data() + text.size())
            return "goto wants a number of bundles\n";
        const auto stopped = debuggee_.go_to(bundle);
        if (!stopped) return stopped.error() + "\n";
        stop_ = *stopped;
        selected_ = 1;
        return fmt::format("bundle {}: 0x{:x}\n", bundle, debuggee_.stopped(1).state->ip);
    }
    if (words == "state") return fmt::format("{} threads\n", debuggee_.threads().size());
    std::string text = words == "help" || words.empty()
                           ? std::string()
                           : fmt::format("unknown command \"{}\"\n", words);
    return text +
           "monitor goto N    to where N bundles have been executed (then: flushregs)\n"
           "monitor help      this text\n"
           "monitor history   what is recorded\n"
           "monitor quality   what has been executed and translated\n"
           "monitor state     threads of the guest\n"
           "monitor syscalls  the last system calls\n";
}

}  // namespace e2k::tools::gdb
