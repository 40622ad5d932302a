// What happens while a program runs, written down: `e2kwb run --log ITEMS`.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "engine/guest/process.h"
#include "engine/machine/guest.h"

namespace e2k::machine {

enum class LogItem : std::uint8_t {
    InAsm,
    Op,
    OutAsm,
    Exec,
    Cpu,
    Strace,
    Unimp,
    NoChain,
    Page,
};
struct LogItemName {
    LogItem item;
    std::string_view name, meaning;
};
/// All of them, in the order of LogItem.
extern const std::array<LogItemName, 9> kLogItems;

struct RunLogOptions {
    std::uint32_t items = 0;  ///< bit n: LogItem n
    /// Guest addresses, [first, second); items that speak of code keep to them. Empty: all.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    bool has(LogItem item) const { return items >> static_cast<unsigned>(item) & 1; }
};
/// "in_asm,exec". Error: the name that there is none of.
tl::expected<std::uint32_t, std::string> parse_log_items(std::string_view text);
/// "0x10000..0x10fff" (both ends included), "0x10000+0x100", "0x10100-0x100" (those before it), or
/// several with commas. Error: what is wrong.
tl::expected<std::vector<std::pair<std::uint64_t, std::uint64_t>>, std::string> parse_log_ranges(
    std::string_view text);

/// Writes whole lines, from any guest thread, through `write`.
class RunLog {
public:
    RunLog(RunLogOptions options, std::function<void(std::string_view)> write);

    /// Asks the guest for what is to be written.
    void prepare(GuestOptions& options);
    void begin(Guest& guest);  ///< it is about to run
    void system_call(const guest::SyscallRecord& record);
    void missing(const std::string& what);  ///< a bundle that this build cannot execute

private:
    void region(const translate::RegionRecord& record);
    void entering(Runner& runner);
    void pages(const char* why);
    bool wanted(std::uint64_t address) const;
    void put(const std::string& text);

    RunLogOptions options_;
    std::function<void(std::string_view)> write_;
    std::mutex mutex_;
    Guest* guest_ = nullptr;
    std::string pages_;  ///< as last written
};

}  // namespace e2k::machine
