// `e2kwb gdb` as a debugger meets it: over a socket, with acknowledgements, detaching and coming
// back. What the packets mean is tested in tests/tools.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/child_process.h"

namespace e2k::test {
namespace {

const std::string kHello = std::string(E2K_SOURCE_DIR) + "/tests/data/guests/elf/hello";

std::string framed(const std::string& payload) {
    unsigned sum = 0;
    for (const unsigned char c : payload) sum += c;
    constexpr char kDigits[] = "0123456789abcdef";
    return "$" + payload + "#" + kDigits[sum >> 4 & 15] + kDigits[sum & 15];
}

/// A server that listens at a socket in a directory of its own.
class GdbCommand : public testing::Test {
protected:
    void start(const std::vector<std::string>& options = {}) {
        std::vector<std::string> words{E2KWB, "gdb", "--listen", socket_path()};
        words.insert(words.end(), options.begin(), options.end());
        words.push_back(kHello);
        server_ = fork();
        if (server_ != 0) return;
        for (const auto& [name, fd] : {std::pair("out", 1), std::pair("err", 2)}) {
            const std::string path = (folder_.path() / name).string();
            dup2(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), fd);
        }
        std::vector<char*> argv;
        for (std::string& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        execv(argv[0], argv.data());
        _exit(122);
    }
    ~GdbCommand() override {
        if (server_ <= 0) return;
        kill(server_, SIGKILL);
        waitpid(server_, nullptr, 0);
    }
    std::string socket_path() const { return (folder_.path() / "socket").string(); }
    std::string text(const char* name) const { return read_file(folder_.path() / name); }

    void connect() {
        if (client_ >= 0) close(client_);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        socket_path().copy(address.sun_path, sizeof address.sun_path - 1);
        for (int tries = 0; tries < 600; ++tries) {
            client_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (::connect(client_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
                return;
            close(client_);
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        FAIL() << "nobody listens: " << text("err");
    }
    void send(const std::string& bytes) {
        ASSERT_EQ(::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL), std::ssize(bytes));
    }
    /// Everything up to the end of the next packet.
    std::string receive() {
        std::string all;
        for (std::size_t end; (end = all.find('#')) == std::string::npos || end + 3 > all.size();) {
            pollfd waits{client_, POLLIN, 0};
            char byte = 0;
            if (poll(&waits, 1, 60'000) <= 0 || read(client_, &byte, 1) != 1) return all + "<end>";
            all += byte;
        }
        return all;
    }
    std::string ask(const std::string& payload) {
        send(framed(payload));
        const std::string answer = receive();
        // After the last answer nobody may be there any more.
        static_cast<void>(::send(client_, "+", 1, MSG_NOSIGNAL));
        return answer;
    }
    int exit_code() {
        int status = 0;
        waitpid(std::exchange(server_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
    }

    ScratchDirectory folder_;
    pid_t server_ = -1;
    int client_ = -1;
};

TEST_F(GdbCommand, AcknowledgesAndAnswers) {
    start();
    connect();
    send("$?#00");
    char byte = 0;
    ASSERT_EQ(read(client_, &byte, 1), 1);
    EXPECT_EQ(byte, '-');
    EXPECT_EQ(ask("?").substr(0, 18), "+$T05thread:p1.1;2");
    send("-");
    EXPECT_EQ(receive().substr(0, 5), "$T05t") << "once more";
    EXPECT_EQ(ask("vMustReplyEmpty"), "+$#00");
    EXPECT_EQ(ask("QStartNoAckMode"), "+$OK#9a");
    EXPECT_EQ(ask("vCont;c").substr(0, 4), "$W00");
    EXPECT_EQ(exit_code(), 0);
    EXPECT_EQ(text("out"), "Hello, Elbrus\n");
    EXPECT_NE(text("err").find("waits for gdb at"), std::string::npos);
}

TEST_F(GdbCommand, AnotherDebuggerMayComeAfterOneHasGone) {
    start({"--sandbox"});
    connect();
    EXPECT_NE(ask("Z0,100c0,8").find("OK"), std::string::npos);
    EXPECT_NE(ask("vCont;c").find("$T05"), std::string::npos);
    connect();  // the first one is gone without a word: the program stays where it is
    EXPECT_NE(ask("p35").find("c000010000000000"), std::string::npos);
    EXPECT_NE(ask("D").find("OK"), std::string::npos);
    EXPECT_EQ(exit_code(), 0);
    EXPECT_EQ(text("out"), "Hello, Elbrus\n");
}

TEST_F(GdbCommand, KillEndsTheProgram) {
    start();
    connect();
    send(framed("k"));
    EXPECT_EQ(exit_code(), 128 + SIGKILL);
    EXPECT_EQ(text("out"), "");
}

TEST(GdbPlace, ThatIsNoneIsSaid) {
    const auto result = run_child({E2KWB, "gdb", "--listen", "nowhere", kHello});
    EXPECT_NE(result.exit_code, 0);
    EXPECT_NE(result.errors.find("cannot listen at nowhere"), std::string::npos) << result.errors;
    EXPECT_EQ(run_child({E2KWB, "gdb"}).exit_code, 2);
    EXPECT_EQ(run_child({E2KWB, "gdb", "/nothing/here"}).exit_code, 127);
}

}  // namespace
}  // namespace e2k::test
