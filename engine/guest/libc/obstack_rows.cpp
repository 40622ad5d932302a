// <obstack.h>: chunks of memory that grow. What the macros of the header do not do themselves;
// chunks come from functions of the program.
#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/guest/libc/library_call.h"

namespace e2k::guest::libc {
namespace {

/// struct obstack, as the header's macros know it.
struct Obstack {
    std::int64_t chunk_size = 0;
    std::uint64_t chunk = 0, object_base = 0, next_free = 0, chunk_limit = 0;
    std::int64_t temporary = 0;
    std::int32_t alignment_mask = 0, pad = 0;
    std::uint64_t allocate = 0, release = 0, argument = 0;
    std::uint32_t flags = 0, pad2 = 0;

    static constexpr std::uint32_t kUsesArgument = 1, kMaybeEmptyObject = 2;

    std::uint64_t aligned(std::uint64_t at) const {
        const auto mask = static_cast<std::uint64_t>(std::int64_t{alignment_mask});
        return (at + mask) & ~mask;
    }
};
static_assert(sizeof(Obstack) == 88 && offsetof(Obstack, allocate) == 56);

/// What each chunk begins with.
struct Chunk {
    std::uint64_t limit = 0, previous = 0;
};

constexpr std::uint64_t kMostBytes = 1ull << 47;

Outcome<Obstack> load(const LibraryCall& call) {
    return call.memory.load<Obstack>(call.pointer(0));
}
Outcome<Value> store(const LibraryCall& call, const Obstack& stack, Value result) {
    return call.memory.store(call.pointer(0), stack).map([&] { return result; });
}
void call_allocate(const LibraryCall& call, const Obstack& stack, std::uint64_t size) {
    if (stack.flags & Obstack::kUsesArgument)
        call.call_next(stack.allocate, {stack.argument, size});
    else
        call.call_next(stack.allocate, {size});
}
void call_release(const LibraryCall& call, const Obstack& stack, std::uint64_t chunk) {
    if (stack.flags & Obstack::kUsesArgument)
        call.call_next(stack.release, {stack.argument, chunk});
    else
        call.call_next(stack.release, {chunk});
}
/// The program has no memory: its handler does not return.
Outcome<Value> no_memory(LibraryCall& call) {
    const auto handler =
        call.memory.load<std::uint64_t>(call.library.variable("obstack_alloc_failed_handler"));
    if (!handler) return tl::unexpected(handler.error());
    if (*handler == 0) return abort_with("memory exhausted");
    call.call_next(*handler);
    return Value();
}

/// Steps of a row that is entered again and again.
enum Step : std::uint64_t { kBegin, kAllocated, kReleased };

/// _obstack_begin(stack, size, alignment, allocate, release[, argument])
template <bool WithArgument>
Outcome<Value> begin_(LibraryCall& call) {
    constexpr std::uint64_t kDefaultSize = 4096 - 32, kDefaultAlignment = 16;
    if (call.state(0) == kBegin) {
        Obstack stack;
        std::uint64_t alignment = call.size(2), size = call.size(1);
        if (alignment == 0) alignment = kDefaultAlignment;
        if (size == 0) size = kDefaultSize;
        if (alignment > 1u << 30 || size > kMostBytes) return no_memory(call);
        stack.chunk_size = static_cast<std::int64_t>(size);
        stack.alignment_mask = static_cast<std::int32_t>(alignment - 1);
        stack.allocate = call.pointer(3);
        stack.release = call.pointer(4);
        stack.argument = WithArgument ? call.word(5) : 0;
        stack.flags = WithArgument ? Obstack::kUsesArgument : 0;
        if (auto done = store(call, stack, Value()); !done) return done;
        call.set_state(0, kAllocated);
        call_allocate(call, stack, size);
        return Value();
    }
    auto stack = load(call);
    if (!stack) return tl::unexpected(stack.error());
    const std::uint64_t chunk = call.last_result();
    if (chunk == 0) return no_memory(call);
    stack->chunk = chunk;
    stack->next_free = stack->object_base = stack->aligned(chunk + sizeof(Chunk));
    stack->chunk_limit = chunk + static_cast<std::uint64_t>(stack->chunk_size);
    if (auto done = call.memory.store(chunk, Chunk{stack->chunk_limit, 0}); !done)
        return tl::unexpected(done.error());
    return store(call, *stack, Value(1));
}

/// _obstack_newchunk(stack, length): the growing object moves to a chunk that has `length` more.
Outcome<Value> newchunk_(LibraryCall& call) {
    auto stack = load(call);
    if (!stack) return tl::unexpected(stack.error());
    const std::uint64_t object = stack->next_free - stack->object_base;
    if (call.state(0) == kBegin) {
        const std::uint64_t length = call.size(1);
        if (object > kMostBytes || length > kMostBytes) return no_memory(call);
        const auto mask = static_cast<std::uint32_t>(stack->alignment_mask);
        const std::uint64_t needed = object + (object >> 3) + length + mask + 100 + sizeof(Chunk);
        const std::uint64_t size = std::max(
            needed, static_cast<std::uint64_t>(std::max<std::int64_t>(stack->chunk_size, 0)));
        call.set_state(0, kAllocated);
        call.set_state(1, size);
        call_allocate(call, *stack, size);
        return Value();
    }
    if (call.state(0) == kReleased) return Value();
    const std::uint64_t chunk = call.last_result(), old = stack->chunk;
    if (chunk == 0) return no_memory(call);
    const auto old_chunk = call.memory.load<Chunk>(old);
    if (!old_chunk) return tl::unexpected(old_chunk.error());
    Chunk head{chunk + call.state(1), old};
    const std::uint64_t begin = stack->aligned(chunk + sizeof(Chunk));
    if (auto done = call.memory.move(begin, stack->object_base, object); !done)
        return tl::unexpected(done.error());
    // A chunk that held nothing but the object is of no use any more.
    const bool alone = !(stack->flags & Obstack::kMaybeEmptyObject) &&
                       stack->object_base == stack->aligned(old + sizeof(Chunk));
    if (alone) head.previous = old_chunk->previous;
    if (auto done = call.memory.store(chunk, head); !done) return tl::unexpected(done.error());
    stack->chunk = chunk;
    stack->chunk_limit = head.limit;
    stack->object_base = begin;
    stack->next_free = begin + object;
    stack->flags &= ~Obstack::kMaybeEmptyObject;
    if (auto done = store(call, *stack, Value()); !done) return done;
    if (alone) {
        call.set_state(0, kReleased);
        call_release(call, *stack, old);
    }
    return Value();
}

/// obstack_free(stack, object): everything that is younger than the object, 0: all.
Outcome<Value> free_(LibraryCall& call) {
    const std::uint64_t object = call.pointer(1);
    auto stack = load(call);
    if (!stack) return tl::unexpected(stack.error());
    const std::uint64_t chunk = stack->chunk;
    if (chunk == 0) {
        if (object != 0) return abort_with("obstack_free of an object that is not there");
        return Value();
    }
    const auto head = call.memory.load<Chunk>(chunk);
    if (!head) return tl::unexpected(head.error());
    if (object > chunk && object <= head->limit) {
        stack->object_base = stack->next_free = object;
        stack->chunk_limit = head->limit;
        return store(call, *stack, Value());
    }
    stack->chunk = head->previous;
    stack->flags |= Obstack::kMaybeEmptyObject;
    if (auto done = store(call, *stack, Value()); !done) return done;
    call_release(call, *stack, chunk);
    return Value();
}

/// Calls `visit(chunk address, head)` until it says true; whether it has.
template <class Visit>
Outcome<bool> any_chunk(const LibraryCall& call, Visit&& visit) {
    constexpr unsigned kMostChunks = 1u << 24;
    const auto stack = load(call);
    if (!stack) return tl::unexpected(stack.error());
    std::uint64_t at = stack->chunk;
    for (unsigned n = 0; at != 0 && n < kMostChunks; ++n) {
        const auto head = call.memory.load<Chunk>(at);
        if (!head) return tl::unexpected(head.error());
        if (visit(at, *head)) return true;
        at = head->previous;
    }
    return false;
}
Outcome<Value> allocated_(LibraryCall& call) {
    const std::uint64_t object = call.pointer(1);
    return any_chunk(call, [&](std::uint64_t at,
                               const Chunk& head) { return object > at && object <= head.limit; })
        .map([](bool found) { return Value(found ? 1 : 0); });
}
Outcome<Value> memory_used_(LibraryCall& call) {
    std::uint64_t bytes = 0;
    return any_chunk(call,
                     [&](std::uint64_t at, const Chunk& head) {
                         bytes += head.limit - at;
                         return false;
                     })
        .map([&](bool) { return Value(bytes); });
}

constexpr std::array kRows{
    Row{"_obstack_begin", "i(p,L,L,F,F)", begin_<false>, Row::kDriven},
    Row{"_obstack_begin_1", "i(p,L,L,F,F,p)", begin_<true>, Row::kDriven},
    Row{"_obstack_newchunk", "v(p,L)", newchunk_, Row::kDriven},
    Row{"obstack_free", "v(p,p)", free_, Row::kDriven},
    Row{"_obstack_free", "v(p,p)", free_, Row::kDriven},
    Row{"_obstack_allocated_p", "i(p,p)", allocated_},
    Row{"_obstack_memory_used", "L(p)", memory_used_},
};

}  // namespace

std::span<const Row> obstack_rows() { return kRows; }

}  // namespace e2k::guest::libc
