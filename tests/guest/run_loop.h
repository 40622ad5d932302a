// The smallest run loop a guest process needs: interpreter, one host thread for each guest thread.
#pragma once

#include <mutex>
#include <thread>
#include <vector>

#include "engine/cpu/interpreter.h"
#include "engine/guest/process.h"

namespace e2k::guest::test {

class RunLoop {
public:
    explicit RunLoop(Process& process) : process_(process) {
        process.on_new_thread([this](std::shared_ptr<Thread> thread) {
            std::lock_guard lock(mutex_);
            threads_.emplace_back([this, thread] { run_thread(*thread); });
            return true;
        });
    }
    /// Runs until the whole process has ended.
    ExitStatus run() {
        run_thread(process_.main_thread());
        for (;;) {
            std::vector<std::thread> batch;
            {
                std::lock_guard lock(mutex_);
                batch.swap(threads_);
            }
            if (batch.empty()) break;
            for (std::thread& t : batch) t.join();
        }
        return process_.exit_status();
    }

private:
    void run_thread(Thread& thread) {
        cpu::Interpreter interpreter(process_.memory().view());
        for (Next next = Next::Continue; next == Next::Continue;) {
            const cpu::Stop stop = interpreter.run(thread.state, ~0ull);
            next = answer(interpreter, thread, stop);
        }
    }

    Next answer(cpu::Interpreter& interpreter, Thread& thread, const cpu::Stop& stop) {
        switch (stop.kind) {
            case cpu::StopKind::SystemCall: {
                Next next = process_.system_call(thread, stop);
                while (next == Next::Retry) next = process_.system_call(thread, stop);
                return next;
            }
            case cpu::StopKind::Trapped:
                return process_.trap(thread, stop.trap);
            case cpu::StopKind::SignalReturn:
                return process_.signal_return(thread);
            case cpu::StopKind::Interrupted:
                thread.state.interrupt = 0;
                return process_.deliver_signals(thread);
            case cpu::StopKind::CodeFlush:
                interpreter.invalidate(stop.flush_address, stop.flush_address + 4096);
                return Next::Continue;
            case cpu::StopKind::Budget:
            case cpu::StopKind::Breakpoint:
                break;
        }
        return Next::Continue;
    }

    Process& process_;
    std::mutex mutex_;
    std::vector<std::thread> threads_;
};

}  // namespace e2k::guest::test
