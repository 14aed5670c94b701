#include "agent/send/file/stdout_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

namespace sidelight {
namespace {

// A pipe that is ready takes this much without blocking, whatever its mode (pipe(7)). The mode is shared with
// whoever gave us the pipe, and so is theirs to choose.
std::size_t most_at_once(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return flags != -1 && (flags & O_NONBLOCK) == 0 ? PIPE_BUF : SSIZE_MAX;
}

}  // namespace

Expected<void> StdoutSink::write(std::string_view lines) {
  const std::size_t most = most_at_once(descriptor_);
  while (done_ < lines.size()) {
    pollfd p{descriptor_, POLLOUT, 0};
    if (::poll(&p, 1, patience_ms_) == 0) return fail("standard output takes nothing", EAGAIN);
    const ssize_t n = ::write(descriptor_, lines.data() + done_, std::min(lines.size() - done_, most));
    if (n > 0) {
      done_ += static_cast<std::size_t>(n);
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      continue;
    } else if (n < 0 && errno != EINTR) {
      const int code = errno;
      return fail(std::string("cannot write to standard output: ") + std::system_category().message(code),
                  code);
    }
  }
  done_ = 0;
  return {};
}

}  // namespace sidelight
