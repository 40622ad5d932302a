#include "tests/guest/fuzz_syscalls/outside.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace e2k::guest::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kNobody = 65534;
constexpr const char* kSecret = "not for guests";

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string attributes(const std::string& path) {
    std::array<char, 4096> names{};
    std::string text;
    const ssize_t n = llistxattr(path.c_str(), names.data(), names.size());
    for (ssize_t i = 0; i < n; i += static_cast<ssize_t>(std::strlen(names.data() + i)) + 1) {
        std::array<char, 256> value{};
        const ssize_t size = lgetxattr(path.c_str(), names.data() + i, value.data(), value.size());
        text += std::string(" ") + (names.data() + i) + "=" +
                std::string(value.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return text;
}

std::string describe_file(const std::string& path) {
    struct stat st {};
    if (lstat(path.c_str(), &st) != 0) return "gone";
    std::ostringstream text;
    text << std::oct << st.st_mode << std::dec << " " << st.st_uid << ":" << st.st_gid << " links "
         << st.st_nlink << " size " << (S_ISDIR(st.st_mode) ? 0 : st.st_size) << " changed "
         << st.st_ctim.tv_sec << "." << st.st_ctim.tv_nsec << " modified " << st.st_mtim.tv_sec
         << "." << st.st_mtim.tv_nsec << attributes(path);
    if (S_ISREG(st.st_mode)) text << " \"" << contents(path) << "\"";
    if (S_ISLNK(st.st_mode)) text << " -> " << fs::read_symlink(path).string();
    return text.str();
}

/// Limits, priorities and state; nothing that changes by itself.
std::string describe_process(int pid) {
    const std::string directory = "/proc/" + std::to_string(pid) + "/";
    const std::string stat = contents(directory + "stat");
    const std::size_t name_end = stat.rfind(") ");
    if (name_end == std::string::npos || stat[name_end + 2] == 'Z') return "gone";
    std::ostringstream text;
    text << "nice " << getpriority(PRIO_PROCESS, static_cast<id_t>(pid)) << " io "
         << syscall(SYS_ioprio_get, 1, pid) << " policy " << sched_getscheduler(pid) << " group "
         << getpgid(pid) << " session " << getsid(pid) << "\n"
         << contents(directory + "limits");
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    sched_getaffinity(pid, sizeof cpus, &cpus);
    text << "processors " << CPU_COUNT(&cpus);
    return text.str();
}

/// Guests take rights away from directories, which then cannot be removed.
void open_up(const std::string& directory, int depth) {
    chmod(directory.c_str(), 0700);
    std::error_code error;
    if (depth == 0) return;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        if (fs::is_directory(at->symlink_status(error))) open_up(at->path().string(), depth - 1);
}

int bind_to(int fd, const sockaddr* address, std::size_t size) {
    return fd >= 0 && bind(fd, address, static_cast<socklen_t>(size)) == 0 ? fd : -1;
}

/// A process that waits to be left alone.
int start_bystander() {
    const int pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
}

void enter_spaces() {
    if (unshare(CLONE_NEWNS) == 0) mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    static_cast<void>(unshare(CLONE_NEWIPC));
}

void become_ordinary() {
    if (getuid() != 0) return;
    static_cast<void>(!setgroups(0, nullptr));
    static_cast<void>(!setgid(kNobody));
    static_cast<void>(!setuid(kNobody));
    prctl(PR_SET_DUMPABLE, 1);  // its own /proc files belong to it again
}

}  // namespace

bool isolate() {
    if (getuid() != 0) return false;
    enter_spaces();
    bool alone = false;
    if (unshare(CLONE_NEWPID) == 0) {
        const int child = fork();
        if (child > 0) {
            int status = 0;
            while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
            }
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alone = mount("proc", "/proc", "proc", 0, nullptr) == 0;
        // With the wrong /proc nothing works; the parent's name space is gone, too.
        if (!alone) _exit(98);
    }
    become_ordinary();
    return alone;
}

Outside::Outside() {
    char name[] = "/tmp/e2k-fuzz-XXXXXX";
    top_ = mkdtemp(name);
    around_.scratch = top_ + "/scratch";
    around_.outside = top_ + "/outside";
    make_tree();
    around_.processes = {start_bystander(), getpid()};

    around_.shm_ids = {shmget(IPC_PRIVATE, 4096, 0666)};
    if (void* at = shmat(around_.shm_ids[0], nullptr, 0); at != reinterpret_cast<void*>(-1)) {
        std::strcpy(static_cast<char*>(at), kSecret);
        shmdt(at);
    }
    around_.sem_ids = {semget(IPC_PRIVATE, 2, 0666)};
    around_.msg_ids = {msgget(IPC_PRIVATE, 0666)};
    struct {
        long type = 1;
        char text[16] = {};
    } message;
    std::strcpy(message.text, kSecret);
    msgsnd(around_.msg_ids[0], &message, sizeof message.text, IPC_NOWAIT);

    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    std::strcpy(local.sun_path, (around_.outside + "/socket").c_str());
    datagrams_ = bind_to(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                         reinterpret_cast<sockaddr*>(&local), sizeof local);
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_ = bind_to(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                        reinterpret_cast<sockaddr*>(&in), sizeof in);
    socklen_t size = sizeof in;
    if (listener_ >= 0 && listen(listener_, 4) == 0 &&
        getsockname(listener_, reinterpret_cast<sockaddr*>(&in), &size) == 0)
        around_.port = ntohs(in.sin_port);
    before_ = look();
}

Outside::~Outside() {
    kill(around_.processes[0], SIGKILL);
    waitpid(around_.processes[0], nullptr, 0);
    shmctl(around_.shm_ids[0], IPC_RMID, nullptr);
    semctl(around_.sem_ids[0], 0, IPC_RMID);
    msgctl(around_.msg_ids[0], IPC_RMID, nullptr);
    if (datagrams_ >= 0) close(datagrams_);
    if (listener_ >= 0) close(listener_);
    std::error_code ignored;
    fs::remove_all(top_, ignored);
}

void Outside::make_tree() const {
    fs::create_directories(around_.outside + "/dir");
    for (const char* name : {"/file", "/program", "/dir/inner"})
        std::ofstream(around_.outside + name) << kSecret << " " << name;
    chmod((around_.outside + "/program").c_str(), 0755);
    setxattr((around_.outside + "/file").c_str(), "user.a", kSecret, std::strlen(kSecret), 0);
    fs::create_symlink("file", around_.outside + "/link");
    mkfifo((around_.outside + "/fifo").c_str(), 0666);
    renew_scratch(around_);
}

void renew_scratch(const Surroundings& around) {
    const std::string& s = around.scratch;
    std::error_code error;
    chmod(s.substr(0, s.rfind('/')).c_str(), 0700);
    umask(022);  // the guest may have set another
    open_up(s, 64);
    // The directory itself stays: the sandbox knows it, not its name.
    for (fs::directory_iterator at(s, error), end; !error && at != end; at.increment(error))
        fs::remove_all(at->path(), error);
    fs::create_directories(s + "/d", error);
    for (const char* name : {"/a", "/b", "/d/e"}) std::ofstream(s + name) << "text of " << name;
    fs::create_symlink("a", s + "/link", error);
    fs::create_symlink("../outside", s + "/escape", error);
    fs::create_symlink("../../outside/file", s + "/d/out", error);
    mkfifo((s + "/fifo").c_str(), 0600);
}

Outside::Picture Outside::look() const {
    Picture picture;
    picture[around_.outside] = describe_file(around_.outside);
    for (const auto& entry : fs::recursive_directory_iterator(around_.outside))
        picture[entry.path().string()] = describe_file(entry.path().string());
    for (const auto& entry : fs::directory_iterator(top_)) picture[entry.path().string()] += "here";
    for (const int pid : around_.processes)
        picture["process " + std::to_string(pid)] = describe_process(pid);

    std::ostringstream objects;
    shmid_ds shm{};
    shmctl(around_.shm_ids[0], IPC_STAT, &shm);
    if (void* at = shmat(around_.shm_ids[0], nullptr, SHM_RDONLY);
        at != reinterpret_cast<void*>(-1)) {
        objects << static_cast<char*>(at);
        shmdt(at);
    }
    semid_ds sem{};
    semctl(around_.sem_ids[0], 0, IPC_STAT, &sem);
    msqid_ds msg{};
    msgctl(around_.msg_ids[0], IPC_STAT, &msg);
    objects << " shm " << shm.shm_perm.mode << " " << shm.shm_ctime << " sem " << sem.sem_perm.mode
            << " " << sem.sem_ctime << " " << semctl(around_.sem_ids[0], 0, GETVAL) << " msg "
            << msg.msg_perm.mode << " " << msg.msg_ctime << " " << msg.msg_qnum;
    picture["System V objects"] = objects.str();
    picture["queue"] =
        syscall(SYS_mq_open, "e2k_fuzz_queue", O_RDONLY, 0, nullptr) < 0 ? "" : "made";
    return picture;
}

std::vector<std::string> Outside::visitors() const {
    std::vector<std::string> found;
    char byte = 0;
    if (datagrams_ >= 0 && recv(datagrams_, &byte, 1, MSG_DONTWAIT) >= 0)
        found.emplace_back("a datagram has left the sandbox");
    if (listener_ >= 0 && accept(listener_, nullptr, nullptr) >= 0)
        found.emplace_back("a connection has left the sandbox");
    return found;
}

std::vector<std::string> Outside::changes() {
    std::vector<std::string> found = visitors();
    const Picture now = look();
    for (const auto& [name, was] : before_)
        if (const auto at = now.find(name); at == now.end() || at->second != was)
            found.push_back(name + ":\n    was " + was + "\n    now " +
                            (at == now.end() ? "gone" : at->second));
    for (const auto& [name, is] : now)
        if (!before_.contains(name)) found.push_back(name + ": new: " + is);
    before_ = now;
    return found;
}

}  // namespace e2k::guest::fuzz
