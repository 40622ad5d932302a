// Recordings as files: a head, what the program is, pieces of events, readings of the clocks, and a
// sum over all of it.
#include <zlib.h>
#include <zstd.h>

#include <bit>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>

#include <fmt/format.h>

#include "engine/history/log.h"
#include "engine/history/state_image.h"

namespace e2k::history {
namespace {

constexpr char kMagic[8] = {'E', '2', 'K', 'R', 'E', 'C', '\r', '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr int kLevel = 9;
constexpr std::uint64_t kMostFacts = 1ull << 31;  ///< bytes of an unpacked section

void put(ByteStream& to, std::uint64_t value, unsigned bytes = 8) {
    for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}
void put(ByteStream& to, const std::string& text) {
    put(to, text.size());
    to.insert(to.end(), text.begin(), text.end());
}

class Source {
public:
    explicit Source(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
    std::uint64_t number(unsigned size = 8) {
        std::uint64_t value = 0;
        for (unsigned i = 0; i < size; ++i) value |= std::uint64_t{byte()} << 8 * i;
        return value;
    }
    std::string text() {
        const auto part = take(number());
        return {part.begin(), part.end()};
    }
    std::span<const std::uint8_t> take(std::uint64_t size) {
        if (size > bytes_.size() - at_) {
            good = false;
            return {};
        }
        at_ += size;
        return bytes_.subspan(at_ - size, size);
    }
    bool done() const { return at_ == bytes_.size(); }
    bool good = true;

private:
    std::uint8_t byte() {
        const auto one = take(1);
        return one.empty() ? std::uint8_t{0} : one[0];
    }
    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

/// A number that is different where the members of a state lie elsewhere.
std::uint32_t layout() {
    using cpu::CpuState;
    return static_cast<std::uint32_t>(sizeof(CpuState) * 31 + offsetof(CpuState, lsr) * 7 +
                                      offsetof(CpuState, aau) * 5 + offsetof(CpuState, g) * 3 +
                                      offsetof(CpuState, iset));
}

void put_packed(ByteStream& to, const ByteStream& raw) {
    ByteStream packed(ZSTD_compressBound(raw.size()));
    const std::size_t size =
        ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(), kLevel);
    packed.resize(ZSTD_isError(size) ? 0 : size);
    put(to, raw.size());
    put(to, packed.size());
    to.insert(to.end(), packed.begin(), packed.end());
}

std::optional<ByteStream> take_packed(Source& from) {
    const std::uint64_t size = from.number(), packed = from.number();
    const auto bytes = from.take(packed);
    if (!from.good || size > kMostFacts) return std::nullopt;
    ByteStream raw(size);
    const std::size_t got = ZSTD_decompress(raw.data(), raw.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(got) || got != size) return std::nullopt;
    return raw;
}

}  // namespace

tl::expected<void, std::string> Log::save(const std::string& path) const {
    ByteStream file(std::begin(kMagic), std::end(kMagic));
    put(file, kVersion, 4);
    put(file, layout(), 4);
    ByteStream facts;
    put(facts, program.path);
    put(facts, program.argv.size());
    for (const std::string& argument : program.argv) put(facts, argument);
    put(facts, program.file.size());
    facts.insert(facts.end(), program.file.begin(), program.file.end());
    put(facts, ended_);
    put(facts, events_);
    put(facts, first_bundle_);
    put(facts, end_bundle_);
    put(facts, readings_.size());
    for (const Reading& reading : readings_) {
        put(facts, reading.bundle);
        put(facts, reading.value);
    }
    put_packed(file, facts);
    put(file, pieces_.size());
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const ByteStream* const bytes = opened(i);
        if (!bytes) return tl::unexpected(damage_);
        put_packed(file, *bytes);
    }
    put(file, crc32(0, file.data(), static_cast<unsigned>(file.size())), 4);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(file.data()),
              static_cast<std::streamsize>(file.size()));
    if (!out.flush())
        return tl::unexpected(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
    return {};
}

tl::expected<std::shared_ptr<Log>, std::string> Log::load(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return tl::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
    const ByteStream file{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto refuse = [&](const char* why) { return tl::unexpected(path + ": " + why); };
    if (file.size() < sizeof kMagic + 12 || std::memcmp(file.data(), kMagic, sizeof kMagic) != 0)
        return refuse("not a recording of this workbench");
    const std::span<const std::uint8_t> all(file);
    Source head(all.subspan(sizeof kMagic, 8));
    if (const std::uint64_t version = head.number(4); version != kVersion)
        return tl::unexpected(fmt::format("{}: a recording of version {}; this workbench reads {}",
                                          path, version, kVersion));
    if (head.number(4) != layout())
        return refuse("recorded by a workbench that keeps registers in another way");
    const std::size_t body = file.size() - 4;
    Source sum(all.subspan(body));
    if (sum.number(4) != crc32(0, file.data(), static_cast<unsigned>(body)))
        return refuse("the recording is damaged: its sum is wrong");
    Source from(all.subspan(sizeof kMagic + 8, body - sizeof kMagic - 8));
    const auto facts = take_packed(from);
    if (!facts) return refuse("the recording is damaged");
    auto log = std::make_shared<Log>();
    Source of(*facts);
    log->program.path = of.text();
    for (std::uint64_t n = of.number(); n != 0 && of.good; --n)
        log->program.argv.push_back(of.text());
    const auto program = of.take(of.number());
    log->program.file.assign(program.begin(), program.end());
    log->ended_ = of.text();
    log->events_ = of.number();
    log->first_bundle_ = of.number();
    log->end_bundle_ = of.number();
    for (std::uint64_t n = of.number(); n != 0 && of.good; --n) {
        const std::uint64_t bundle = of.number();
        log->readings_.push_back({bundle, of.number()});
    }
    if (!of.good || !of.done()) return refuse("the recording is damaged");
    for (std::uint64_t n = from.number(); n != 0 && from.good; --n) {
        auto bytes = take_packed(from);
        if (!bytes) return refuse("the recording is damaged");
        log->pieces_.push_back({std::move(*bytes), 0, 0});
        if (log->pieces_.back().bytes.size() >= 1024) log->seal();
    }
    if (!from.good || !from.done()) return refuse("the recording is damaged");
    LogPlace place;
    while (const Event* const event = log->next(place)) log->mark(*event);
    if (!log->damage_.empty() || place.number != log->events_)
        return refuse("the recording is damaged");
    return log;
}

}  // namespace e2k::history
