// The machine as the panels' source of snapshots and logs.
#pragma once

#include <utility>

#include "engine/machine/machine.h"
#include "ui/scene.h"

namespace e2k::ui {

class MachineSource final : public Source {
public:
    void send(machine::Command command) override { machine_.send(std::move(command)); }
    std::shared_ptr<const machine::Snapshot> snapshot() override { return machine_.snapshot(); }
    machine::LogSlice<guest::SyscallRecord> syscalls(std::uint64_t after) override {
        return machine_.syscalls(after);
    }
    machine::LogSlice<machine::ConsoleChunk> console(std::uint64_t after) override {
        return machine_.console(after);
    }
    machine::LogSlice<machine::Notice> notices(std::uint64_t after) override {
        return machine_.notices(after);
    }
    machine::Machine& machine() { return machine_; }

private:
    machine::Machine machine_;
};

}  // namespace e2k::ui
