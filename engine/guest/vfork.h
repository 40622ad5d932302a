// vfork: the child works in the memory of its parent, which waits until the child ends or executes
// another program.
//
// The child is a fork of the workbench, so its memory is a copy. What the child has written there
// is carried back when it lets its parent go: the parent's thread has waited all the while, so for
// the program that is the same as one memory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "engine/guest/address_space.h"

namespace e2k::guest {

/// Pages on their way from the child to the parent: memory that both have mapped.
class VforkPages {
public:
    /// Before the fork. Null: the host has no room for it.
    static std::shared_ptr<VforkPages> create();
    ~VforkPages();
    VforkPages(const VforkPages&) = delete;
    VforkPages& operator=(const VforkPages&) = delete;

    /// In the child: collects the pages it has written.
    void collect(const AddressSpace& memory);
    /// Adds the pages as they are in `memory`, which nobody has written since the fork.
    void add_base(const AddressSpace& memory);
    /// In the parent: makes its memory equal to the child's. Without a base the parent's own bytes
    /// are what the child began with.
    void apply(AddressSpace& memory) const;

private:
    struct Record;
    struct Header;
    VforkPages() = default;
    Record* records() const;
    bool add(const AddressSpace& memory, std::uint64_t address);

    Header* header_ = nullptr;
    std::size_t bytes_ = 0;
};

/// The waiting side.
struct VforkWait {
    VforkWait(pid_t process, int end, std::shared_ptr<VforkPages> shared)
        : child(process), gate(end), pages(std::move(shared)) {}
    VforkWait(const VforkWait&) = delete;
    VforkWait& operator=(const VforkWait&) = delete;
    ~VforkWait();
    pid_t child;
    int gate;  ///< reads end of file when the child lets go, however it ends
    std::shared_ptr<VforkPages> pages;  ///< null: the child has memory of its own
};

/// The side that runs. Made in the child.
class VforkChild {
public:
    VforkChild(int gate, std::shared_ptr<VforkPages> pages) : gate_(gate), pages_(pages) {}
    ~VforkChild();  ///< lets the parent go
    VforkChild(const VforkChild&) = delete;
    VforkChild& operator=(const VforkChild&) = delete;

    /// Where the parent has threads that go on meanwhile: a helper process keeps the memory as it
    /// is now, so that only bytes which the child changes are carried back.
    void keep_base(const AddressSpace& memory);
    /// Everything written until now is for the parent.
    void hand_over(const AddressSpace& memory);

private:
    void end_keeper();

    int gate_;
    std::shared_ptr<VforkPages> pages_;
    pid_t keeper_ = 0;
    int to_keeper_ = -1, from_keeper_ = -1;
};

}  // namespace e2k::guest
