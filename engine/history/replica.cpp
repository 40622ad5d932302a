#include "engine/history/replica.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "engine/cpu/stack_watch.h"
#include "engine/history/touched_pages.h"

namespace e2k::history {
namespace {

using cpu::kPageSize;
using cpu::StopKind;

constexpr std::uint64_t kFlushLine = 256;  ///< of the instruction cache
/// Bundles between two questions whether to go on.
constexpr std::uint64_t kAtOnce = 20'000'000;
constexpr std::uint64_t kInterpretedAtOnce = 1'000'000;

const char* word_of(EventKind kind) {
    switch (kind) {
        case EventKind::Start:
            return "the beginning";
        case EventKind::Call:
            return "a system call";
        case EventKind::Trap:
            return "a trap";
        case EventKind::Signals:
            return "a signal";
        case EventKind::Return:
            return "the end of a handler";
        case EventKind::Edit:
            return "an edit";
    }
    return "?";
}

}  // namespace

tl::expected<std::unique_ptr<Replica>, std::string> Replica::create(std::shared_ptr<const Log> log,
                                                                    bool interpret) {
    std::unique_ptr<Replica> self(new Replica(std::move(log), interpret));
    auto memory = guest::AddressSpace::create();
    if (!memory) return tl::unexpected("going back needs a second guest: " + memory.error());
    self->memory_ = std::move(*memory);
    if (!self->stacks_.reserve())
        return tl::unexpected<std::string>("going back needs a second guest: no room for stacks");
    const cpu::MemoryView view = self->memory_->view();
    self->stacks_.attach(self->state_);
    self->state_.memory_base = view.base;
    self->state_.page_map = view.pages;
    self->interpreter_ = std::make_unique<cpu::Interpreter>(view);
    translate::TranslatorOptions options;
    options.hot_samples = translate::kUsualHotSamples;
    self->translator_ = std::make_unique<translate::Translator>(view, options);
    Replica* const raw = self.get();
    self->memory_->on_code_change([raw](auto begin, auto end) { raw->code_changed(begin, end); });
    self->memory_->watched().set_callback(
        [raw](const cpu::CpuState*, const guest::WatchHit& hit) { raw->hit_ = hit; });
    if (!cpu::set_clock_tape(self->state_, raw))
        return tl::unexpected<std::string>("too many recordings are open at once");
    if (!self->start()) return tl::unexpected(self->trouble_);
    return self;
}

Replica::~Replica() {
    cpu::set_clock_tape(state_, nullptr);
    if (memory_) {
        memory_->watched().set({});
        memory_->on_code_change({});
    }
}

bool Replica::start() {
    const Event* const first = peek();
    if (!first || first->kind != EventKind::Start) {
        trouble_ = log_->damage().empty() ? "the recording is empty" : log_->damage();
        return false;
    }
    const std::uint64_t check = first->check;
    if (!apply(*first)) return false;
    take();
    recent_.clear();
    if (state_check(state_) == check) return true;
    trouble_ = "the recording is damaged: its first state is not what its sum says";
    return false;
}

std::uint64_t Replica::reading(const cpu::CpuState& state, std::uint64_t now) {
    const auto known = log_->reading_at(state.bundles);
    if (!known) trouble_ = "the clock is read where it was not when this was recorded";
    return known.value_or(now);
}

void Replica::code_changed(std::uint64_t begin, std::uint64_t end) {
    translator_->invalidate(begin, end);
    interpreter_->invalidate(begin, end);
}

const Event* Replica::peek() {
    if (next_) return &*next_;
    after_next_ = place_;
    const Event* const event = log_->next(after_next_);
    if (!event) return nullptr;
    next_ = *event;
    return &*next_;
}

void Replica::take() {
    if (recent_bundle_ != state_.bundles) recent_.clear();
    recent_bundle_ = state_.bundles;
    recent_.push_back(next_->kind);
    in_call_ = next_->waits;
    ended_ = !next_->goes_on;
    place_ = after_next_;
    next_.reset();
}

const Event* Replica::coming() {
    const Event* const event = peek();
    return event && event->bundle == state_.bundles ? event : nullptr;
}

Halt Replica::differ(std::string what) {
    if (trouble_.empty())
        trouble_ = fmt::format("this is not what was recorded: {} at bundle {} (0x{:x})", what,
                               state_.bundles, state_.ip);
    return Halt::Differs;
}

/// The next event happens now: it has to be one of this kind.
Halt Replica::meet(EventKind kind) {
    const Event* const event = peek();
    if (!event) {
        if (!log_->damage().empty()) return differ(log_->damage());
        return Halt::End;
    }
    if (event->kind != kind || event->bundle != state_.bundles)
        return differ(fmt::format("{} happens, {} at bundle {} was expected", word_of(kind),
                                  word_of(event->kind), event->bundle));
    if (event->check != state_check(state_))
        return differ(fmt::format("the registers before {} are others", word_of(kind)));
    if (!apply(*event)) return differ(fmt::format("{} cannot be repeated", word_of(kind)));
    take();
    return Halt::There;
}

Halt Replica::handle(const cpu::Stop& stop) {
    if (memory_->watched().has_touched()) memory_->watched().close_touched();
    if (!trouble_.empty()) return Halt::Differs;
    switch (stop.kind) {
        case StopKind::Budget:
            return Halt::There;
        case StopKind::Breakpoint:
            skip_breakpoint_ = true;
            return Halt::Breakpoint;
        case StopKind::Interrupted:
            state_.interrupt.store(0);
            return Halt::There;
        case StopKind::CodeFlush: {
            const std::uint64_t begin = stop.flush_address & ~(kFlushLine - 1);
            code_changed(begin, begin + kFlushLine);
            return Halt::There;
        }
        case StopKind::SystemCall:
            return meet(EventKind::Call);
        case StopKind::SignalReturn:
            return meet(EventKind::Return);
        case StopKind::Trapped:
            if (stop.trap.code == cpu::TrapCode::Unsupported) return Halt::End;
            return meet(EventKind::Trap);
    }
    return Halt::Differs;
}

/// At most so many bundles.
Halt Replica::stretch(std::uint64_t bundles) {
    const cpu::StackWatch watch(state_);
    if (std::exchange(skip_breakpoint_, false)) return handle(interpreter_->step(state_));
    constexpr std::uint64_t kWorthWhile = 2 * translate::kMostOvershoot;
    if (interpret_ || bundles <= kWorthWhile)
        return handle(interpreter_->run(state_, std::min(bundles, kInterpretedAtOnce)));
    state_.run_until = state_.bundles + std::min(bundles, kAtOnce) - translate::kMostOvershoot;
    return handle(translator_->run(state_, *interpreter_));
}

Halt Replica::run_to(const Goal& goal, const std::function<bool()>& cancelled) {
    hit_.reset();
    if (watching_) memory_->watched().arm(true);
    const auto run = [&]() -> Halt {
        for (;;) {
            if (!trouble_.empty()) return Halt::Differs;
            const Event* const event = peek();
            const bool now = event && event->bundle == state_.bundles;
            if (goal.events ? position() >= Position{goal.bundle, *goal.events}
                            : state_.bundles >= goal.bundle && !(in_call_ && now))
                return Halt::There;
            if (ended_) return Halt::End;
            if (!event && !log_->damage().empty()) return differ(log_->damage());
            Halt halt = Halt::There;
            const std::uint64_t end =
                std::min(goal.bundle, event ? event->bundle : log_->end_bundle());
            if (now && (in_call_ || !event->synchronous()))
                halt = meet(event->kind);
            else if (event && event->bundle < state_.bundles)
                return differ(fmt::format("{} at bundle {} did not happen", word_of(event->kind),
                                          event->bundle));
            else if (state_.bundles < end)
                halt = stretch(end - state_.bundles);
            else if (event)
                halt = attempt();
            else
                return Halt::End;
            if (halt != Halt::There) return halt;
            if (hit_) return Halt::Watched;
            if (cancelled && cancelled()) return Halt::Cancelled;
        }
    };
    const Halt halt = run();
    if (watching_) memory_->watched().arm(false);
    return halt;
}

/// The bundle that comes next has to end in the event that does.
Halt Replica::attempt() {
    const cpu::StackWatch watch(state_);
    const std::uint64_t before = place_.number, bundle = state_.bundles;
    const Halt halt = handle(interpreter_->step(state_));
    if (halt == Halt::There && place_.number == before && state_.bundles != bundle)
        return differ(next_ ? std::string(word_of(next_->kind)) + " did not happen"
                            : "the program goes on");
    return halt;
}

Halt Replica::step() {
    hit_.reset();
    skip_breakpoint_ = false;
    if (ended_) return Halt::End;
    if (watching_) memory_->watched().arm(true);
    const auto event = [this] { return coming(); };
    Halt halt = Halt::End;
    if (event() && (in_call_ || !event()->synchronous())) {
        halt = meet(event()->kind);
    } else if (peek() || state_.bundles < log_->end_bundle()) {
        const cpu::StackWatch watch(state_);
        halt = handle(interpreter_->step(state_));
    }
    while (halt == Halt::There && in_call_ && event()) halt = meet(event()->kind);
    if (watching_) memory_->watched().arm(false);
    return halt == Halt::There && hit_ ? Halt::Watched : halt;
}

void Replica::set_breakpoints(std::vector<std::uint64_t> addresses) {
    if (addresses == breakpoints_) return;
    breakpoints_ = std::move(addresses);
    interpreter_->set_breakpoints(breakpoints_);
    translator_->set_breakpoints(breakpoints_);
}

void Replica::watch(std::vector<guest::WatchedRange> ranges) {
    watching_ = !ranges.empty();
    memory_->watched().set(std::move(ranges));
}

bool Replica::apply(const Event& event) {
    const bool watched = watching_ && memory_->watched().armed();
    if (watched) memory_->watched().pause();
    StateImage image = image_of(state_);
    bool good = true;
    for (const auto& [place, value] : event.words)
        if (place < image.size())
            image[place] = value;
        else
            good = false;
    for (const MappingChange& change : event.mappings) good = apply_change(change) && good;
    good = apply_memory(event) && good;
    const auto registers = static_cast<std::uint64_t>(state_.window_limit - state_.window_file);
    const auto frames = static_cast<std::uint64_t>(state_.chain_limit - state_.chain_file);
    for (const RegisterRun& run : event.registers) {
        if (run.first > registers || run.values.size() > registers - run.first) good = false;
        if (!good) break;
        std::ranges::copy(run.values, state_.window_file + run.first);
        std::ranges::copy(run.tags, state_.tag_file + run.first);
    }
    for (const FrameRun& run : event.frames) {
        if (run.first > frames || run.frames.size() > frames - run.first) good = false;
        if (!good) break;
        std::ranges::copy(run.frames, state_.chain_file + run.first);
    }
    good = good && put_image(image, event.window, event.depth, state_);
    if (watched) memory_->watched().go_on();
    if (!good && trouble_.empty()) trouble_ = "the recording is damaged: an event makes no sense";
    return good;
}

bool Replica::apply_memory(const Event& event) {
    const cpu::MemoryView view = memory_->view();
    bool good = true;
    for (const MemoryBytes& piece : event.memory)
        for (std::uint64_t done = 0; done < piece.bytes.size();) {
            const std::uint64_t at = piece.address + done;
            const std::uint64_t size =
                std::min<std::uint64_t>(piece.bytes.size() - done, kPageSize - at % kPageSize);
            good = write_page(view, at, piece.bytes.data() + done, size) && good;
            memory_->note_write(at, size);
            done += size;
        }
    return good;
}

bool Replica::apply_change(const MappingChange& m) {
    using Kind = MappingChange::Kind;
    switch (m.kind) {
        case Kind::Map:
            return m.a < m.b && memory_
                                    ->map(m.a, m.b - m.a, m.prot, guest::AddressSpace::Place::Fixed,
                                          m.shared, -1, 0, m.name)
                                    .has_value();
        case Kind::Unmap:
            return m.a < m.b && memory_->unmap(m.a, m.b - m.a).has_value();
        case Kind::Protect:
            static_cast<void>(memory_->protect(m.a, m.b, m.prot));  // up to the first gap
            return true;
        case Kind::Move:
            return memory_
                ->remap(m.a, m.b, m.d, m.a != m.c || m.keep,
                        m.a != m.c ? std::optional(m.c) : std::nullopt, m.keep)
                .has_value();
        case Kind::Zero: {
            const Page zeros{};
            TouchedPages touched;
            const cpu::MemoryView view = memory_->view();
            for (std::uint64_t at = m.a; at < m.b;) {
                const std::uint64_t size = std::min(m.b - at, kPageSize - at % kPageSize);
                const std::uint64_t place = view.place(at);
                if (place != cpu::MemoryView::kNowhere && touched.holds(view.base + place) &&
                    write_page(view, at, zeros.data(), size))
                    memory_->note_write(at, size);
                at += size;
            }
            return true;
        }
        case Kind::Clear:
            memory_->clear();
            std::fill_n(state_.window_file, touched_registers(state_), cpu::Reg());
            std::fill_n(state_.tag_file, touched_registers(state_), std::uint8_t{0});
            std::fill_n(state_.chain_file, touched_frames(state_), cpu::ChainFrame());
            return true;
    }
    return false;
}

std::shared_ptr<Checkpoint> Replica::checkpoint(const Checkpoint* before) const {
    auto made = Checkpoint::take(*memory_, state_, before);
    made->position = position();
    made->place = place_;
    if (recent_bundle_ == state_.bundles) made->recent = recent_;
    return made;
}

bool Replica::restore(const Checkpoint& checkpoint) {
    if (!checkpoint.restore(*memory_, state_)) {
        trouble_ = "the host has no room to go back";
        return false;
    }
    place_ = checkpoint.place;
    recent_ = checkpoint.recent;
    recent_bundle_ = state_.bundles;
    next_.reset();
    in_call_ = ended_ = skip_breakpoint_ = false;
    trouble_.clear();
    hit_.reset();
    state_.interrupt.store(0);
    return true;
}

}  // namespace e2k::history
