#include "engine/machine/line_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>

#include <elfutils/libdw.h>

namespace e2k::machine {

namespace {

constexpr std::size_t kMostRows = 1'000'000;

struct Closer {
    void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

/// Collects the rows of all units.
class Collector {
public:
    explicit Collector(LineTable& table) : table_(table) {}

    bool full() const { return table_.rows.size() >= kMostRows; }

    /// The rows of one unit: each one's bytes reach to the next one of its sequence.
    void take(Dwarf_Lines* lines, std::size_t count) {
        std::size_t open = kNone;  // the row whose end is not known yet
        for (std::size_t i = 0; i < count && !full(); ++i) {
            Dwarf_Line* const line = dwarf_onesrcline(lines, i);
            Dwarf_Addr address = 0;
            bool last = false;
            if (!line || dwarf_lineaddr(line, &address) || dwarf_lineendsequence(line, &last))
                return;
            if (open != kNone) {
                table_.rows[open].end = std::max<std::uint64_t>(address, table_.rows[open].address);
                open = kNone;
            }
            int number = 0;
            const char* const name = dwarf_linesrc(line, nullptr, nullptr);
            if (last || !name || dwarf_lineno(line, &number) || number < 1) continue;
            open = table_.rows.size();
            table_.rows.push_back({address, address, file(name), number});
        }
    }

private:
    static constexpr std::size_t kNone = ~std::size_t{0};

    std::uint32_t file(const char* name) {
        const auto [at, added] =
            known_.try_emplace(name, static_cast<std::uint32_t>(table_.files.size()));
        if (added) table_.files.emplace_back(name);
        return at->second;
    }

    LineTable& table_;
    std::map<std::string, std::uint32_t> known_;
};

}  // namespace

LineTable read_line_table(const std::string& path) {
    LineTable table;
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return table;
    if (const std::unique_ptr<Dwarf, Closer> dwarf{dwarf_begin(file, DWARF_C_READ)}) {
        Collector collector(table);
        Dwarf_Off at = 0, next = 0;
        Dwarf_CU* unit = nullptr;
        Dwarf_Files* files = nullptr;
        Dwarf_Lines* lines = nullptr;
        std::size_t file_count = 0, line_count = 0;
        while (!collector.full() && dwarf_next_lines(dwarf.get(), at, &next, &unit, &files,
                                                     &file_count, &lines, &line_count) == 0) {
            if (next <= at) break;
            at = next;
            collector.take(lines, line_count);
        }
    }
    close(file);
    std::erase_if(table.rows, [](const LineTable::Row& row) { return row.end == row.address; });
    std::ranges::stable_sort(table.rows, {}, &LineTable::Row::address);
    return table;
}

}  // namespace e2k::machine
