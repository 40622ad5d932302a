// A stand-in for the machine: snapshots made by hand, commands recorded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ui/scene.h"

namespace e2k::ui::test {

class SyntheticSource final : public Source {
public:
    SyntheticSource() : snapshot_(std::make_shared<machine::Snapshot>()) {}

    void send(machine::Command command) override { sent.push_back(std::move(command)); }
    std::shared_ptr<const machine::Snapshot> snapshot() override { return snapshot_; }
    machine::LogSlice<guest::SyscallRecord> syscalls(std::uint64_t after) override {
        return slice(calls, after);
    }
    machine::LogSlice<machine::ConsoleChunk> console(std::uint64_t after) override {
        return slice(chunks, after);
    }
    machine::LogSlice<machine::Notice> notices(std::uint64_t after) override {
        return slice(messages, after);
    }

    void publish(machine::Snapshot snapshot) {
        snapshot.sequence = ++sequence_;
        snapshot_ = std::make_shared<const machine::Snapshot>(std::move(snapshot));
    }

    /// Commands of one type, in order.
    template <class T>
    std::vector<T> commands() const {
        std::vector<T> out;
        for (const auto& command : sent) {
            if (const T* typed = std::get_if<T>(&command)) out.push_back(*typed);
        }
        return out;
    }

    std::vector<machine::Command> sent;
    std::vector<guest::SyscallRecord> calls;
    std::vector<machine::ConsoleChunk> chunks;
    std::vector<machine::Notice> messages;

private:
    template <class T>
    static machine::LogSlice<T> slice(const std::vector<T>& all, std::uint64_t after) {
        machine::LogSlice<T> out;
        for (std::size_t i = after; i < all.size(); ++i) out.items.push_back(all[i]);
        out.next = all.size();
        return out;
    }

    std::shared_ptr<const machine::Snapshot> snapshot_;
    std::uint64_t sequence_ = 0;
};

/// A guest stopped in the middle of a small procedure: code, three frames, registers, a region.
machine::Snapshot sample_snapshot();
/// The same guest one bundle later: %r11 and a predicate have changed.
machine::Snapshot sample_snapshot_after_step();
/// The region of the sample, its executions counted: 12345 of the first bundle, 345 of the second.
std::shared_ptr<const translate::RegionRecord> counted_region();
std::vector<guest::SyscallRecord> sample_calls();

}  // namespace e2k::ui::test
