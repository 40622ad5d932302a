// Two integer steps in one operation (integer.md §9): all products of the step lists.
#include <algorithm>
#include <array>

#include "engine/translate/emit/steps.h"

namespace e2k::translate {
namespace {

using asmjit::x86::Gp;

struct Named {
    Step step;
    std::string_view name;
};
constexpr Named kFirst[] = {{Step::And, "and"},   {Step::AndNot, "andn"}, {Step::Or, "or"},
                            {Step::OrNot, "orn"}, {Step::Xor, "xor"},     {Step::XorNot, "xorn"},
                            {Step::Add, "add"},   {Step::Sub, "sub"},     {Step::Shl, "shl"},
                            {Step::Shr, "shr"},   {Step::Sar, "sar"},     {Step::Scl, "scl"},
                            {Step::Scr, "scr"},   {Step::Getf, "getf"},   {Step::Merge, "merge"}};
constexpr Named kSecond[] = {
    {Step::And, "and"},   {Step::AndNot, "andn"}, {Step::Or, "or"},
    {Step::OrNot, "orn"}, {Step::Xor, "xor"},     {Step::XorNot, "xorn"},
    {Step::Add, "add"},   {Step::Sub, "sub"},     {Step::ReverseSub, "rsub"}};
constexpr std::size_t kFirsts = std::size(kFirst), kSeconds = std::size(kSecond);

/// src3 is the left operand of the second step.
template <Step First, Step Second, unsigned Bits>
void combined(OpContext& c) {
    Source x, y;
    if constexpr (First == Step::Getf) {
        x = {std::nullopt, c.v.use(c.op.a, Bits)};
        y.value = c.v.constant(c.op.b, Bits);
    } else if constexpr (First != Step::Merge) {
        x = source_of(c, c.op.a, Bits);
        y = source_of(c, c.op.b, Bits);
    }
    const Gp t = c.v.def();
    emit_step(c, First, Bits, t, x, y);
    const Source left = source_of(c, c.op.c, Bits);
    const Gp d = c.v.def();
    emit_step(c, Second, Bits, d, left, {std::nullopt, t});
    c.v.set_result(d);
}

template <unsigned Bits>
bool plain_field(const OpContext& c) {
    const auto descriptor = c.v.constant(c.op.b, Bits);
    return descriptor && getf_accepts(*descriptor, Bits, c.iset);
}

/// `<first>_<second>` and the width letter.
template <std::size_t F, std::size_t S, unsigned Bits>
struct Name {
    static constexpr std::size_t kSize = kFirst[F].name.size() + kSecond[S].name.size() + 2;
    static constexpr std::array<char, kSize> kText = [] {
        std::array<char, kSize> text{};
        auto end = std::copy(kFirst[F].name.begin(), kFirst[F].name.end(), text.begin());
        *end++ = '_';
        end = std::copy(kSecond[S].name.begin(), kSecond[S].name.end(), end);
        *end = Bits == 32 ? 's' : 'd';
        return text;
    }();
};

template <std::size_t F, std::size_t S, unsigned Bits>
constexpr Emitter entry() {
    return {std::string_view(Name<F, S, Bits>::kText.data(), Name<F, S, Bits>::kSize),
            combined<kFirst[F].step, kSecond[S].step, Bits>, true,
            kFirst[F].step == Step::Getf ? plain_field<Bits> : nullptr};
}

template <std::size_t... I>
constexpr auto table(std::index_sequence<I...>) {
    // Deducing the array's type would fold over more elements than clang 14 allows.
    return std::array<Emitter, 2 * sizeof...(I)>{entry<I / kSeconds, I % kSeconds, 32>()...,
                                                 entry<I / kSeconds, I % kSeconds, 64>()...};
}

constexpr auto kEmitters = table(std::make_index_sequence<kFirsts * kSeconds>{});

}  // namespace

std::span<const Emitter> combined_emitters() { return kEmitters; }

}  // namespace e2k::translate
