// The run loop: fetches execution forms through the cache, follows links, stops where asked.
#include "engine/cpu/interpreter.h"

#include <algorithm>
#include <unordered_set>

#include "engine/cpu/exec/bundle_cache.h"
#include "engine/cpu/exec/executor.h"
#include "engine/cpu/stack_watch.h"

namespace e2k::cpu {

using exec::ExecBundle;

namespace {

/// Bytes an instruction cache line flush may cover around its address.
constexpr std::uint64_t kFlushLine = 256;

bool same_words(const ExecBundle& entry, const isa::Bundle& bundle) {
    const auto count = bundle.length / sizeof(std::uint32_t);
    return entry.next_address == bundle.next_address() &&
           std::equal(bundle.words.begin(),
                      bundle.words.begin() + static_cast<std::ptrdiff_t>(count),
                      entry.words.begin());
}

}  // namespace

struct Interpreter::Impl {
    MemoryView memory;
    exec::BundleCache cache;
    BundleObserver* observer = nullptr;
    std::unordered_set<std::uint64_t> breakpoints;
    /// Version and mode the cached entries were made for.
    int iset = 0;

    /// Entries depend on the version; a different thread state than last time empties the cache.
    void prepare(const CpuState& state) {
        const int wanted = state.strict ? state.iset : isa::kMaxIset - 1;
        if (wanted != iset || cache.full()) cache.flush();
        iset = wanted;
    }

    ExecBundle* lookup(std::uint64_t address, Trap& trap) {
        if (ExecBundle* entry = cache.find(address)) return entry;
        auto bundle = fetch(memory, address, iset);
        if (!bundle) {
            trap = std::move(bundle.error());
            return nullptr;
        }
        return insert(*bundle);
    }

    ExecBundle* insert(const isa::Bundle& bundle) {
        ExecBundle* entry = cache.insert(bundle, iset);
        if (breakpoints.contains(bundle.address)) entry->flags |= exec::kBreakpoint;
        return entry;
    }

    /// The successor of `from` at `address`, through its links when they are known.
    ExecBundle* follow(ExecBundle* from, std::uint64_t address, Trap& trap) {
        if (address == from->next_address) {
            if (!from->next) from->next = lookup(address, trap);
            return from->next;
        }
        if (!from->taken || from->taken->address != address) from->taken = lookup(address, trap);
        return from->taken;
    }

    void observe(ExecBundle& entry, const CpuState& state) {
        if (!entry.observed) [[unlikely]] {
            const auto bundle = fetch(memory, entry.address, iset);
            if (!bundle) return;
            entry.observed = &observer->learn(*bundle, iset);
        }
        observer->before(*entry.observed, state);
    }

    void after_flush(std::uint64_t address) {
        const std::uint64_t begin = address & ~(kFlushLine - 1);
        if (cache.overlaps(begin, begin + kFlushLine)) cache.flush();
    }

    static Stop stopped(StopKind kind) {
        Stop stop;
        stop.kind = kind;
        return stop;
    }
    static Stop trapped(Trap trap) {
        Stop stop = stopped(StopKind::Trapped);
        stop.trap = std::move(trap);
        return stop;
    }

    Stop finish(Stop stop) {
        if (stop.kind == StopKind::CodeFlush) after_flush(stop.flush_address);
        return stop;
    }

    /// Nothing runs on stacks that are not in order.
    static std::optional<Stop> refused(const CpuState& state) {
        auto complaint = stacks_complaint(state);
        if (!complaint) return std::nullopt;
        return trapped(stacks_trap(state, std::move(*complaint)));
    }

    template <bool Tags>
    Stop run(CpuState& state, std::uint64_t max_bundles) {
        const StackWatch watch(state);
        if (auto stop = refused(state)) return std::move(*stop);
        FpEnvironment fp(state.pfpfr, state.fpcr, state.fpsr);
        exec::Executor<Tags> executor(state, memory, fp);
        if (max_bundles == 0) return stopped(StopKind::Budget);
        Trap trap;
        ExecBundle* entry = lookup(state.ip, trap);
        while (entry) {
            if (state.interrupt.load(std::memory_order_relaxed) != 0) {
                if (auto stop = refused(state)) return std::move(*stop);
                return stopped(StopKind::Interrupted);
            }
            if (entry->flags & exec::kBreakpoint) return stopped(StopKind::Breakpoint);
            if (observer) observe(*entry, state);
            if (!executor.execute(*entry)) return finish(std::move(executor.stop()));
            if (--max_bundles == 0) return stopped(StopKind::Budget);
            entry = follow(entry, state.ip, trap);
        }
        return trapped(std::move(trap));
    }

    template <bool Tags>
    Stop one(CpuState& state, ExecBundle& entry) {
        const StackWatch watch(state);
        if (auto stop = refused(state)) return std::move(*stop);
        FpEnvironment fp(state.pfpfr, state.fpcr, state.fpsr);
        exec::Executor<Tags> executor(state, memory, fp);
        if (observer) observe(entry, state);
        if (!executor.execute(entry)) return finish(std::move(executor.stop()));
        return stopped(StopKind::Budget);
    }

    Stop one(CpuState& state, ExecBundle& entry) {
        return state.exact_tags ? one<true>(state, entry) : one<false>(state, entry);
    }
};

Interpreter::Interpreter(MemoryView memory) : impl_(std::make_unique<Impl>()) {
    impl_->memory = memory;
}
Interpreter::~Interpreter() = default;

Stop Interpreter::run(CpuState& state, std::uint64_t max_bundles) {
    impl_->prepare(state);
    return state.exact_tags ? impl_->run<true>(state, max_bundles)
                            : impl_->run<false>(state, max_bundles);
}

Stop Interpreter::step(CpuState& state) {
    impl_->prepare(state);
    Trap trap;
    ExecBundle* entry = impl_->lookup(state.ip, trap);
    return entry ? impl_->one(state, *entry) : Impl::trapped(std::move(trap));
}

Stop Interpreter::execute(CpuState& state, const isa::Bundle& bundle) {
    impl_->prepare(state);
    ExecBundle* entry = impl_->cache.find(bundle.address);
    if (!entry || !same_words(*entry, bundle)) {
        // A cached entry with other bytes is out of date, and links may lead to it.
        if (entry) impl_->cache.flush();
        entry = impl_->insert(bundle);
    }
    return impl_->one(state, *entry);
}

void Interpreter::invalidate(std::uint64_t begin, std::uint64_t end) {
    if (impl_->cache.overlaps(begin, end)) impl_->cache.flush();
}

void Interpreter::set_observer(BundleObserver* observer) {
    impl_->observer = observer;
    impl_->cache.flush();  // entries hold what an earlier observer keeps
}

void Interpreter::set_breakpoints(std::span<const std::uint64_t> addresses) {
    impl_->breakpoints = {addresses.begin(), addresses.end()};
    impl_->cache.flush();
}

}  // namespace e2k::cpu
