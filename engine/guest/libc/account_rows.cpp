// <pwd.h>, <grp.h>: /etc/passwd and /etc/group, as the guest sees them.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "engine/guest/libc/guest_image.h"
#include "engine/guest/libc/guest_text.h"
#include "engine/guest/libc/streams.h"

namespace e2k::guest::libc {
namespace {

using Fields = std::vector<std::string>;

Fields split(std::string_view line, char separator) {
    Fields fields;
    for (;;) {
        const std::size_t end = std::min(line.find(separator), line.size());
        fields.emplace_back(line.substr(0, end));
        if (end == line.size()) return fields;
        line.remove_prefix(end + 1);
    }
}

bool number(const std::string& text, std::uint32_t& value) {
    const char* const end = text.data() + text.size();
    const auto [at, bad] = std::from_chars(text.data(), end, value);
    return bad == std::errc() && at == end;
}

/// struct passwd and struct group (libraries.md §7: as on x86-64).
struct User {
    static constexpr const char* kFile = "/etc/passwd";
    static constexpr std::string_view kFamily = "user";
    static constexpr std::size_t kFields = 7;

    Fields fields;
    std::uint32_t uid = 0, gid = 0;
    bool parse() { return number(fields[2], uid) && number(fields[3], gid); }
    std::uint32_t id() const { return uid; }

    struct Layout {
        std::uint64_t name, password;
        std::uint32_t uid, gid;
        std::uint64_t gecos, directory, shell;
    };
    static_assert(sizeof(Layout) == 48);
    Layout layout(GuestImage& image) const {
        return {image.text(fields[0]), image.text(fields[1]), uid, gid, image.text(fields[4]),
                image.text(fields[5]), image.text(fields[6])};
    }
};
struct Group {
    static constexpr const char* kFile = "/etc/group";
    static constexpr std::string_view kFamily = "group";
    static constexpr std::size_t kFields = 4;

    Fields fields;
    std::uint32_t gid = 0;
    bool parse() { return number(fields[2], gid); }
    std::uint32_t id() const { return gid; }
    Fields members() const { return fields[3].empty() ? Fields() : split(fields[3], ','); }

