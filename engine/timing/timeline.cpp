#include "engine/timing/timeline.h"

#include <algorithm>
#include <queue>
#include <tuple>

#include <fmt/format.h>

namespace e2k::timing {

std::size_t Timeline::at_cycle(std::uint64_t cycle) const {
    std::size_t low = 0, high = size_;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if ((*this)[middle].cycle < cycle)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

std::uint32_t TimelineRecorder::index_of(const TimedBundle& bundle) {
    const auto [at, made] =
        indices_.try_emplace(&bundle, static_cast<std::uint32_t>(code_->bundles.size()));
    if (!made) return at->second;
    if (code_shared_) {
        code_ = std::make_shared<TimelineCode>(*code_);
        code_shared_ = false;
    }
    TimelineCode::Bundle& b = code_->bundles.emplace_back();
    b.address = bundle.address;
    b.pause = bundle.pause;
    b.rotates = bundle.bundle.ss.abn != 0;
    for (unsigned i = 0; i < bundle.op_count; ++i)
        b.operations.push_back(
            {bundle.ops[i].channel, std::string(bundle.ops[i].operation->mnemonic)});
    return at->second;
}

void TimelineRecorder::issued(const Issued& issued) {
    TimelineEntry& e = last_.emplace_back();
    e.cycle = issued.cycle;
    e.bundle = index_of(*issued.bundle);
    e.wait =
        static_cast<std::uint16_t>(std::min<std::uint64_t>(issued.cycle - issued.asked, 0xffff));
    e.reason = issued.reason;
    e.enabled = issued.enabled;
    e.waited = issued.waited;
    for (std::size_t i = 0; i < e.latency.size(); ++i)
        e.latency[i] = static_cast<std::uint8_t>(std::min<unsigned>(issued.latency[i], 255));
    if (last_.size() < Timeline::kChunk) return;
    full_.push_back(std::make_shared<const Timeline::Chunk>(std::move(last_)));
    last_ = {};
    last_.reserve(Timeline::kChunk);
    while (full_.size() * Timeline::kChunk > most_ + Timeline::kChunk) {
        dropped_ += full_.front()->size();
        full_.pop_front();
    }
}

std::shared_ptr<const Timeline> TimelineRecorder::picture(const CycleModel& model) {
    auto timeline = std::make_shared<Timeline>();
    timeline->chunks_.assign(full_.begin(), full_.end());
    if (!last_.empty()) timeline->chunks_.push_back(std::make_shared<const Timeline::Chunk>(last_));
    timeline->size_ = full_.size() * Timeline::kChunk + last_.size();
    timeline->dropped_ = dropped_;
    timeline->code_ = code_;
    code_shared_ = true;
    timeline->totals_ = model.totals();
    timeline->processor_ = model.processor().title;
    return timeline;
}

namespace {

/// Cycle of an event, the row it belongs to, and what it is.
struct Event {
    std::uint64_t cycle;
    std::uint64_t id;
    std::uint8_t order;  ///< ends before begins
    std::string text;
    bool operator>(const Event& other) const {
        return std::tie(cycle, order, id) > std::tie(other.cycle, other.order, other.id);
    }
};

std::string quoted_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
    return out + "\"";
}

std::string wait_text(const TimelineEntry& e) {
    std::string text(name_of(e.reason));
    const std::string operand = e.waited.text();
    return operand.empty() ? text : text + " " + operand;
}

}  // namespace

std::string konata_log(const Timeline& timeline, const Place& place) {
    std::string out = "Kanata\t0004\n";
    std::priority_queue<Event, std::vector<Event>, std::greater<>> later;
    std::uint64_t now = timeline.first_cycle(), id = 0;
    out += fmt::format("C=\t{}\n", now);
    const auto advance = [&](std::uint64_t cycle) {
        while (!later.empty() && later.top().cycle <= cycle) {
            const Event& e = later.top();
            if (e.cycle > now) out += fmt::format("C\t{}\n", e.cycle - now);
            now = std::max(now, e.cycle);
            out += e.text;
            later.pop();
        }
        if (cycle > now) out += fmt::format("C\t{}\n", cycle - now);
        now = std::max(now, cycle);
    };
    const auto row = [&](const TimelineEntry& e, const std::string& label, unsigned latency,
                         bool annulled) {
        out += fmt::format("I\t{}\t{}\t0\nL\t{}\t0\t{}\n", id, id, id, label);
        if (e.wait) {
            out += fmt::format("L\t{}\t1\twaits {} cycles: {}\nS\t{}\t0\tSt\n", id, e.wait,
                               wait_text(e), id);
            later.push({e.cycle, id, 1, fmt::format("E\t{}\t0\tSt\nS\t{}\t0\tEx\n", id, id)});
        } else {
            out += fmt::format("S\t{}\t0\tEx\n", id);
        }
        later.push({e.cycle + std::max(latency, 1u), id, 0,
                    fmt::format("E\t{}\t0\tEx\nR\t{}\t{}\t{}\n", id, id, id, annulled ? 1 : 0)});
        ++id;
    };
    for (std::size_t i = 0; i < timeline.size(); ++i) {
        const TimelineEntry& e = timeline[i];
        const TimelineCode::Bundle& b = timeline.bundle(i);
        advance(e.cycle - e.wait);
        const std::string where = fmt::format("{:x} {}", b.address, place(b.address));
        if (b.operations.empty()) row(e, where + ": -", 1, false);
        for (std::size_t k = 0; k < b.operations.size(); ++k)
            row(e, fmt::format("{}: {},{}", where, b.operations[k].text, b.operations[k].channel),
                e.latency[k], !(e.enabled >> k & 1));
    }
    advance(~0ull >> 1);
    return out.substr(0, out.rfind("C\t"));
}

std::string chrome_trace(const Timeline& timeline, const Place& place) {
    constexpr unsigned kWaits = isa::kChannels;
    std::string out = "{\"traceEvents\":[\n";
    for (unsigned row = 0; row <= kWaits; ++row)
        out += fmt::format(
            "{{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":{},\"args\":{{\"name\":{}}}}"
            "},\n",
            row, quoted_text(row < kWaits ? fmt::format("ALC{}", row) : "waits"));
    const auto event = [&](std::string_view name, std::uint64_t begin, std::uint64_t length,
                           unsigned row, const std::string& where) {
        out += fmt::format(
            "{{\"ph\":\"X\",\"name\":{},\"ts\":{},\"dur\":{},\"pid\":1,\"tid\":{},\"args\":{{"
            "\"bundle\":{}}}}},\n",
            quoted_text(name), begin, length, row, quoted_text(where));
    };
    for (std::size_t i = 0; i < timeline.size(); ++i) {
        const TimelineEntry& e = timeline[i];
        const TimelineCode::Bundle& b = timeline.bundle(i);
        const std::string where = fmt::format("{:x} {}", b.address, place(b.address));
        if (e.wait) event(wait_text(e), e.cycle - e.wait, e.wait, kWaits, where);
        for (std::size_t k = 0; k < b.operations.size(); ++k)
            if (e.enabled >> k & 1)
                event(b.operations[k].text, e.cycle, 1, b.operations[k].channel, where);
    }
    out += fmt::format(
        "{{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,\"args\":{{\"name\":{}}}}}\n]}}\n",
        quoted_text(timeline.processor()));
    return out;
}

}  // namespace e2k::timing
