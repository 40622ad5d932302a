#include "engine/translate/window_config.h"

namespace e2k::translate {

Config config_after(const cpu::exec::ExecBundle& b, Config before, bool taken) {
    cpu::WindowDescriptor wd = before.window();
    cpu::RotationState br = before.rotation();
    if (b.flags & cpu::exec::kSetwd) {
        wd.size = b.window.size;
        wd.fx = !b.window.nfx;
        wd.dbl = b.window.dbl;
    }
    if (b.window.setbn) {
        br.rbs = b.window.rbs;
        br.rsz = b.window.rsz;
        br.rcur = b.window.rcur;
    }
    if (b.window.setbp) {
        br.psz = b.window.psz;
        br.pcur = 0;
    }
    const unsigned when = taken ? 1 : 2;
    if (b.abp & when) br.pcur = br.pcur == 0 ? br.psz : static_cast<std::uint8_t>(br.pcur - 1);
    if (b.abn & when) br.rcur = br.rcur == 0 ? br.rsz : static_cast<std::uint8_t>(br.rcur - 1);
    return Config::of(wd, br);
}

Config config_of_callee(Config caller, unsigned wbs) {
    cpu::WindowDescriptor wd = caller.window();
    wd.size = static_cast<std::uint16_t>(wd.size - wbs);
    wd.psize = wd.size;
    wd.fx = 1;
    return Config::of(wd, caller.rotation());
}

}  // namespace e2k::translate
