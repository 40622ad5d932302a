#include "engine/machine/machine.h"

#include "engine/machine/worker.h"

namespace e2k::machine {

struct Machine::Impl {
    Worker worker;
};

Machine::Machine() : impl_(std::make_unique<Impl>()) {}
Machine::~Machine() = default;

void Machine::send(Command command) { impl_->worker.send(std::move(command)); }
std::shared_ptr<const Snapshot> Machine::snapshot() { return impl_->worker.snapshot(); }

LogSlice<guest::SyscallRecord> Machine::syscalls(std::uint64_t after) const {
    return impl_->worker.syscalls.read(after);
}
LogSlice<ConsoleChunk> Machine::console(std::uint64_t after) const {
    return impl_->worker.console.read(after);
}
LogSlice<Notice> Machine::notices(std::uint64_t after) const {
    return impl_->worker.notices.read(after);
}
void Machine::on_publish(std::function<void()> wake) { impl_->worker.on_publish(std::move(wake)); }
std::shared_ptr<const Snapshot> Machine::wait_until_stopped() {
    impl_->worker.wait_until_stopped();
    return impl_->worker.snapshot();
}

}  // namespace e2k::machine
