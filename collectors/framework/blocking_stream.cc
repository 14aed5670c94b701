#include "collectors/framework/blocking_stream.h"

#include <utility>

namespace sidelight {

BlockingStream::BlockingStream(std::size_t max_waiting)
    : max_waiting_(max_waiting), client_(make_asio_stream_client()) {}

BlockingStream::~BlockingStream() {
  close();
}

Expected<void> BlockingStream::connect(StreamTarget target, const Deadline& deadline) {
  close();
  open_ = false;
  ended_.reset();
  target.connect_timeout = deadline.left();
  id_ = client_->open(target, *this);
  return run_until(open_, deadline, "no connection in time");
}

Expected<void> BlockingStream::write(std::string_view bytes, const Deadline& deadline) {
  if (ended_) return fail(*ended_);
  sent_ = false;
  client_->send(id_, bytes);
  auto done = run_until(sent_, deadline, "it takes nothing from us");
  if (!done) close();  // `bytes` must not be looked at any more
  return done;
}

Expected<std::string> BlockingStream::read(const Deadline& deadline) {
  if (!any_bytes_) {
    if (auto done = run_until(any_bytes_, deadline, "no answer in time"); !done)
      return std::unexpected(done.error());
  }
  any_bytes_ = false;
  return std::exchange(waiting_, {});
}

void BlockingStream::close() {
  if (id_ == 0) return;
  client_->close(std::exchange(id_, 0));
  client_->run_once(std::chrono::milliseconds(0));  // begins the goodbye, where TLS wants one
  waiting_.clear();
  any_bytes_ = false;
  if (!ended_) ended_ = "the connection is closed";
}

Expected<void> BlockingStream::run_until(const bool& done, const Deadline& deadline, const char* late) {
  while (!done) {
    if (ended_) return fail(*ended_);
    if (deadline.passed()) return fail(late);
    client_->run_once(deadline.left());
  }
  return {};
}

void BlockingStream::on_open() {
  open_ = true;
}

void BlockingStream::on_bytes(std::string_view bytes) {
  if (waiting_.size() + bytes.size() > max_waiting_) {
    ended_ = "it sent more than " + std::to_string(max_waiting_) + " bytes";
    client_->close(std::exchange(id_, 0));
    return;
  }
  waiting_ += bytes;
  any_bytes_ = true;
}

void BlockingStream::on_sent(std::size_t /*n*/, bool done) {
  sent_ = done;
}

void BlockingStream::on_closed(const StreamError& error) {
  ended_ = error.message;
  id_ = 0;
}

}  // namespace sidelight
