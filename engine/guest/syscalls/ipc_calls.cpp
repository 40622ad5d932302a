// System V shared memory, semaphores and message queues.
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/guest/syscalls/call.h"
#include "engine/guest/syscalls/rules.h"

namespace e2k::guest {
namespace {

template <class T>
std::uint64_t raw(T* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer);
}

/// Objects are shared with every process of the host: the sandbox notes which ones the guest made.
std::int64_t note_made(const Call& call, Sandbox::Object kind, std::int64_t id) {
    Sandbox* sandbox = call.process.sandbox();
    if (id < 0 || !sandbox || sandbox->add_object(kind, static_cast<int>(id))) return id;
    const auto number = static_cast<std::uint64_t>(id);
    if (kind == Sandbox::Object::SharedMemory) Call::host(SYS_shmctl, number, IPC_RMID, 0);
    if (kind == Sandbox::Object::Semaphores) Call::host(SYS_semctl, number, 0, IPC_RMID, 0);
    if (kind == Sandbox::Object::Messages) Call::host(SYS_msgctl, number, IPC_RMID, 0);
    return -ENOSPC;
}
void note_removed(const Call& call, Sandbox::Object kind, int command) {
    if (command == IPC_RMID && call.process.sandbox())
        call.process.sandbox()->remove_object(kind, call.integer(0));
}

// --- shared memory ---

std::int64_t sys_shmget(Call& call) {
    return note_made(call, Sandbox::Object::SharedMemory,
                     Call::host(SYS_shmget, call.arg[0], call.arg[1], call.arg[2]));
}
std::int64_t sys_shmat(Call& call) {
    const auto at = call.memory().attach_shm(call.integer(0), call.arg[1], call.integer(2));
    return at ? static_cast<std::int64_t>(*at) : -at.error();
}
std::int64_t sys_shmdt(Call& call) {
    const auto done = call.memory().detach_shm(call.arg[0]);
    return done ? 0 : -done.error();
}
std::int64_t sys_shmctl(Call& call) {
    shmid_ds ds{};
    const int command = call.integer(1) & 0xff;
    if (command == IPC_SET && !call.get(call.arg[2], ds)) return -EFAULT;
    if (command != IPC_SET && command != IPC_STAT && command != IPC_RMID) return -EINVAL;
    const int result = shmctl(call.integer(0), command, &ds);
    if (result < 0) return -errno;
    note_removed(call, Sandbox::Object::SharedMemory, command);
    return command == IPC_STAT && !call.put(call.arg[2], ds) ? -EFAULT : result;
}

// --- semaphores ---

std::int64_t sys_semget(Call& call) {
    return note_made(call, Sandbox::Object::Semaphores,
                     Call::host(SYS_semget, call.arg[0], call.arg[1], call.arg[2]));
}

std::int64_t semaphore_operation(Call& call, std::uint64_t timeout) {
    constexpr std::uint64_t kMaxOperations = 500;
    const std::uint64_t count = static_cast<std::uint32_t>(call.arg[2]);
    if (count > kMaxOperations) return -E2BIG;
    std::vector<sembuf> operations(count);
    if (!call.memory().read(call.arg[1], operations.data(), count * sizeof(sembuf))) return -EFAULT;
    if (timeout == 0) return call.waiting(SYS_semop, call.arg[0], raw(operations.data()), count);
    timespec time{};
    if (!call.get(timeout, time)) return -EFAULT;
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec > 999'999'999) return -EINVAL;
    return call.wait_for(call.remaining(time), -EAGAIN, [&](timespec left) {
        return call.waiting(SYS_semtimedop, call.arg[0], raw(operations.data()), count, raw(&left));
    });
}
std::int64_t sys_semop(Call& call) { return semaphore_operation(call, 0); }
std::int64_t sys_semtimedop(Call& call) { return semaphore_operation(call, call.arg[3]); }

std::int64_t semaphore_values(Call& call, int id, int command, std::uint64_t at) {
    semid_ds ds{};
    if (Call::host(SYS_semctl, static_cast<std::uint64_t>(id), 0, IPC_STAT, raw(&ds)) < 0)
        return -errno;
    std::vector<std::uint16_t> values(ds.sem_nsems);
    const std::size_t bytes = values.size() * sizeof values[0];
    if (command == SETALL && !call.memory().read(at, values.data(), bytes)) return -EFAULT;
    const std::int64_t result = Call::host(SYS_semctl, static_cast<std::uint64_t>(id), 0,
                                           static_cast<std::uint64_t>(command), raw(values.data()));
    if (result >= 0 && command == GETALL && !call.memory().write(at, values.data(), bytes))
        return -EFAULT;
    return result;
}

std::int64_t semaphore_control(Call& call, int id, int number, int command,
                               std::uint64_t argument) {
    command &= 0xff;
    semid_ds ds{};
    switch (command) {
        case GETALL:
        case SETALL:
            return semaphore_values(call, id, command, argument);
        case IPC_STAT: {
            const std::int64_t result =
                Call::host(SYS_semctl, static_cast<std::uint64_t>(id), 0, IPC_STAT, raw(&ds));
            return result < 0 ? result : call.put_result(argument, semid_to_guest(ds));
        }
        case IPC_SET: {
            SemidE2k guest;
            if (!call.get(argument, guest)) return -EFAULT;
            std::memcpy(&ds.sem_perm, guest.perm.data(), guest.perm.size());
            argument = raw(&ds);
            break;
        }
        case IPC_RMID:
        case GETVAL:
        case SETVAL:
        case GETPID:
        case GETNCNT:
        case GETZCNT:
            break;
        default:
            return -EINVAL;
    }
    const std::int64_t result =
        Call::host(SYS_semctl, static_cast<std::uint64_t>(id), static_cast<std::uint64_t>(number),
                   static_cast<std::uint64_t>(command), argument);
    if (result >= 0) note_removed(call, Sandbox::Object::Semaphores, command);
    return result;
}
std::int64_t sys_semctl(Call& call) {
    return semaphore_control(call, call.integer(0), call.integer(1), call.integer(2), call.arg[3]);
}

