#include "engine/isa/operation.h"

#include <algorithm>
#include <vector>

#include "engine/isa/table/rows.h"

namespace e2k::isa {
namespace {

std::vector<Operation> join() {
    std::vector<Operation> all;
    for (const auto part :
         {table::integer_rows(), table::integer_combined_rows(), table::float_rows(),
          table::float_packed_rows(), table::packed_rows(), table::memory_rows(),
          table::state_rows(), table::plog_rows(), table::control_rows()})
        all.insert(all.end(), part.begin(), part.end());
    std::stable_sort(all.begin(), all.end(), [](const Operation& a, const Operation& b) {
        const bool a_other = a.channels == 0, b_other = b.channels == 0;
        return a_other != b_other ? b_other : a.mnemonic < b.mnemonic;
    });
    return all;
}

}  // namespace

std::span<const Operation> operations() {
    static const std::vector<Operation> all = join();
    return all;
}

}  // namespace e2k::isa
