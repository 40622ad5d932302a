// Sockets: lengths of addresses, relative names, control messages.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/guest/caller.h"

namespace e2k::guest {
namespace {

using test::Caller;
namespace fs = std::filesystem;

struct Local {
    std::uint16_t family = AF_UNIX;
    std::array<char, 140> path{};
    explicit Local(const std::string& name) { name.copy(path.data(), path.size()); }
};

class SocketTest : public ::testing::Test {
protected:
    SocketTest() {
        char name[] = "/tmp/e2k-socket-XXXXXX";
        path_ = mkdtemp(name);
        EXPECT_EQ(c.call(12, c.text(path_)), 0);
    }
    ~SocketTest() override { fs::remove_all(path_); }
    std::int64_t socket(int type) { return c.call(403, AF_UNIX, type, 0); }

    Caller c;
    std::string path_;
};

TEST_F(SocketTest, AddressesHaveTheLengthsOfLinux) {
    const auto fd = socket(SOCK_STREAM);
    const auto address = c.object(Local(std::string(140, 'a')));
    EXPECT_EQ(c.call(404, fd, address, 110), -ENOENT);
    EXPECT_EQ(c.call(404, fd, address, 111), -EINVAL);
    EXPECT_EQ(c.call(404, fd, address, 128), -EINVAL);
    EXPECT_EQ(c.call(404, fd, address, 129), -EINVAL);
    EXPECT_EQ(c.call(404, fd, address, -1), -EINVAL);
    EXPECT_EQ(c.call(404, fd, address, 1), -EINVAL);
    EXPECT_EQ(c.call(404, fd, 0, 110), -EFAULT);
    EXPECT_EQ(c.call(404, 99, 8, 110), -EBADF);
    EXPECT_EQ(c.call(410, fd, address, 111), -EINVAL);
    EXPECT_EQ(c.call(406, fd, address, 1, 0, address, 200), -EINVAL);
}

TEST_F(SocketTest, RelativeNamesStayAsTheyAre) {
    const std::string longest(108, 'n');
    for (const std::string& name : {std::string("short"), longest}) {
        const auto server = socket(SOCK_DGRAM), client = socket(SOCK_DGRAM);
        const auto address = c.object(Local(name));
        const auto size = 2 + name.size();
        ASSERT_EQ(c.call(410, server, address, size), 0);
        EXPECT_TRUE(fs::exists(path_ + "/" + name));
        const auto out = c.room(160), length = c.object(std::uint32_t{160});
        EXPECT_EQ(c.call(412, server, out, length), 0);
        EXPECT_EQ(c.memory().read_string(out + 2, name.size()), name);
        // The host adds a zero byte where there is room.
        EXPECT_GE(c.get<std::uint32_t>(length), size);
        EXPECT_LE(c.get<std::uint32_t>(length), size + 1);
        EXPECT_EQ(c.call(406, client, c.text("hi"), 2, 0, address, size), 2);
        EXPECT_EQ(c.call(404, client, address, size), 0);
        const auto parts = c.object(std::array<std::uint64_t, 2>{c.text("ho"), 2});
        const auto message =
            c.object(std::array<std::uint64_t, 7>{address, size, parts, 1, 0, 0, 0});
        EXPECT_EQ(c.call(408, client, message, 0), 2);
        EXPECT_EQ(c.call(407, server, out, 16, 0, 0, 0), 2);
    }
}

TEST_F(SocketTest, MessagesCarryTheGuestsDescriptors) {
    const auto pair = c.room(8);
    ASSERT_EQ(c.call(414, AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const auto a = c.get<std::int32_t>(pair), b = c.get<std::int32_t>(pair + 4);
    const auto file = c.call(5, c.text("file"), O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(c.call(4, file, c.text("passed"), 6), 6);
    EXPECT_EQ(c.call(63, file, 40), 40);  // a number that is none of the host's
    struct Control {
        std::uint64_t size = 20;
        std::int32_t level = SOL_SOCKET, type = SCM_RIGHTS;
        std::int32_t fd = 0, pad = 0;
    } rights;
    rights.fd = 40;
    const auto parts = c.object(std::array<std::uint64_t, 2>{c.text("x"), 1});
    const auto control = c.object(rights);
    struct Header {
        std::uint64_t name = 0;
        std::uint32_t name_length = 0, pad = 0;
        std::uint64_t parts = 0, count = 1, control = 0, control_length = 0;
        std::int32_t flags = 0, pad2 = 0;
    } header;
    header.parts = parts;
    header.control = control;
    header.control_length = sizeof rights;
    EXPECT_EQ(c.call(408, a, c.object(header), 0), 1);
    header.control = c.room(64);
    header.control_length = 64;
    const auto in = c.object(header);
    EXPECT_EQ(c.call(409, b, in, 0), 1);
    const auto got = c.get<Control>(header.control);
    EXPECT_EQ(got.type, SCM_RIGHTS);
    EXPECT_EQ(got.fd, file + 1);
    const auto text = c.room(8);
    EXPECT_EQ(c.call(180, got.fd, text, 8, 0), 6);
    EXPECT_EQ(c.memory().read_string(text), "passed");
    // Wrong sizes and places.
    rights.fd = 41;
    header.control = c.object(rights);
    header.control_length = sizeof rights;
    EXPECT_EQ(c.call(408, a, c.object(header), 0), -EBADF);
    header.control = 8;
    EXPECT_EQ(c.call(408, a, c.object(header), 0), -EFAULT);
    header.control = 0;
    EXPECT_EQ(c.call(408, a, c.object(header), 0), -EFAULT);
    header.control_length = 0;
    header.count = 1025;
    EXPECT_EQ(c.call(408, a, c.object(header), 0), -EMSGSIZE);
    header.count = 1;
    header.name = c.room(16);
    header.name_length = 0x8000'0000;
    EXPECT_EQ(c.call(409, b, c.object(header), MSG_DONTWAIT), -EINVAL);
}

TEST_F(SocketTest, ManyMessagesWaitAsTheyAreTold) {
    const auto pair = c.room(8);
    ASSERT_EQ(c.call(414, AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    const auto a = c.get<std::int32_t>(pair), b = c.get<std::int32_t>(pair + 4);
    const auto parts = c.object(std::array<std::uint64_t, 2>{c.room(16), 16});
    std::array<std::array<std::uint64_t, 8>, 3> headers{};
    for (auto& one : headers) one = {0, 0, parts, 1, 0, 0, 0, 0};
    const auto messages = c.object(headers);
    EXPECT_EQ(c.call(378, a, messages, 2, 0), 2);
    EXPECT_EQ(c.get<std::uint32_t>(messages + 64 + 56), 16u);
    EXPECT_EQ(c.call(349, b, messages, 3, MSG_WAITFORONE, 0), 2);
    EXPECT_EQ(c.call(378, a, messages, 2, 0), 2);
    EXPECT_EQ(c.call(349, b, messages, 3, 0, 8), -EFAULT);
    EXPECT_EQ(c.call(349, b, messages, 3, 0, c.object(timespec{0, -1})), -EINVAL);
    EXPECT_EQ(c.call(349, b, messages, 3, 0, c.object(timespec{0, 0})), 1);
    EXPECT_EQ(c.call(349, b, messages, 3, MSG_DONTWAIT, 0), 1);
}

}  // namespace
}  // namespace e2k::guest
