#include "engine/isa/assembler/complaints.h"

namespace e2k::isa::assembler {

void Complaints::add(AssemblyError error) {
    constexpr std::size_t kMostOfOne = 3;
    const auto line = static_cast<std::size_t>(error.line) - 1;
    const Origin origin = line < origins_->size() ? (*origins_)[line] : Origin{0, error.line, 0};
    const std::tuple key(origin.file, origin.line, error.message);
    if (full() && !same_.contains(key)) return;
    Same& same = same_[key];
    if (++same.count > kMostOfOne) {
        ++list_[same.last].more;
    } else if (!full()) {
        same.last = list_.size();
        list_.push_back(std::move(error));
    }
}

}  // namespace e2k::isa::assembler
