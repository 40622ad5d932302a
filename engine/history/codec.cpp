// Events as bytes: numbers in as many bytes as they need, runs of zeros in memory left out.
#include <algorithm>
#include <cstring>

#include "engine/history/event.h"

namespace e2k::history {
namespace {

/// Zeros shorter than this do not interrupt a run of memory bytes.
constexpr std::size_t kShortGap = 64;
/// More than any program needs of anything: beyond it, the bytes are no event.
constexpr std::uint64_t kMost = 1ull << 32;

class Writer {
public:
    explicit Writer(ByteStream& to) : to_(to) {}
    void byte(std::uint8_t value) { to_.push_back(value); }
    void number(std::uint64_t value) {
        while (value >= 0x80) {
            to_.push_back(static_cast<std::uint8_t>(value | 0x80));
            value >>= 7;
        }
        to_.push_back(static_cast<std::uint8_t>(value));
    }
    void raw(const void* from, std::size_t size) {
        const auto* bytes = static_cast<const std::uint8_t*>(from);
        to_.insert(to_.end(), bytes, bytes + size);
    }

private:
    ByteStream& to_;
};

class Reader {
public:
    Reader(const ByteStream& from, std::size_t at) : from_(from), at_(at) {}
    bool good() const { return good_; }
    std::size_t at() const { return at_; }
    std::uint8_t byte() {
        if (at_ >= from_.size()) good_ = false;
        return good_ ? from_[at_++] : std::uint8_t{0};
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 70; shift += 7) {
            const std::uint8_t next = byte();
            if (shift < 64) value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
            if (!(next & 0x80)) return value;
        }
        good_ = false;
        return 0;
    }
    /// How many things follow, each of at least `size` bytes.
    std::uint64_t count(std::size_t size) {
        const std::uint64_t n = number();
        if (n > kMost || n * size > from_.size() - std::min(at_, from_.size())) good_ = false;
        return good_ ? n : 0;
    }
    bool raw(void* to, std::size_t size) {
        if (!good_ || size > from_.size() - at_) return good_ = false;
        std::memcpy(to, from_.data() + at_, size);
        at_ += size;
        return true;
    }
    void fail() { good_ = false; }

private:
    const ByteStream& from_;
    std::size_t at_;
    bool good_ = true;
};

/// Stretches between long runs of zeros; what is left out is zero.
void write_sparse(Writer& to, const std::vector<std::uint8_t>& bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        std::size_t begin = at;
        while (begin < bytes.size() && bytes[begin] == 0) ++begin;
        std::size_t end = begin, zeros = 0;
        for (std::size_t i = begin; i < bytes.size() && zeros < kShortGap; ++i) {
            zeros = bytes[i] == 0 ? zeros + 1 : 0;
            if (bytes[i] != 0) end = i + 1;
        }
        to.number(begin - at);
        to.number(end - begin);
        to.raw(bytes.data() + begin, end - begin);
        at = end;
    }
}

bool read_sparse(Reader& from, std::vector<std::uint8_t>& bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && from.good()) {
        const std::uint64_t zeros = from.number(), size = from.number();
        if (zeros > bytes.size() - at || size > bytes.size() - at - zeros || zeros + size == 0)
            return false;
        at += zeros;
        if (!from.raw(bytes.data() + at, size)) return false;
        at += size;
    }
    return from.good();
}

enum Flags : std::uint8_t { kGoesOn = 1, kWaits = 2, kStacks = 4, kMemory = 8 };

void write_change(Writer& to, const MappingChange& m) {
    to.byte(static_cast<std::uint8_t>(m.kind));
    for (const std::uint64_t n : {m.a, m.b, m.c, m.d}) to.number(n);
    to.byte(m.prot);
    to.byte(static_cast<std::uint8_t>(m.shared + 2 * m.keep));
    to.number(m.name.size());
    to.raw(m.name.data(), m.name.size());
}

