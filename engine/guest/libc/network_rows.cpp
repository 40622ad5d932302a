// <arpa/inet.h>, <netdb.h>: addresses as texts by the host's functions; names by the host's
// resolver, but in the sandbox, where there is no network, only numbers and localhost.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "engine/guest/libc/guest_image.h"
#include "engine/guest/libc/guest_text.h"

namespace e2k::guest::libc {
namespace {

// --- addresses ---

Outcome<Value> inet_ntop_(LibraryCall& call) {
    const int family = call.integer(0);
    if (family != AF_INET && family != AF_INET6) return error(EAFNOSUPPORT);
    std::array<std::uint8_t, 16> address{};
    if (auto got = call.memory.read(call.pointer(1), address.data(), family == AF_INET ? 4 : 16);
        !got)
        return tl::unexpected(got.error());
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(family, address.data(), text.data(), text.size());
    if (std::strlen(text.data()) >= call.unsigned_integer(3)) return error(ENOSPC);
    return call.memory.store_text(call.pointer(2), text.data()).map([&] {
        return Value(call.pointer(2));
    });
}
Outcome<Value> inet_pton_(LibraryCall& call) {
    const int family = call.integer(0);
    if (family != AF_INET && family != AF_INET6) return error(EAFNOSUPPORT);
    const auto text = call.text(1);
    if (!text) return tl::unexpected(text.error());
    std::array<std::uint8_t, 16> address{};
    if (inet_pton(family, text->c_str(), address.data()) != 1) return Value(0);
    return call.memory.write(call.pointer(2), address.data(), family == AF_INET ? 4 : 16).map([] {
        return Value(1);
    });
}
Outcome<Value> inet_aton_(LibraryCall& call) {
    const auto text = call.text(0);
    if (!text) return tl::unexpected(text.error());
    in_addr address{};
    if (inet_aton(text->c_str(), &address) == 0) return Value(0);
    if (call.pointer(1) == 0) return Value(1);
    return call.memory.store(call.pointer(1), address.s_addr).map([] { return Value(1); });
}
Outcome<Value> inet_addr_(LibraryCall& call) {
    const auto text = call.text(0);
    if (!text) return tl::unexpected(text.error());
    return Value(inet_addr(text->c_str()));
}
Outcome<Value> inet_ntoa_(LibraryCall& call) {
    std::array<char, INET_ADDRSTRLEN> text{};
    const std::uint32_t address = call.unsigned_integer(0);
    inet_ntop(AF_INET, &address, text.data(), text.size());
    return keep_image(call, "inet_ntoa",
                      [&](GuestImage& image) { return image.text(text.data()); });
}

// --- names ---

/// An argument that may be NULL.
Outcome<std::optional<std::string>> optional_text(const LibraryCall& call, unsigned k) {
    if (call.pointer(k) == 0) return std::optional<std::string>();
    return call.text(k, 1024).map([](std::string text) { return std::optional(std::move(text)); });
}
const char* or_null(const std::optional<std::string>& text) {
    return text ? text->c_str() : nullptr;
}

bool has_network(const LibraryCall& call) { return call.system.process.sandbox() == nullptr; }

/// struct addrinfo (libraries.md §7).
struct GuestAddress {
    std::int32_t flags, family, type, protocol;
    std::uint32_t length, pad;
    std::uint64_t address, name, next;
};
static_assert(sizeof(GuestAddress) == 48);

struct AddressList {
    addrinfo* first = nullptr;
    ~AddressList() {
        if (first) freeaddrinfo(first);
    }
};

/// Each entry is a block of its own, as freeaddrinfo expects.
Outcome<std::uint64_t> store_addresses(LibraryCall& call, const addrinfo* from) {
    if (!from) return std::uint64_t{0};
    const auto next = store_addresses(call, from->ai_next);
    if (!next) return next;
    const auto block =
        call.library.heap.allocate(sizeof(GuestAddress) + from->ai_addrlen +
                                   (from->ai_canonname ? std::strlen(from->ai_canonname) + 1 : 0));
    if (!block) return block;
    GuestAddress entry{from->ai_flags,
                       from->ai_family,
                       from->ai_socktype,
                       from->ai_protocol,
                       from->ai_addrlen,
                       0,
                       *block + sizeof(GuestAddress),
                       0,
                       *next};
    if (from->ai_canonname) {
        entry.name = entry.address + from->ai_addrlen;
        if (auto done = call.memory.store_text(entry.name, from->ai_canonname); !done)
            return tl::unexpected(done.error());
    }
    if (auto done = call.memory.write(entry.address, from->ai_addr, from->ai_addrlen); !done)
        return tl::unexpected(done.error());
    return call.memory.store(*block, entry).map([&] { return *block; });
}

/// getaddrinfo(node, service, hints, result) returns the error.
Outcome<Value> getaddrinfo_(LibraryCall& call) {
    const auto node = optional_text(call, 0), service = optional_text(call, 1);
    for (const auto* const part : {&node, &service})
        if (!*part)
            return part->error().kind == Trouble::Kind::Error ? Outcome<Value>(Value(EAI_NONAME))
                                                              : tl::unexpected(part->error());
    addrinfo hints{};
    if (call.pointer(2) != 0) {
        const auto wanted = call.memory.load<GuestAddress>(call.pointer(2));
        if (!wanted) return tl::unexpected(wanted.error());
        hints.ai_flags = wanted->flags;
        hints.ai_family = wanted->family;
        hints.ai_socktype = wanted->type;
        hints.ai_protocol = wanted->protocol;
    } else {
        hints.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG;
    }
    std::optional<std::string> name = *node;
    const bool only_numbers = !name || hints.ai_flags & AI_NUMERICHOST;
    if (!has_network(call)) {
        hints.ai_flags = (hints.ai_flags & ~AI_ADDRCONFIG) | AI_NUMERICHOST;
        if (name == "localhost") name = hints.ai_family == AF_INET6 ? "::1" : "127.0.0.1";
    }
    AddressList list;
    const int failed = getaddrinfo(or_null(name), or_null(*service), &hints, &list.first);
    const int number = errno;
    if (failed == EAI_SYSTEM) call.set_errno(number);
    if (failed != 0) {
        // A name, and nobody who could be asked.
        const bool unreachable = failed == EAI_NONAME && !only_numbers && !has_network(call);
        return Value(unreachable ? EAI_AGAIN : failed);
    }
    const auto first = store_addresses(call, list.first);
    if (!first && first.error().kind == Trouble::Kind::Error) return Value(EAI_MEMORY);
    if (!first) return tl::unexpected(first.error());
    return call.memory.store(call.pointer(3), *first).map([] { return Value(0); });
}
Outcome<Value> freeaddrinfo_(LibraryCall& call) {
    for (std::uint64_t at = call.pointer(0); at != 0;) {
        const auto entry = call.memory.load<GuestAddress>(at);
        if (!entry) return tl::unexpected(entry.error());
        if (auto done = call.library.heap.release(at); !done) return tl::unexpected(done.error());
        at = entry->next;
    }
    return Value();
}
Outcome<Value> gai_strerror_(LibraryCall& call) {
    const std::string text = gai_strerror(call.integer(0));
    const std::uint64_t at = call.library.statics + Library::kStaticMessage;
    return call.memory.store_text(at, text).map([&] { return Value(at); });
}

/// getnameinfo(address, length, host, host_size, service, service_size, flags) returns the error.
Outcome<Value> getnameinfo_(LibraryCall& call) {
    sockaddr_storage address{};
    const std::uint32_t length = call.unsigned_integer(1);
    if (length < sizeof(sa_family_t) || length > sizeof address) return Value(EAI_FAMILY);
    if (auto got = call.memory.read(call.pointer(0), &address, length); !got)
        return tl::unexpected(got.error());
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> service{};
    int flags = call.integer(6);
    if (!has_network(call)) {
        if (flags & NI_NAMEREQD) return Value(EAI_NONAME);
        flags |= NI_NUMERICHOST;
    }
    const bool wants_host = call.pointer(2) != 0 && call.unsigned_integer(3) != 0;
    const bool wants_service = call.pointer(4) != 0 && call.unsigned_integer(5) != 0;
    const int failed = getnameinfo(reinterpret_cast<const sockaddr*>(&address), length,
                                   wants_host ? host.data() : nullptr, wants_host ? host.size() : 0,
                                   wants_service ? service.data() : nullptr,
                                   wants_service ? service.size() : 0, flags);
    if (failed != 0) return Value(failed);
    for (const auto& [wanted, text, place] :
         {std::tuple(wants_host, host.data(), 2u), std::tuple(wants_service, service.data(), 4u)}) {
        if (!wanted) continue;
        if (std::strlen(text) >= call.unsigned_integer(place + 1)) return Value(EAI_OVERFLOW);
        if (auto done = call.memory.store_text(call.pointer(place), text); !done)
            return tl::unexpected(done.error());
    }
    return Value(0);
}

// --- the older functions: struct hostent, servent, protoent ---

std::vector<std::uint64_t> texts(GuestImage& image, char* const* list) {
    std::vector<std::uint64_t> at;
    for (; list && *list; ++list) at.push_back(image.text(*list));
    return at;
}

struct GuestHost {
    std::uint64_t name, aliases;
    std::int32_t family, length;
    std::uint64_t addresses;
};
static_assert(sizeof(GuestHost) == 32);

Outcome<Value> keep_host(LibraryCall& call, const hostent& host) {
    return keep_image(call, "host", [&](GuestImage& image) {
        std::vector<std::uint64_t> addresses;
        for (char* const* a = host.h_addr_list; *a; ++a)
            addresses.push_back(image.bytes(*a, static_cast<std::size_t>(host.h_length)));
        const GuestHost entry{image.text(host.h_name), image.list(texts(image, host.h_aliases)),
                              host.h_addrtype, host.h_length, image.list(std::move(addresses))};
        return image.object(entry);
    });
}
/// NULL, and h_errno.
Outcome<Value> no_host(const LibraryCall& call, int number) {
    const std::int32_t value = number;
    return call.memory.store(call.thread().h_errno_address(), value).map([] { return Value(0); });
}
constexpr std::size_t kHostRoom = 1u << 16;

Outcome<Value> host_by_name(LibraryCall& call, int family) {
    auto name = call.text(0, 1024);
    if (!name && name.error().kind == Trouble::Kind::Error) return no_host(call, HOST_NOT_FOUND);
    if (!name) return tl::unexpected(name.error());
    if (!has_network(call)) {
        std::array<std::uint8_t, 16> bytes{};
        if (*name == "localhost") *name = family == AF_INET6 ? "::1" : "127.0.0.1";
        if (inet_pton(family, name->c_str(), bytes.data()) != 1) return no_host(call, TRY_AGAIN);
    }
    std::vector<char> room(kHostRoom);
    hostent host{};
    hostent* found = nullptr;
    int number = 0;
    gethostbyname2_r(name->c_str(), family, &host, room.data(), room.size(), &found, &number);
    return found ? keep_host(call, *found) : no_host(call, number);
}
Outcome<Value> gethostbyname_(LibraryCall& call) { return host_by_name(call, AF_INET); }
Outcome<Value> gethostbyname2_(LibraryCall& call) {
    const int family = call.integer(1);
    if (family != AF_INET && family != AF_INET6) return no_host(call, NO_RECOVERY);
    return host_by_name(call, family);
}
Outcome<Value> gethostbyaddr_(LibraryCall& call) {
    const int family = call.integer(2);
    const std::uint32_t length = call.unsigned_integer(1);
    const std::uint32_t right = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
    if (right == 0 || length != right) return no_host(call, NO_RECOVERY);
    std::array<std::uint8_t, 16> bytes{};
    if (auto got = call.memory.read(call.pointer(0), bytes.data(), length); !got)
        return tl::unexpected(got.error());
    if (!has_network(call)) return no_host(call, HOST_NOT_FOUND);
    std::vector<char> room(kHostRoom);
    hostent host{};
    hostent* found = nullptr;
    int number = 0;
    gethostbyaddr_r(bytes.data(), length, family, &host, room.data(), room.size(), &found, &number);
    return found ? keep_host(call, *found) : no_host(call, number);
}

struct GuestService {
    std::uint64_t name, aliases;
    std::int32_t port, pad;
    std::uint64_t protocol;
};
Outcome<Value> keep_service(LibraryCall& call, const servent* found) {
    if (!found) return Value(0);
    return keep_image(call, "service", [&](GuestImage& image) {
        const GuestService entry{image.text(found->s_name),
                                 image.list(texts(image, found->s_aliases)), found->s_port, 0,
                                 image.text(found->s_proto)};
        return image.object(entry);
    });
}
template <bool ByName>
Outcome<Value> getserv_(LibraryCall& call) {
    const auto protocol = optional_text(call, 1);
    if (!protocol) return tl::unexpected(protocol.error());
    std::array<char, 4096> room{};
    servent service{};
    servent* found = nullptr;
    if constexpr (ByName) {
        const auto name = call.text(0, 1024);
        if (!name) return tl::unexpected(name.error());
        getservbyname_r(name->c_str(), or_null(*protocol), &service, room.data(), room.size(),
                        &found);
    } else {
        getservbyport_r(call.integer(0), or_null(*protocol), &service, room.data(), room.size(),
                        &found);
    }
    return keep_service(call, found);
}

struct GuestProtocol {
    std::uint64_t name, aliases;
    std::int32_t number, pad;
};
template <bool ByName>
Outcome<Value> getproto_(LibraryCall& call) {
    std::array<char, 4096> room{};
    protoent protocol{};
    protoent* found = nullptr;
    if constexpr (ByName) {
        const auto name = call.text(0, 1024);
        if (!name) return tl::unexpected(name.error());
        getprotobyname_r(name->c_str(), &protocol, room.data(), room.size(), &found);
    } else {
        getprotobynumber_r(call.integer(0), &protocol, room.data(), room.size(), &found);
    }
    if (!found) return Value(0);
    return keep_image(call, "protocol", [&](GuestImage& image) {
        const GuestProtocol entry{image.text(found->p_name),
                                  image.list(texts(image, found->p_aliases)), found->p_proto, 0};
        return image.object(entry);
    });
}
Outcome<Value> hstrerror_(LibraryCall& call) {
    const std::string text = hstrerror(call.integer(0));
    return keep_image(call, "hstrerror", [&](GuestImage& image) { return image.text(text); });
}

constexpr std::array kRows{
    Row{"inet_ntop", "p(i,p,p,u)", inet_ntop_},
    Row{"inet_pton", "i(i,s,p)", inet_pton_},
    Row{"inet_aton", "i(s,p)", inet_aton_},
    Row{"inet_addr", "u(s)", inet_addr_},
    Row{"inet_ntoa", "p(u)", inet_ntoa_},
    Row{"getaddrinfo", "i(s,s,p,p)", getaddrinfo_},
    Row{"freeaddrinfo", "v(p)", freeaddrinfo_},
    Row{"gai_strerror", "p(i)", gai_strerror_},
    Row{"getnameinfo", "i(p,u,p,u,p,u,i)", getnameinfo_},
    Row{"gethostbyname", "p(s)", gethostbyname_},
    Row{"gethostbyname2", "p(s,i)", gethostbyname2_},
    Row{"gethostbyaddr", "p(p,u,i)", gethostbyaddr_},
    Row{"getservbyname", "p(s,s)", getserv_<true>},
    Row{"getservbyport", "p(i,s)", getserv_<false>},
    Row{"getprotobyname", "p(s)", getproto_<true>},
    Row{"getprotobynumber", "p(i)", getproto_<false>},
    Row{"hstrerror", "p(i)", hstrerror_},
};

}  // namespace

std::span<const Row> network_rows() { return kRows; }

}  // namespace e2k::guest::libc