// --- messages: {long type, bytes} ---

constexpr std::uint64_t kMaxMessage = 1 << 20;

std::int64_t sys_msgget(Call& call) {
    return note_made(call, Sandbox::Object::Messages,
                     Call::host(SYS_msgget, call.arg[0], call.arg[1]));
}
std::int64_t sys_msgsnd(Call& call) {
    if (call.arg[2] > kMaxMessage) return -EINVAL;
    std::vector<std::uint8_t> message(8 + call.arg[2]);
    if (!call.memory().read(call.arg[1], message.data(), message.size())) return -EFAULT;
    return call.waiting(SYS_msgsnd, call.arg[0], raw(message.data()), call.arg[2], call.arg[3]);
}
std::int64_t sys_msgrcv(Call& call) {
    if (static_cast<std::int64_t>(call.arg[2]) < 0) return -EINVAL;
    const std::uint64_t size = std::min(call.arg[2], kMaxMessage);
    std::vector<std::uint8_t> message(8 + size);
    const std::int64_t n =
        call.waiting(SYS_msgrcv, call.arg[0], raw(message.data()), size, call.arg[3], call.arg[4]);
    if (n < 0) return n;
    return call.memory().write(call.arg[1], message.data(), 8 + static_cast<std::size_t>(n))
               ? n
               : -EFAULT;
}
std::int64_t sys_msgctl(Call& call) {
    msqid_ds ds{};
    const int command = call.integer(1) & 0xff;
    if (command == IPC_SET && !call.get(call.arg[2], ds)) return -EFAULT;
    if (command != IPC_SET && command != IPC_STAT && command != IPC_RMID) return -EINVAL;
    const int result = msgctl(call.integer(0), command, &ds);
    if (result < 0) return -errno;
    note_removed(call, Sandbox::Object::Messages, command);
    return command == IPC_STAT && !call.put(call.arg[2], ds) ? -EFAULT : result;
}

constexpr std::uint32_t kMsgget = 270, kMsgctl = 271, kMsgrcv = 272, kMsgsnd = 273, kSemget = 274,
                        kSemctl = 275, kSemtimedop = 276, kSemop = 277, kShmget = 278,
                        kShmctl = 279, kShmat = 280, kShmdt = 281;

/// ipc (117): (call, first, second, third, ptr, fifth), the older C library's single entry.
std::int64_t sys_ipc(Call& call) {
    const auto [which, first, second, third, pointer, fifth] = call.arg;
    Call inner = call;
    auto run = [&](std::uint32_t number, std::array<std::uint64_t, 6> arguments) {
        inner.number = number;
        inner.arg = arguments;
        return perform(*find_syscall(number), inner);
    };
    switch (which & 0xffff) {
        case 1:
            return run(kSemop, {first, pointer, second});
        case 2:
            return run(kSemget, {first, second, third});
        case 3: {
            std::uint64_t argument = 0;  // the union is behind the pointer
            if (!call.get(pointer, argument)) return -EFAULT;
            return run(kSemctl, {first, second, third, argument});
        }
        case 4:
            return run(kSemtimedop, {first, pointer, second, fifth});
        case 11:
            return run(kMsgsnd, {first, pointer, second, third});
        case 12:
            return run(kMsgrcv, {first, pointer, second, fifth, third});
        case 13:
            return run(kMsgget, {first, second});
        case 14:
            return run(kMsgctl, {first, second, pointer});
        case 21: {
            const std::int64_t at = run(kShmat, {first, pointer, second});
            return at < 0 ? at : call.put_result(third, at);
        }
        case 22:
            return run(kShmdt, {pointer});
        case 23:
            return run(kShmget, {first, second, third});
        case 24:
            return run(kShmctl, {first, second, pointer});
        default:
            return -ENOSYS;
    }
}

using enum Arg;
constexpr std::array kRows{
    SyscallRow{117, "ipc", {UInt, Int, Hex, Hex, Ptr, Hex}, sys_ipc},
    SyscallRow{270, "msgget", {Hex, Hex}, sys_msgget},
    SyscallRow{271, "msgctl", {Int, Int, Ptr}, sys_msgctl},
    SyscallRow{272, "msgrcv", {Int, Ptr, Size, Long, Hex}, sys_msgrcv},
    SyscallRow{273, "msgsnd", {Int, Ptr, Size, Hex}, sys_msgsnd},
    SyscallRow{274, "semget", {Hex, Int, Hex}, sys_semget},
    SyscallRow{275, "semctl", {Int, Int, Int, Hex}, sys_semctl},
    SyscallRow{276, "semtimedop", {Int, Ptr, UInt, TimespecIn}, sys_semtimedop},
    SyscallRow{277, "semop", {Int, Ptr, UInt}, sys_semop},
    SyscallRow{278, "shmget", {Hex, Size, Hex}, sys_shmget},
    SyscallRow{279, "shmctl", {Int, Int, Ptr}, sys_shmctl},
    SyscallRow{280, "shmat", {Int, Ptr, Hex}, sys_shmat},
    SyscallRow{281, "shmdt", {Ptr}, sys_shmdt},
};

}  // namespace

std::span<const SyscallRow> ipc_rows() { return kRows; }

}  // namespace e2k::guest