    struct Layout {
        std::uint64_t name, password;
        std::uint32_t gid, pad;
        std::uint64_t members;
    };
    static_assert(sizeof(Layout) == 32);
    Layout layout(GuestImage& image) const {
        std::vector<std::uint64_t> list;
        for (const std::string& member : members()) list.push_back(image.text(member));
        return {image.text(fields[0]), image.text(fields[1]), gid, 0, image.list(std::move(list))};
    }
};

template <class T>
Outcome<std::vector<T>> all(LibraryCall& call) {
    const auto text = read_guest_file(call, T::kFile);
    if (!text) return tl::unexpected(text.error());
    std::vector<T> list;
    for (const std::string& line : split(*text, '\n')) {
        if (line.empty() || line.front() == '#' || line.front() == '+' || line.front() == '-')
            continue;
        T entry;
        entry.fields = split(line, ':');
        if (entry.fields.size() == T::kFields && entry.parse()) list.push_back(std::move(entry));
    }
    return list;
}

/// The entry that the first argument asks for: by name, or by number.
template <class T, bool ByName>
Outcome<std::optional<T>> find(LibraryCall& call) {
    std::string name;
    if constexpr (ByName) {
        const auto text = call.text(0, 4096);
        if (!text) return tl::unexpected(text.error());
        name = *text;
    }
    auto list = all<T>(call);
    if (!list) return tl::unexpected(list.error());
    for (T& entry : *list)
        if (ByName ? entry.fields[0] == name : entry.id() == call.unsigned_integer(0))
            return std::optional<T>(std::move(entry));
    return std::optional<T>();
}

template <class T>
Outcome<Value> keep(LibraryCall& call, const T& entry) {
    return keep_image(call, T::kFamily, [&](GuestImage& image) {
        const auto layout = entry.layout(image);
        return image.object(layout);
    });
}

template <class T, bool ByName>
Outcome<Value> get_(LibraryCall& call) {
    const auto entry = find<T, ByName>(call);
    if (!entry) return tl::unexpected(entry.error());
    return *entry ? keep(call, **entry) : Value(0);
}

/// getpwnam_r(name, entry, room, size, result) and the like return the error.
template <class T>
Outcome<Value> store_entry(LibraryCall& call, const std::optional<T>& entry, unsigned first) {
    const std::uint64_t to = call.pointer(first), room = call.pointer(first + 1),
                        size = call.size(first + 2), result = call.pointer(first + 3);
    if (auto done = call.memory.store(result, std::uint64_t{0}); !done)
        return tl::unexpected(done.error());
    if (!entry) return Value(0);
    const std::uint64_t begin = (room + 7) & ~7ull;
    GuestImage image(begin);
    const auto layout = entry->layout(image);
    if (size < begin - room || image.content().size() > size - (begin - room)) return Value(ERANGE);
    if (auto done = call.memory.write(begin, image.content().data(), image.content().size()); !done)
        return tl::unexpected(done.error());
    if (auto done = call.memory.store(to, layout); !done) return tl::unexpected(done.error());
    return call.memory.store(result, to).map([] { return Value(0); });
}
template <class T, bool ByName>
Outcome<Value> get_r_(LibraryCall& call) {
    const auto entry = find<T, ByName>(call);
    if (!entry && entry.error().kind == Trouble::Kind::Error) return Value(entry.error().error);
    if (!entry) return tl::unexpected(entry.error());
    return store_entry(call, *entry, 1);
}

/// Where getpwent and getgrent are.
template <class T>
std::uint64_t& position(LibraryCall& call) {
    return call.library.positions[T::kFamily];
}
template <class T>
Outcome<std::optional<T>> next(LibraryCall& call) {
    auto list = all<T>(call);
    if (!list) return tl::unexpected(list.error());
    const std::lock_guard lock(call.library.thread_mutex);
    std::uint64_t& at = position<T>(call);
    if (at >= list->size()) return std::optional<T>();
    return std::optional<T>(std::move((*list)[at++]));
}
template <class T>
Outcome<Value> next_(LibraryCall& call) {
    const auto entry = next<T>(call);
    if (!entry) return tl::unexpected(entry.error());
    return *entry ? keep(call, **entry) : Value(0);
}
template <class T>
Outcome<Value> next_r_(LibraryCall& call) {
    const auto entry = next<T>(call);
    if (!entry && entry.error().kind == Trouble::Kind::Error) return Value(entry.error().error);
    if (!entry) return tl::unexpected(entry.error());
    const auto stored = store_entry(call, *entry, 0);
    if (!stored || stored->low != 0 || *entry) {
        if (!stored || stored->low != 0) {
            const std::lock_guard lock(call.library.thread_mutex);
            if (position<T>(call) > 0) --position<T>(call);  // the same again
        }
        return stored;
    }
    return Value(ENOENT);
}
template <class T>
Outcome<Value> rewind_(LibraryCall& call) {
    const std::lock_guard lock(call.library.thread_mutex);
    position<T>(call) = 0;
    return Value();
}

// --- groups of a user ---

/// `first` and the groups that have the user as a member.
Outcome<std::vector<std::uint32_t>> groups_of(LibraryCall& call) {
    const auto user = call.text(0, 4096);
    if (!user) return tl::unexpected(user.error());
    const auto list = all<Group>(call);
    if (!list) return tl::unexpected(list.error());
    std::vector<std::uint32_t> groups{call.unsigned_integer(1)};
    for (const Group& group : *list) {
        const Fields members = group.members();
        if (group.gid != groups.front() &&
            std::find(members.begin(), members.end(), *user) != members.end())
            groups.push_back(group.gid);
    }
    return groups;
}
/// getgrouplist(user, group, list, count)
Outcome<Value> getgrouplist_(LibraryCall& call) {
    const auto groups = groups_of(call);
    if (!groups) return tl::unexpected(groups.error());
    const auto room = call.memory.load<std::int32_t>(call.pointer(3));
    if (!room) return tl::unexpected(room.error());
    const auto count = static_cast<std::int32_t>(groups->size());
    const std::int32_t stored = std::max(0, std::min(*room, count));
    if (auto done = call.memory.write(call.pointer(2), groups->data(),
                                      static_cast<std::size_t>(stored) * sizeof groups->front());
        !done)
        return tl::unexpected(done.error());
    if (auto done = call.memory.store(call.pointer(3), count); !done)
        return tl::unexpected(done.error());
    return Value(count <= *room ? count : -1);
}
Outcome<Value> initgroups_(LibraryCall& call) {
    constexpr std::uint32_t kSetgroups = 81;
    const auto groups = groups_of(call);
    if (!groups) return tl::unexpected(groups.error());
    const auto block = GuestBlock::make(call, groups->size() * sizeof groups->front());
    if (!block) return tl::unexpected(block.error());
    if (auto done = call.memory.write(block->address(), groups->data(),
                                      groups->size() * sizeof groups->front());
        !done)
        return tl::unexpected(done.error());
    return call.kernel(kSetgroups, groups->size(), block->address()).map([](std::int64_t v) {
        return Value(v);
    });
}

/// The user's name in the environment or in /etc/passwd.
Outcome<Value> getlogin_(LibraryCall& call) {
    constexpr std::uint32_t kGetuid = 24;
    const auto uid = call.kernel(kGetuid);
    if (!uid) return tl::unexpected(uid.error());
    const auto list = all<User>(call);
    if (!list) return tl::unexpected(list.error());
    for (const User& user : *list)
        if (user.uid == static_cast<std::uint32_t>(*uid))
            return keep_image(call, "login",
                              [&](GuestImage& image) { return image.text(user.fields[0]); });
    return error(ENXIO);
}

// --- writing ---

/// putpwent(entry, file), putgrent(entry, file): a line.
Outcome<std::string> text_in(const LibraryCall& call, std::uint64_t structure, unsigned offset) {
    const auto at = call.memory.load<std::uint64_t>(structure + offset);
    if (!at) return tl::unexpected(at.error());
    return *at == 0 ? Outcome<std::string>("") : call.memory.text(*at, 1u << 16);
}
Outcome<Value> put_line(LibraryCall& call, const std::string& line) {
    const Caller caller = caller_of(call);
    auto use = call.library.streams->stdio.use(call.pointer(1), caller);
    if (!use) return tl::unexpected(use.error());
    auto writer = StreamWriter::begin(*use, caller);
    if (!writer) return tl::unexpected(writer.error());
    if (auto done = writer->put(line); !done) return tl::unexpected(done.error());
    return writer->finish().map([] { return Value(0); });
}
Outcome<Value> putpwent_(LibraryCall& call) {
    const std::uint64_t from = call.pointer(0);
    const auto uid = call.memory.load<std::uint32_t>(from + 16);
    const auto gid = call.memory.load<std::uint32_t>(from + 20);
    if (!uid) return tl::unexpected(uid.error());
    if (!gid) return tl::unexpected(gid.error());
    std::string line;
    for (const unsigned offset : {0u, 8u, 24u, 32u, 40u}) {
        const auto text = text_in(call, from, offset);
        if (!text) return tl::unexpected(text.error());
        if (text->find_first_of(":\n") != std::string::npos) return error(EINVAL);
        line += (offset == 0 ? "" : ":") + *text;
        if (offset == 8) line += ':' + std::to_string(*uid) + ':' + std::to_string(*gid);
    }
    return put_line(call, line + '\n');
}

// --- the lock of the password files ---

constexpr std::uint32_t kOpen = 5, kClose = 6, kFcntl = 55;

/// A lock on a file of /etc, as the tools that change passwords take it.
Outcome<Value> lckpwdf_(LibraryCall& call) {
    constexpr std::uint64_t kCreateForWriting = 0101 | 02000000, kMode = 0600, kSetLock = 6;
    const auto name = GuestBlock::of(call, "/etc/.pwd.lock");
    if (!name) return tl::unexpected(name.error());
    {
        const std::lock_guard lock(call.library.thread_mutex);
        if (call.library.password_lock >= 0) return Value(-1);
    }
    const auto fd = call.kernel(kOpen, name->address(), kCreateForWriting, kMode);
    if (!fd) return tl::unexpected(fd.error());
    struct {
        std::int16_t type = 1, whence = 0;  // F_WRLCK, SEEK_SET
        std::int32_t pad = 0;
        std::int64_t start = 0, length = 0;
        std::int32_t pid = 0, pad2 = 0;
    } lock;
    static_assert(sizeof lock == 32);
    const std::uint64_t at = call.thread().scratch_address();
    auto stored = call.memory.store(at, lock);
    const auto taken = stored ? call.kernel(kFcntl, static_cast<std::uint64_t>(*fd), kSetLock, at)
                              : Outcome<std::int64_t>(tl::unexpected(stored.error()));
    if (!taken) {
        static_cast<void>(call.kernel(kClose, static_cast<std::uint64_t>(*fd)));
        return tl::unexpected(taken.error());
    }
    const std::lock_guard guard(call.library.thread_mutex);
    call.library.password_lock = static_cast<int>(*fd);
    return Value(0);
}
Outcome<Value> ulckpwdf_(LibraryCall& call) {
    int fd = -1;
    {
        const std::lock_guard lock(call.library.thread_mutex);
        fd = std::exchange(call.library.password_lock, -1);
    }
    if (fd < 0) return Value(-1);
    return call.kernel(kClose, static_cast<std::uint64_t>(fd)).map([](std::int64_t v) {
        return Value(v);
    });
}

constexpr std::array kRows{
    Row{"getpwnam", "p(s)", get_<User, true>},
    Row{"getpwuid", "p(u)", get_<User, false>},
    Row{"getpwnam_r", "i(s,p,p,L,p)", get_r_<User, true>},
    Row{"getpwuid_r", "i(u,p,p,L,p)", get_r_<User, false>},
    Row{"getpwent", "p()", next_<User>},
    Row{"getpwent_r", "i(p,p,L,p)", next_r_<User>},
    Row{"setpwent", "v()", rewind_<User>},
    Row{"endpwent", "v()", rewind_<User>},
    Row{"getgrnam", "p(s)", get_<Group, true>},
    Row{"getgrgid", "p(u)", get_<Group, false>},
    Row{"getgrnam_r", "i(s,p,p,L,p)", get_r_<Group, true>},
    Row{"getgrgid_r", "i(u,p,p,L,p)", get_r_<Group, false>},
    Row{"getgrent", "p()", next_<Group>},
    Row{"getgrent_r", "i(p,p,L,p)", next_r_<Group>},
    Row{"setgrent", "v()", rewind_<Group>},
    Row{"endgrent", "v()", rewind_<Group>},
    Row{"getgrouplist", "i(s,u,p,p)", getgrouplist_},
    Row{"initgroups", "i(s,u)", initgroups_},
    Row{"getlogin", "p()", getlogin_},
    Row{"putpwent", "i(p,S)", putpwent_},
    Row{"lckpwdf", "i()", lckpwdf_},
    Row{"ulckpwdf", "i()", ulckpwdf_},
};

}  // namespace

std::span<const Row> account_rows() { return kRows; }

}  // namespace e2k::guest::libc
