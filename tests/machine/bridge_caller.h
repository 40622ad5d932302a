// Calls functions of the C library bridge through their guest code, interpreted or translated.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/interpreter.h"
#include "engine/guest/process.h"
#include "engine/translate/translator.h"
#include "tests/guest/guest_scratch.h"
#include "tests/support/dynamic_elf.h"

namespace e2k::test {

class BridgeCaller : protected guest::test::GuestScratch, private translate::CallService {
public:
    enum class Tier { Interpreted, Translated };
    struct Result {
        std::uint64_t low = 0, high = 0;
        bool returned = false;  ///< false: the program has ended
    };

    /// A program that imports `functions`; its own code is `source` behind `_start`.
    explicit BridgeCaller(const std::vector<std::string>& functions, std::string source = {}) {
        const DynamicElf program{.source = "        begin\n        back\n" + std::move(source),
                                 .functions = functions,
                                 .objects = {}};
        auto image = guest::ElfImage::parse(program.bytes(), "guest");
        if (!image) throw std::runtime_error(image.error());
        guest::ProcessOptions options;
        options.argv = {"guest"};
        options.streams.output = [this](int, std::string_view text) { output += text; };
        options.streams.input = [](char*, std::size_t) { return std::size_t{0}; };
        auto started = guest::Process::start(std::move(*image), options);
        if (!started) throw std::runtime_error(started.error());
        process_ = std::move(*started);
        if (!map(process_->memory(), 1 << 20)) throw std::runtime_error("no memory");
        interpreter_ = std::make_unique<cpu::Interpreter>(process_->memory().view());
        translator_ = std::make_unique<translate::Translator>(process_->memory().view(),
                                                              translate::TranslatorOptions{});
        for (std::size_t i = 0; i < functions.size(); ++i)
            addresses_[functions[i]] = get<std::uint64_t>(DynamicElf::kGot + 8 * i);
    }

    using GuestScratch::forget;
    using GuestScratch::get;
    using GuestScratch::put;
    using GuestScratch::room;
    using GuestScratch::text;

    cpu::CpuState& state() { return process_->main_thread().state; }
    guest::Process& process() { return *process_; }
    std::uint64_t address(const std::string& name) const { return addresses_.at(name); }

    Result call(const std::string& name, const std::vector<std::uint64_t>& arguments, Tier tier) {
        return call_at(address(name), arguments, tier);
    }
    Result call_at(std::uint64_t function, const std::vector<std::uint64_t>& arguments, Tier tier) {
        cpu::CpuState& s = state();
        s.wd = {};
        s.wd.size = s.wd.psize = kArguments;
        s.br = {};
        for (unsigned k = 0; k < kArguments; ++k) {
            s.window[k].lo = k < arguments.size() ? arguments[k] : 0;
            s.window_tags[k] = 0;
        }
        s.ip = function;
        for (;;) {
            const cpu::Stop stop = tier == Tier::Translated
                                       ? translator_->run(s, *interpreter_, this)
                                       : interpreter_->run(s, ~0ull);
            guest::Next next = std::exchange(served_, guest::Next::Continue);
            if (stop.kind == cpu::StopKind::SignalReturn)
                return {s.window[0].lo, s.window[1].lo, true};
            if (stop.kind == cpu::StopKind::SystemCall)
                next = process_->system_call(process_->main_thread(), stop);
            else if (stop.kind == cpu::StopKind::Trapped &&
                     stop.trap.code == cpu::TrapCode::Unsupported)
                return {};
            else if (stop.kind == cpu::StopKind::Trapped)
                next = process_->trap(process_->main_thread(), stop.trap);
            else if (stop.kind == cpu::StopKind::Interrupted)
                s.interrupt = 0;
            if (next != guest::Next::Continue) return {};
        }
    }
    std::int32_t guest_errno() {
        constexpr std::uint64_t kErrno = 0x20;
        return get<std::int32_t>(state().g[13].lo - kErrno);
    }
    void clear_errno() {
        constexpr std::uint64_t kErrno = 0x20;
        const std::int32_t none = 0;
        EXPECT_TRUE(process_->memory().write(state().g[13].lo - kErrno, &none, sizeof none));
    }

    std::string output;

private:
    static constexpr unsigned kArguments = 8;

    Answer serve(cpu::CpuState&, const cpu::Stop& call) override {
        served_ = process_->system_call(process_->main_thread(), call);
        return served_ == guest::Next::Continue ? Answer::GoOn : Answer::Leave;
    }

    guest::Next served_ = guest::Next::Continue;  ///< what a call in translated code came to
    std::unique_ptr<guest::Process> process_;
    std::unique_ptr<cpu::Interpreter> interpreter_;
    std::unique_ptr<translate::Translator> translator_;
    std::map<std::string, std::uint64_t> addresses_;
};

}  // namespace e2k::test
