#include "agent/send/file/stdout_sink.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace sidelight {
Expected<void> StdoutSink::write(std::string_view lines) {
  while (done_ < lines.size()) {
    const ssize_t n = ::write(descriptor_, lines.data() + done_, lines.size() - done_);
    if (n > 0) {
      done_ += static_cast<std::size_t>(n);
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      pollfd p{descriptor_, POLLOUT, 0};
      if (::poll(&p, 1, patience_ms_) == 0) return fail("standard output takes nothing", EAGAIN);
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
