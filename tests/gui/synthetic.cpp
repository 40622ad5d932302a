#include "tests/gui/synthetic.h"

#include <cstring>

#include "engine/isa/disassembler.h"

namespace e2k::ui::test {

namespace {

constexpr std::uint64_t kMain = 0x11728, kLoop = 0x11770;

/// Words of the procedure in view: a dot product with a rotating loop (one bundle a line).
const std::vector<std::vector<std::uint32_t>> kCode = {
    {0x1c00c2c5, 0x2082c0e0, 0x11c0c087, 0x0582dd86, 0xf0000000, 0x040002c4, 0x00000000, 0x000a002a,
     0x00000000, 0x00000210},
    {0x04011012, 0xc0000c40, 0x11c0c080, 0x04600000},
    {0x04104292, 0x3dc08683, 0x40000002, 0x01c00000},
    {0xfd011447, 0xc06304a0, 0xe680c000, 0x1180c480, 0xe681c001, 0x11871687, 0xa308090a, 0x1181c481,
     0x01c00000, 0x44400000},
    {0x04001012, 0xc0000c20, 0x11c08780, 0x00000000},
    {0x0400c033, 0x0582dd86, 0x40000019, 0x040002c4, 0x00000000, 0x00000029, 0x00000000,
     0x00000210},
    {0xfc100036, 0x3dc08683, 0x11c0c000, 0x11c0c001, 0x11c0c002, 0x11c0c003, 0x11c0c004,
     0x01c00000},
    {0xfc000036, 0x11c0c005, 0x11c0c006, 0x11c0c007, 0x11c0c008, 0x11c0c009, 0x11c0c00a,
     0x00000000},
    {0xfc000036, 0x11c0c00b, 0x11c0c00c, 0x11c0c00d, 0x11c0c00e, 0x11c0c00f, 0x11c0c010,
     0x00000000},
    {0xfc000036, 0x11c0c011, 0x11c0c012, 0x11c0c013, 0x11c0c014, 0x11c0c015, 0x11c0c016,
     0x00000000},
    {0x0c000212, 0x2082c040, 0x11c0c017, 0x00000000},
    {0x04015023, 0xc0000040, 0x11c0c00d, 0x00000007, 0x00000000, 0x04600000},
    {0xfc001437, 0xc06304a0, 0xe780c000, 0x1180c880, 0xe781c001, 0xb908090a, 0x3113140b,
     0x1181c881},
    {0x60004293, 0x310d0f82, 0x31111383, 0xf0000000},
    {0x20000201, 0x31828380},
    {0x00001001, 0xc0000c20},
};

std::shared_ptr<const machine::CodeView> sample_code() {
    auto code = std::make_shared<machine::CodeView>();
    std::uint64_t address = kMain;
    for (const auto& words : kCode) {
        std::vector<std::uint8_t> bytes(words.size() * 4);
        std::memcpy(bytes.data(), words.data(), bytes.size());
        machine::CodeView::Row row;
        auto bundle = isa::decode(bytes, address, 3);
        row.valid = bundle.has_value();
        if (bundle) {
            row.bundle = *bundle;
            row.text = isa::disassemble(row.bundle);
        } else {
            row.bundle.address = address;
            row.error = bundle.error().message();
        }
        code->rows.push_back(std::move(row));
        address += words.size() * 4;
    }
    code->generation = 1;
    return code;
}

/// A region of four bundles with plausible x86-64 code; ranges cover every byte.
std::shared_ptr<translate::RegionRecord> sample_region() {
    using translate::Reason;
    auto region = std::make_shared<translate::RegionRecord>();
    region->id = 7;
    region->guest_begin = kLoop;
    region->bundle_addresses = {0x11770, 0x11798};
    region->bundle_operations = {6, 1};
    region->guest_operations = 7;
    region->key_text = "wsz 16 dbl 0 rbs 4 rsz 11 rcur 0";
    region->host_address = 0x7f0010002000;
    region->executions = 12345;
    region->helper_calls = 1;
    const auto emit = [&](std::uint16_t bundle, int lane, Reason reason,
                          std::initializer_list<std::uint8_t> bytes) {
        const auto begin = static_cast<std::uint32_t>(region->host_code.size());
        region->host_code.insert(region->host_code.end(), bytes);
        region->ranges.push_back({begin, static_cast<std::uint32_t>(region->host_code.size()),
                                  bundle, static_cast<std::int8_t>(lane), reason});
    };
    emit(0, -1, Reason::Counter, {0x48, 0xff, 0x83, 0x10, 0x01, 0x00, 0x00});  // inc [rbx+110]
    emit(0, -1, Reason::WindowAddress, {0x4c, 0x8b, 0x2b});                    // mov r13,[rbx]
    emit(0, 0, Reason::BoundCheck, {0x49, 0x8b, 0x45, 0x00, 0x48, 0x3d, 0x00, 0x00, 0x00, 0x10});
    emit(0, 0, Reason::Exit, {0x0f, 0x83, 0x40, 0x00, 0x00, 0x00});        // jae
    emit(0, 0, Reason::Semantics, {0x41, 0x8b, 0x0c, 0x04});               // mov ecx,[r12+rax]
    emit(0, 1, Reason::Semantics, {0x48, 0x83, 0xc0, 0x04});               // add rax,4
    emit(0, 2, Reason::Semantics, {0x41, 0x8b, 0x14, 0x04});               // mov edx,[r12+rax]
    emit(0, 3, Reason::Predicate, {0x41, 0xf6, 0x46, 0x08, 0x01});         // test byte [r14+8],1
    emit(0, 3, Reason::Semantics, {0x49, 0x03, 0x75, 0x70});               // add rsi,[r13+70]
    emit(0, 4, Reason::Helper, {0xff, 0x93, 0x00, 0x02, 0x00, 0x00});      // call [rbx+200]
    emit(0, 5, Reason::Semantics, {0x48, 0x83, 0xc7, 0x04});               // add rdi,4
    emit(0, -1, Reason::Spill, {0x49, 0x89, 0x45, 0x00});                  // mov [r13],rax
    emit(0, -1, Reason::ControlTransfer, {0x41, 0xff, 0xcf, 0x75, 0xc5});  // dec r15d; jnz
    emit(1, 0, Reason::Semantics, {0x49, 0x89, 0x75, 0x00});               // mov [r13],rsi
    emit(1, -1, Reason::Exit, {0xe9, 0x00, 0x01, 0x00, 0x00});             // jmp
    region->cold_begin = static_cast<std::uint32_t>(region->host_code.size());
    region->exits = {{0x11798, true}, {0, false}};
    return region;
}

}  // namespace

machine::Snapshot sample_snapshot() {
    machine::Snapshot s;
    s.run_state = machine::RunState::Paused;
    s.program = "assets/dot_pipe";
    s.banner = "Breakpoint before dot_int+0x48";
    s.ip = kLoop;
    s.location = "dot_int+0x48";
    s.iset = 3;
    s.counters = {.bundles = 3777,
                  .operations = 6102,
                  .bundles_per_second = 0,
                  .run_seconds = 0,
                  .syscalls = 5};
    s.code = sample_code();
    s.region = sample_region();
    s.translation.regions = 41;
    s.translation.host_bytes = 23456;
    s.symbols = std::make_shared<guest::SymbolTable>(
        std::vector<guest::Symbol>{{0x100b0, 0x50, "_start", true},
                                   {0x11000, 0x700, "main", true},
                                   {kMain, 0x80, "dot_int", true},
                                   {0x117a8, 0x108, "dot_double", true}});
    s.wd = {.size = 32, .psize = 8, .fx = 0, .dbl = 0, .tagged = 0};
    s.br = {.rbs = 4, .rsz = 11, .rcur = 3, .psz = 0, .pcur = 0, .unused = {}};
    s.window_index = 40;
    s.file_first = 0;
    s.window_file.resize(72);
    for (std::uint32_t i = 0; i < 72; ++i)
        s.window_file[i].lo = i % 3 == 0 ? 0 : 0x9e3779b97f4a7c15ull * i >> (i % 5 * 12);
    s.window_file[40].lo = 0x20014;
    s.window_file[41].lo = 0x20154;
    s.window_file[47].lo = 0x3ff0000000000000;
    s.window_file[52].tag = 3;
    s.window.assign(s.window_file.begin() + 40, s.window_file.end());
    for (std::size_t i = 0; i < 32; ++i) s.globals[i].lo = i < 4 ? i * 0x1000 : 0;
    s.predicates[0] = 1;
    s.predicates[5] = 1;
    s.ctpr[0] = {.base = kLoop, .tag = cpu::CtprTag::Label, .opc = 0, .ipd = 3, .unused = {}};
    s.ctpr[2] = {.base = 0x11040, .tag = cpu::CtprTag::Return, .opc = 0, .ipd = 3, .unused = {}};
    s.lsr.lcnt = 37;
    s.lsr.vlc = 1;
    s.stack_pointer = 0xc2fffff0;
    const auto frame = [](std::uint64_t ip, std::uint32_t index, std::uint16_t size,
                          std::uint16_t psize) {
        machine::FrameView view;
        view.ip = ip;
        view.window_index = index;
        view.size = size;
        view.psize = psize;
        return view;
    };
    s.frames = {frame(kLoop, 40, 32, 8), frame(0x11040, 16, 32, 8), frame(0x100e8, 0, 24, 0)};
    s.breakpoints = {kLoop, 0x117a8};
    return s;
}

machine::Snapshot sample_snapshot_after_step() {
    machine::Snapshot s = sample_snapshot();
    s.ip = 0x11798;
    s.location = "dot_int+0x70";
    s.banner.clear();
    s.counters.bundles += 1;
    s.counters.operations += 6;
    s.window_file[51].lo = 0x1234;
    s.window[11].lo = 0x1234;
    s.predicates[5] = 0;
    s.lsr.lcnt = 36;
    return s;
}

std::shared_ptr<const translate::RegionRecord> counted_region() {
    auto region = sample_region();
    region->bundle_executions = {12345, 345};
    return region;
}

std::vector<guest::SyscallRecord> sample_calls() {
    std::vector<guest::SyscallRecord> calls(4);
    calls[0] = {.sequence = 1,
                .bundle = 120,
                .ip = 0x100e8,
                .thread = 1,
                .number = 5,
                .name = "openat",
                .arguments = "AT_FDCWD, \"/etc/hostname\", O_RDONLY|O_CLOEXEC, 0",
                .result = 3,
                .result_text = "3"};
    calls[1] = {.sequence = 2,
                .bundle = 480,
                .ip = 0x100f0,
                .thread = 1,
                .number = 4,
                .name = "write",
                .arguments = "1, \"dot product of 42 values\\n\", 25",
                .result = 25,
                .result_text = "25",
                .duration_seconds = 83e-6};
    calls[2] = {.sequence = 3,
                .bundle = 1480,
                .ip = 0x100f0,
                .thread = 1,
                .number = 6,
                .name = "openat",
                .arguments = "AT_FDCWD, \"/no/such/file\", O_RDONLY, 0",
                .result = -2,
                .result_text = "-1 ENOENT (No such file or directory)"};
    calls[2].failed = true;
    calls[3] = {.sequence = 4,
                .bundle = 3100,
                .ip = 0x100f0,
                .thread = 1,
                .number = 399,
                .name = "syscall_399",
                .arguments = "0x1, 0x0",
                .result = -38,
                .result_text = "-1 ENOSYS (Function not implemented)"};
    calls[3].failed = calls[3].unknown = true;
    return calls;
}

}  // namespace e2k::ui::test
