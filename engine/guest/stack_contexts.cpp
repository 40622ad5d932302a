#include "engine/guest/stack_contexts.h"

#include "engine/guest/process_impl.h"

namespace e2k::guest {
namespace {

// Stacks of a context: a coroutine seldom nests deeply.
constexpr std::size_t kContextRegisters = 1u << 18, kContextFrames = 1u << 15;
constexpr std::size_t kMostContexts = 4096;

}  // namespace

ParkedState::ParkedState(const cpu::CpuState& s, unsigned wbs)
    : ip(s.ip),
      window(s.window),
      window_file(s.window_file),
      window_limit(s.window_limit),
      window_tags(s.window_tags),
      tag_file(s.tag_file),
      chain_top(s.chain_top),
      chain_file(s.chain_file),
      chain_limit(s.chain_limit),
      walls_begin(s.walls_begin),
      walls_end(s.walls_end),
      wd(s.wd),
      br(s.br),
      pred(s.pred),
      usd_base(s.usd_base),
      usd_size(s.usd_size),
      sbr(s.sbr),
      psp_base(s.psp_base),
      pcsp_base(s.pcsp_base),
      psp_size(s.psp_size),
      pcsp_size(s.pcsp_size),
      syscall_wbs(wbs) {}

void ParkedState::resume(cpu::CpuState& s) const {
    s.ip = ip;
    s.window = window;
    s.window_file = window_file;
    s.window_limit = window_limit;
    s.window_tags = window_tags;
    s.tag_file = tag_file;
    s.chain_top = chain_top;
    s.chain_file = chain_file;
    s.chain_limit = chain_limit;
    s.walls_begin = walls_begin;
    s.walls_end = walls_end;
    s.wd = wd;
    s.br = br;
    s.pred = pred;
    s.usd_base = usd_base;
    s.usd_size = usd_size;
    s.sbr = sbr;
    s.psp_base = psp_base;
    s.pcsp_base = pcsp_base;
    s.psp_size = psp_size;
    s.pcsp_size = pcsp_size;
    s.lock = {};
    s.ctpr = {};
    if (s.exact_tags) s.tags_live = 1;
}

StackContext::StackContext() = default;
StackContext::~StackContext() = default;

std::shared_ptr<StackContext> StackContexts::make() {
    if (by_key_.size() >= kMostContexts) return nullptr;
    auto context = std::make_shared<StackContext>();
    if (!context->stacks.reserve(kContextRegisters, kContextFrames)) return nullptr;
    context->key = next_key_++;
    by_key_[context->key] = context;
    return context;
}

std::shared_ptr<StackContext> StackContexts::own(const Thread& thread) {
    if (thread.signals->context) return thread.signals->context;
    auto context = std::make_shared<StackContext>();
    context->key = next_key_++;
    context->owner = context->running = &thread;
    by_key_[context->key] = context;
    return thread.signals->context = context;
}

std::shared_ptr<StackContext> StackContexts::find(std::uint64_t key) {
    const auto it = by_key_.find(key);
    return it == by_key_.end() ? nullptr : it->second;
}

std::shared_ptr<StackContext> StackContexts::find_base(std::uint64_t pcsp_base,
                                                       const Thread& thread) {
    for (const auto& [key, context] : by_key_)
        if (context->parked && context->parked->pcsp_base == pcsp_base &&
            (!context->owner || context->owner == &thread))
            return context;
    return nullptr;
}

void StackContexts::erase(std::uint64_t key) { by_key_.erase(key); }

void StackContexts::erase_idle(std::uint64_t top) {
    std::erase_if(by_key_, [top](const auto& entry) {
        const StackContext& context = *entry.second;
        return !context.owner && context.parked && context.parked->sbr == top;
    });
}

void StackContexts::thread_ended(const Thread& thread) {
    for (auto it = by_key_.begin(); it != by_key_.end();) {
        StackContext& context = *it->second;
        if (context.running == &thread) {
            context.running = nullptr;
            context.finished = true;
        }
        // Its stacks end with the thread.
        it = context.owner == &thread ? by_key_.erase(it) : std::next(it);
    }
}

void StackContexts::clear() { by_key_.clear(); }

void StackContexts::keep_only(const Thread& thread) {
    std::erase_if(by_key_, [&](const auto& entry) {
        return entry.second->owner && entry.second->owner != &thread;
    });
    for (auto& [key, context] : by_key_) {
        if (!context->running || context->running == &thread) continue;
        context->running = nullptr;
        context->finished = true;
    }
}

}  // namespace e2k::guest