void read_change(Reader& from, MappingChange& m) {
    const std::uint8_t kind = from.byte();
    if (kind > static_cast<std::uint8_t>(MappingChange::Kind::Clear)) from.fail();
    m.kind = static_cast<MappingChange::Kind>(kind);
    for (std::uint64_t* n : {&m.a, &m.b, &m.c, &m.d}) *n = from.number();
    m.prot = from.byte();
    const std::uint8_t flags = from.byte();
    m.shared = flags & 1;
    m.keep = flags & 2;
    m.name.resize(from.count(1));
    from.raw(m.name.data(), m.name.size());
}

}  // namespace

void encode(const Event& e, ByteStream& stream) {
    Writer to(stream);
    const bool stacks = !e.registers.empty() || !e.frames.empty();
    const bool memory = !e.mappings.empty() || !e.memory.empty();
    to.byte(static_cast<std::uint8_t>(e.kind));
    to.byte(static_cast<std::uint8_t>((e.goes_on ? kGoesOn : 0) | (e.waits ? kWaits : 0) |
                                      (stacks ? kStacks : 0) | (memory ? kMemory : 0)));
    for (const std::uint64_t n : {e.bundle, e.number, e.window, e.depth}) to.number(n);
    to.raw(&e.check, sizeof e.check);
    to.number(e.words.size());
    for (const auto& [place, value] : e.words) {
        to.number(place);
        to.number(value);
    }
    if (stacks) {
        to.number(e.registers.size());
        for (const RegisterRun& run : e.registers) {
            to.number(run.first);
            to.number(run.values.size());
            for (const cpu::Reg& value : run.values) {
                to.number(value.lo);
                to.number(value.ext);
            }
            to.raw(run.tags.data(), run.tags.size());
        }
        to.number(e.frames.size());
        for (const FrameRun& run : e.frames) {
            to.number(run.first);
            to.number(run.frames.size());
            to.raw(run.frames.data(), run.frames.size() * sizeof(cpu::ChainFrame));
        }
    }
    if (!memory) return;
    to.number(e.mappings.size());
    for (const MappingChange& change : e.mappings) write_change(to, change);
    to.number(e.memory.size());
    for (const MemoryBytes& piece : e.memory) {
        to.number(piece.address);
        to.number(piece.bytes.size());
        write_sparse(to, piece.bytes);
    }
}

bool decode(const ByteStream& stream, std::size_t& at, Event& e) {
    Reader from(stream, at);
    e = Event();
    const std::uint8_t kind = from.byte(), flags = from.byte();
    if (kind > static_cast<std::uint8_t>(EventKind::Edit)) return false;
    e.kind = static_cast<EventKind>(kind);
    e.goes_on = flags & kGoesOn;
    e.waits = flags & kWaits;
    for (std::uint64_t* n : {&e.bundle, &e.number, &e.window, &e.depth}) *n = from.number();
    from.raw(&e.check, sizeof e.check);
    e.words.resize(from.count(2));
    for (auto& [place, value] : e.words) {
        place = from.number();
        value = from.number();
    }
    if (flags & kStacks) {
        e.registers.resize(from.count(2));
        for (RegisterRun& run : e.registers) {
            run.first = from.number();
            run.values.resize(from.count(3));
            for (cpu::Reg& value : run.values) {
                value.lo = from.number();
                value.ext = from.number();
            }
            run.tags.resize(run.values.size());
            from.raw(run.tags.data(), run.tags.size());
        }
        e.frames.resize(from.count(2));
        for (FrameRun& run : e.frames) {
            run.first = from.number();
            run.frames.resize(from.count(sizeof(cpu::ChainFrame)));
            from.raw(run.frames.data(), run.frames.size() * sizeof(cpu::ChainFrame));
        }
    }
    if (flags & kMemory) {
        e.mappings.resize(from.count(7));
        for (MappingChange& change : e.mappings) read_change(from, change);
        e.memory.resize(from.count(2));
        for (MemoryBytes& piece : e.memory) {
            piece.address = from.number();
            const std::uint64_t size = from.number();
            if (size > kMost || !from.good()) return false;
            piece.bytes.assign(size, 0);
            if (!read_sparse(from, piece.bytes)) return false;
        }
    }
    at = from.at();
    return from.good();
}

}  // namespace e2k::history
