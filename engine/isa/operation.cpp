#include "engine/isa/operation.h"

#include <algorithm>
#include <vector>

#include "engine/isa/table/rows.h"

namespace e2k::isa {
namespace {

std::vector<Operation> join() {
    // Sorted by pointer: moving whole rows about costs every start a millisecond.
    std::vector<const Operation*> order;
    for (const auto part :
         {table::integer_rows(), table::integer_combined_rows(), table::shift_combined_rows(),
          table::float_rows(), table::float_packed_rows(), table::packed_rows(),
          table::memory_rows(), table::state_rows(), table::plog_rows(), table::control_rows()})
        for (const Operation& row : part) order.push_back(&row);
    std::ranges::stable_sort(order, [](const Operation* a, const Operation* b) {
        const bool a_other = a->channels == 0, b_other = b->channels == 0;
        return a_other != b_other ? b_other : a->mnemonic < b->mnemonic;
    });
    std::vector<Operation> all;
    all.reserve(order.size());
    for (const Operation* row : order) all.push_back(*row);
    return all;
}

}  // namespace

std::span<const Operation> operations() {
    static const std::vector<Operation> all = join();
    return all;
}

}  // namespace e2k::isa
