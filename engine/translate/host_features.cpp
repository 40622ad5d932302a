#include "engine/translate/host_features.h"

#include <asmjit/core.h>

namespace e2k::translate {

namespace {

HostFeatures find() {
    const auto& features = asmjit::CpuInfo::host().features().x86();
    return {features.hasAVX(), features.hasBMI2()};
}

HostFeatures& used() {
    static HostFeatures features = find();
    return features;
}

}  // namespace

const HostFeatures& host_features() { return used(); }

void limit_host_features_for_test(std::optional<HostFeatures> features) {
    const HostFeatures all = find();
    used() = !features ? all : HostFeatures{all.avx && features->avx, all.bmi2 && features->bmi2};
}

}  // namespace e2k::translate
