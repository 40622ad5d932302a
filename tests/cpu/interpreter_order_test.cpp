// Order inside a bundle (execution.md): reads before writes, memory by channel, atomic faults.
#include "tests/cpu/interpreter_fixture.h"

namespace e2k::cpu::test {
namespace {

class BundleOrder : public InterpreterTest {};

TEST_F(BundleOrder, RegistersAreReadBeforeAnyIsWritten) {
    emit(Syllables{}.alc(0, als(kAddd, lit(0), r(1), r(0))).alc(1, als(kAddd, lit(0), r(0), r(1))));
    reg(0).lo = 7;
    reg(1).lo = 9;
    step_ok();
    EXPECT_EQ(reg(0).lo, 9u);
    EXPECT_EQ(reg(1).lo, 7u);
}

TEST_F(BundleOrder, HighestChannelWithTrueGuardWins) {
    for (int i = 0; i < 2; ++i)
        emit(Syllables{}
                 .alc(0, als(kAddd, r(3), lit(1), r(4)))
                 .alc(4, als(kAddd, r(3), lit(2), r(4)))
                 .guard(4, 5));
    reg(3).lo = 100;
    state.pred[5] = kPredValue;
    step_ok();
    EXPECT_EQ(reg(4).lo, 102u);
    state.pred[5] = 0;
    step_ok();
    EXPECT_EQ(reg(4).lo, 101u);
}

TEST_F(BundleOrder, GuardAndTransferUseTheOldPredicate) {
    // { cmpesb 0,0 -> %pred3 ; addd ? %pred3 ; ibranch +0x100 ? %pred3 }
    emit(Syllables{}
             .alc(0, als(kCmpesb, lit(0), lit(0), 2u << 5 | 3))
             .alc(1, als(kAddd, lit(1), lit(2), r(6)))
             .guard(1, 3)
             .stubs(transfer(2, 3))
             .control0(0x20));
    reg(6).lo = 77;
    step_ok();
    EXPECT_EQ(state.pred[3], kPredValue);
    EXPECT_EQ(reg(6).lo, 77u);
    EXPECT_LT(state.ip, kCode + 0x100);
}

TEST_F(BundleOrder, StoreUsesTheOldDataRegister) {
    emit(
        Syllables{}.alc(2, als(kStd, r(1), lit(0), r(2))).alc(0, als(kAddd, lit(0), lit(5), r(2))));
    reg(1).lo = kData;
    reg(2).lo = 0x1234;
    step_ok();
    EXPECT_EQ(load<std::uint64_t>(kData), 0x1234u);
    EXPECT_EQ(reg(2).lo, 5u);
}

TEST_F(BundleOrder, LoadInChannel5SeesTheStoreInChannel2) {
    emit(Syllables{}.alc(2, als(kStd, r(1), lit(0), r(2))).alc(5, als(kLdd, r(1), lit(0), r(3))));
    poke<std::uint64_t>(kData, 1);
    reg(1).lo = kData;
    reg(2).lo = 0xfeed;
    step_ok();
    EXPECT_EQ(reg(3).lo, 0xfeedu);
}

TEST_F(BundleOrder, LoadInChannel5SeesOverlappingBytesOfTheStore) {
    emit(Syllables{}.alc(2, als(kStb, r(1), lit(3), r(2))).alc(5, als(kLdd, r(1), lit(0), r(3))));
    poke<std::uint64_t>(kData, 0x1122334455667788);
    reg(1).lo = kData;
    reg(2).lo = 0xaa;
    step_ok();
    EXPECT_EQ(reg(3).lo, 0x11223344aa667788u);
}

TEST_F(BundleOrder, LoadInChannel0SeesMemoryBeforeTheStoreInChannel2) {
    emit(Syllables{}.alc(0, als(kLdd, r(1), lit(0), r(3))).alc(2, als(kStd, r(1), lit(0), r(2))));
    poke<std::uint64_t>(kData, 1);
    reg(1).lo = kData;
    reg(2).lo = 0xfeed;
    step_ok();
    EXPECT_EQ(reg(3).lo, 1u);
    EXPECT_EQ(load<std::uint64_t>(kData), 0xfeedu);
}

TEST_F(BundleOrder, LoadInChannel3SeesMemoryBeforeTheStoreInChannel5) {
    emit(Syllables{}.alc(3, als(kLdd, r(1), lit(0), r(3))).alc(5, als(kStd, r(1), lit(0), r(2))));
    poke<std::uint64_t>(kData, 1);
    reg(1).lo = kData;
    reg(2).lo = 0xfeed;
    step_ok();
    EXPECT_EQ(reg(3).lo, 1u);
    EXPECT_EQ(load<std::uint64_t>(kData), 0xfeedu);
}

TEST_F(BundleOrder, FourAccessesRunInChannelOrder) {
    // Channel 0 and 3 load the old values, 2 stores, 5 loads what 2 stored.
    emit(Syllables{}
             .alc(0, als(kLdd, r(1), lit(0), r(3)))
             .alc(2, als(kStd, r(1), lit(0), r(2)))
             .alc(5, als(kLdd, r(1), lit(0), r(5))));
    poke<std::uint64_t>(kData, 0x10);
    reg(1).lo = kData;
    reg(2).lo = 0x20;
    step_ok();
    EXPECT_EQ(reg(3).lo, 0x10u);
    EXPECT_EQ(reg(5).lo, 0x20u);
}

TEST_F(BundleOrder, OfTwoStoresToOneAddressChannel5Stays) {
    emit(Syllables{}.alc(2, als(kStd, r(1), lit(0), r(2))).alc(5, als(kStd, r(1), lit(0), r(3))));
    reg(1).lo = kData;
    reg(2).lo = 2;
    reg(3).lo = 3;
    step_ok();
    EXPECT_EQ(load<std::uint64_t>(kData), 3u);
}

TEST_F(BundleOrder, MirroredLoadAndStoreAreIllegal) {
    emit(Syllables{}.alc(2, als(kStd, r(1), lit(0), r(2))).alc(3, als(kLdd, r(1), lit(0), r(3))));
    emit(Syllables{}.alc(0, als(kLdd, r(1), lit(0), r(3))).alc(5, als(kStd, r(1), lit(0), r(2))));
    reg(1).lo = kData;
    expect_trap(TrapCode::IllegalOpcode);
    state.ip += 16;
    expect_trap(TrapCode::IllegalOpcode);
}

TEST_F(BundleOrder, FaultInALaterChannelLeavesTheWholeBundleUndone) {
    emit(Syllables{}
             .alc(2, als(kStd, r(1), lit(0), r(2)))
             .alc(5, als(kLdd, r(6), lit(0), r(3)))
             .alc(0, als(kAddd, lit(0), lit(5), r(7))));
    poke<std::uint64_t>(kData, 1);
    reg(1).lo = kData;
    reg(2).lo = 0xfeed;
    reg(6).lo = kUnmapped;
    reg(7).lo = 70;
    expect_trap(TrapCode::DataPage);
    EXPECT_EQ(trapped.address, kUnmapped);
    EXPECT_EQ(trapped.access, Access::Read);
    EXPECT_EQ(trapped.channel, 5);
    EXPECT_EQ(load<std::uint64_t>(kData), 1u);
    EXPECT_EQ(reg(7).lo, 70u);
    reg(6).lo = kData;  // as after a handler that repaired it: the whole bundle runs
    step_ok();
    EXPECT_EQ(load<std::uint64_t>(kData), 0xfeedu);
    EXPECT_EQ(reg(3).lo, 0xfeedu);
    EXPECT_EQ(reg(7).lo, 5u);
}

TEST_F(BundleOrder, AccessIntoAnUnmappedNextPageNamesThatPage) {
    emit(Syllables{}.alc(0, als(kLdd, r(1), lit(0), r(3))));
    reg(1).lo = kData + kPageSize - 4;
    expect_trap(TrapCode::DataPage);
    EXPECT_EQ(trapped.address, kData + kPageSize);
}

TEST_F(BundleOrder, SpeculativeLoadFromAnywhereGivesThePattern) {
    emit(Syllables{}.alc(0, kSpeculative | als(kLdb, r(1), lit(0), r(3))));
    for (const std::uint64_t address : {std::uint64_t{0}, std::uint64_t{kUnmapped},
                                        ~std::uint64_t{0}, std::uint64_t{kGuestSpace}}) {
        state.ip = kCode;
        reg(1).lo = address;
        step_ok();
        EXPECT_EQ(reg(3).lo, 0x4afafafa4afafafau);
    }
}

TEST_F(BundleOrder, DisabledOperationIsNotChecked) {
    // A load through a bad address and a register outside the window, both with a false guard.
    emit(Syllables{}
             .alc(0, als(kLdd, r(1), lit(0), r(3)))
             .alc(1, als(kAddd, r(50), lit(0), r(4)))
             .guard(0, 1)
             .guard(1, 1));
    reg(1).lo = kUnmapped;
    step_ok();
    state.ip = kCode;
    state.pred[1] = kPredValue;
    expect_trap(TrapCode::WindowBounds);
}

TEST_F(BundleOrder, WordResultKeepsTheUpperHalfUnlessDbl) {
    emit(Syllables{}.alc(0, als(kAdds, lit(0), lit(5), r(3))));
    reg(3).lo = ~0ull;
    step_ok();
    EXPECT_EQ(reg(3).lo, 0xffffffff00000005u);
    state.ip = kCode;
    state.wd.dbl = 1;
    step_ok();
    EXPECT_EQ(reg(3).lo, 5u);
}

TEST_F(BundleOrder, SetwdReadsTheOldWindowAndWritesTheNewOne) {
    // setwd wsz=20, dbl=1; destination %r35 exists only in the new window, source %r35 does not.
    const std::uint32_t lts0 = 20u << 5 | 1u << 4 | 1u << 3;
    emit(Syllables{}.alc(0, als(kAdds, lit(0), lit(5), r(35))).control1(0).literal(lts0));
    reg(35).lo = ~0ull;
    step_ok();
    EXPECT_EQ(reg(35).lo, 5u);
    EXPECT_EQ(state.wd.size, 40u);
    EXPECT_EQ(state.wd.dbl, 1);
    state.wd.size = 32;
    const std::uint64_t second =
        emit(Syllables{}.alc(0, als(kAdds, r(35), lit(5), r(1))).control1(0).literal(lts0));
    state.ip = second;
    expect_trap(TrapCode::WindowBounds);
    EXPECT_EQ(state.wd.size, 32u);
}

TEST_F(BundleOrder, SetwdBelowTheParameterAreaIsIllegal) {
    emit(Syllables{}.control1(0).literal(3u << 5));
    expect_trap(TrapCode::IllegalOpcode);
}

}  // namespace
}  // namespace e2k::cpu::test
