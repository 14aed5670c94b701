// While it lives, file modes hold for this thread even when it is root's: without the capabilities that pass
// them over (capabilities(7)), a file of mode 0 is unreadable to its owner.
#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace sidelight::test {

class BoundByFileModes {
 public:
  BoundByFileModes() {
    if (::syscall(SYS_capget, &header_, before_.data()) != 0) std::abort();
    auto without = before_;
    without[0].effective &= ~((1u << CAP_DAC_OVERRIDE) | (1u << CAP_DAC_READ_SEARCH));
    set(without);
  }
  ~BoundByFileModes() { set(before_); }
  BoundByFileModes(const BoundByFileModes&) = delete;
  BoundByFileModes& operator=(const BoundByFileModes&) = delete;

 private:
  using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;
  void set(Sets& sets) {
    if (::syscall(SYS_capset, &header_, sets.data()) != 0) std::abort();
  }

  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  Sets before_{};
};

}  // namespace sidelight::test
