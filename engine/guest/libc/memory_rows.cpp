// malloc and its relatives.
#include <array>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

constexpr auto kAsValue = [](std::uint64_t address) { return Value(address); };

Outcome<Value> malloc_(LibraryCall& call) {
    return call.library.heap.allocate(call.size(0)).map(kAsValue);
}
Outcome<Value> free_(LibraryCall& call) {
    return call.library.heap.release(call.pointer(0)).map([] { return Value(); });
}
Outcome<Value> calloc_(LibraryCall& call) {
    return call.library.heap.allocate_zeroed(call.size(0), call.size(1)).map(kAsValue);
}
Outcome<Value> realloc_(LibraryCall& call) {
    return call.library.heap.reallocate(call.pointer(0), call.size(1)).map(kAsValue);
}
Outcome<Value> aligned_alloc_(LibraryCall& call) {
    return call.library.heap.allocate_aligned(call.size(0), call.size(1)).map(kAsValue);
}
/// Returns the error and leaves errno alone.
Outcome<Value> posix_memalign_(LibraryCall& call) {
    const auto block = call.library.heap.allocate_aligned(call.size(1), call.size(2));
    if (!block && block.error().kind == Trouble::Kind::Error) return Value(block.error().error);
    if (!block) return tl::unexpected(block.error());
    return call.memory.store(call.pointer(0), *block).map([] { return Value(); });
}

constexpr std::array kRows{
    Row{"malloc", "p(L)", malloc_},
    Row{"free", "v(p)", free_},
    Row{"calloc", "p(L,L)", calloc_},
    Row{"realloc", "p(p,L)", realloc_},
    Row{"aligned_alloc", "p(L,L)", aligned_alloc_},
    Row{"memalign", "p(L,L)", aligned_alloc_},
    Row{"posix_memalign", "i(p,L,L)", posix_memalign_},
};

}  // namespace

std::span<const Row> memory_rows() { return kRows; }

}  // namespace e2k::guest::libc
