// The door to file change notifications (inotify), with "nothing is known, look yourself" as a normal answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/error.h"

namespace sidelight {

// Something happened to `name` in watched directory `dir` (as given to watch()).
struct FileChange {
  enum class Kind { content, listing };  // content: written or attributes; listing: created, renamed, deleted
  std::string dir;
  std::string name;
  Kind kind = Kind::content;
};

// One thread, except wake().
class FileNotifier {
 public:
  virtual ~FileNotifier() = default;
  // Watching a directory twice is fine. An error (limit reached, no inotify) means: poll that directory.
  virtual Expected<void> watch(const std::string& dir) = 0;
  virtual void unwatch(const std::string& dir) = 0;
  // Waits up to max_wait, then gives what happened. `overflowed` is set when notifications were lost: rescan
  // everything.
  virtual std::vector<FileChange> wait(std::chrono::milliseconds max_wait, bool& overflowed) = 0;
  // Waits up to max_wait for wake() alone and lets notifications gather: under steady writing that is cheaper
  // than to look at each. A wake() that ends a rest is still there for the next wait(): who rests and then
  // waits would else sleep through it.
  virtual void rest(std::chrono::milliseconds max_wait) = 0;
  // Makes wait() or rest() return early. From any thread.
  virtual void wake() = 0;
};

// Falls back to a notifier that knows nothing (all polling) when inotify cannot be had; `why` then says so.
std::unique_ptr<FileNotifier> make_inotify_notifier(std::string& why);

}  // namespace sidelight
