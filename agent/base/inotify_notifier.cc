#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <system_error>
#include <unordered_map>

#include "agent/base/file_notifier.h"

namespace sidelight {
namespace {

// An eventfd that any thread can raise.
class Wakeup {
 public:
  Wakeup() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup() { ::close(fd_); }
  void raise() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(fd_, &one, sizeof one);  // full means raised already
  }
  void lower() const {
    std::uint64_t v = 0;
    [[maybe_unused]] const auto n = ::read(fd_, &v, sizeof v);
  }
  // True when it is raised, which it stays.
  bool wait(std::chrono::milliseconds max_wait) const {
    pollfd p{fd_, POLLIN, 0};
    return ::poll(&p, 1, static_cast<int>(max_wait.count())) > 0;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

class PollingNotifier final : public FileNotifier {
 public:
  explicit PollingNotifier(std::string why) : why_(std::move(why)) {}
  Expected<void> watch(const std::string& /*dir*/) override { return fail(why_, ENOSYS); }
  void unwatch(const std::string& /*dir*/) override {}
  std::vector<FileChange> wait(std::chrono::milliseconds max_wait, bool& overflowed) override {
    overflowed = false;
    if (wakeup_.wait(max_wait)) wakeup_.lower();
    return {};
  }
  void rest(std::chrono::milliseconds max_wait) override { wakeup_.wait(max_wait); }
  void wake() override { wakeup_.raise(); }

 private:
  std::string why_;
  Wakeup wakeup_;
};

class InotifyNotifier final : public FileNotifier {
 public:
  explicit InotifyNotifier(int fd) : fd_(fd) {}
  InotifyNotifier(const InotifyNotifier&) = delete;
  InotifyNotifier& operator=(const InotifyNotifier&) = delete;
  ~InotifyNotifier() override { ::close(fd_); }

  Expected<void> watch(const std::string& dir) override {
    constexpr std::uint32_t kMask = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                    IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    const int wd = ::inotify_add_watch(fd_, dir.c_str(), kMask);
    if (wd < 0) return fail("watch " + dir + ": " + std::system_category().message(errno), errno);
    // A path whose symlink was swapped leads to another directory now.
    if (const auto it = by_dir_.find(dir); it != by_dir_.end() && it->second != wd) unwatch(dir);
    // The same directory under two names has one descriptor: tell the changes under each.
    auto& names = dirs_[wd];
    for (const auto& n : names)
      if (n == dir) return {};
    names.push_back(dir);
    by_dir_[dir] = wd;
    return {};
  }

  void unwatch(const std::string& dir) override {
    const auto it = by_dir_.find(dir);
    if (it == by_dir_.end()) return;
    const int wd = it->second;
    by_dir_.erase(it);
    auto& names = dirs_[wd];
    std::erase(names, dir);
    if (names.empty()) {
      dirs_.erase(wd);
      ::inotify_rm_watch(fd_, wd);
    }
  }

  std::vector<FileChange> wait(std::chrono::milliseconds max_wait, bool& overflowed) override {
    overflowed = false;
    std::array<pollfd, 2> p{pollfd{fd_, POLLIN, 0}, pollfd{wakeup_.fd(), POLLIN, 0}};
    std::vector<FileChange> out;
    if (::poll(p.data(), p.size(), static_cast<int>(max_wait.count())) <= 0) return out;
    if ((p[1].revents & POLLIN) != 0) wakeup_.lower();
    if ((p[0].revents & POLLIN) == 0) return out;
    alignas(inotify_event) std::array<char, 32 * 1024> buffer;
    // A bounded number of reads, so that a storm of writes cannot keep us here.
    for (int round = 0; round < 8; ++round) {
      const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
      if (n <= 0) break;
      collect({buffer.data(), static_cast<std::size_t>(n)}, out, overflowed);
    }
    return out;
  }

  void rest(std::chrono::milliseconds max_wait) override { wakeup_.wait(max_wait); }
  void wake() override { wakeup_.raise(); }

 private:
  void collect(std::string_view bytes, std::vector<FileChange>& out, bool& overflowed) {
    while (bytes.size() >= sizeof(inotify_event)) {
      const auto* e = reinterpret_cast<const inotify_event*>(bytes.data());
      bytes.remove_prefix(sizeof(inotify_event) + e->len);
      if ((e->mask & IN_Q_OVERFLOW) != 0) {
        overflowed = true;
        continue;
      }
      const auto it = dirs_.find(e->wd);
      if (it == dirs_.end()) continue;
      if ((e->mask & IN_IGNORED) != 0) {
        for (const auto& d : it->second) by_dir_.erase(d);
        dirs_.erase(it);
        overflowed = true;  // a watched directory went away: look at everything again
        continue;
      }
      const bool listing =
          (e->mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)) !=
          0;
      const auto kind = listing ? FileChange::Kind::listing : FileChange::Kind::content;
      const std::string name = e->len > 0 ? std::string(e->name) : std::string();
      for (const auto& d : it->second) {
        if (!out.empty() && out.back().kind == kind && out.back().name == name && out.back().dir == d)
          continue;
        out.push_back({d, name, kind});
      }
    }
  }

  int fd_;
  Wakeup wakeup_;
  std::unordered_map<int, std::vector<std::string>> dirs_;
  std::unordered_map<std::string, int> by_dir_;
};

}  // namespace

std::unique_ptr<FileNotifier> make_inotify_notifier(std::string& why) {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd >= 0) return std::make_unique<InotifyNotifier>(fd);
  why = "inotify is not available (" + std::system_category().message(errno) +
        "); files are polled. On EMFILE raise fs.inotify.max_user_instances.";
  return std::make_unique<PollingNotifier>(why);
}

}  // namespace sidelight
