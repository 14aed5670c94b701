// Boost.Asio behind StreamClient. Checked against Boost 1.74 and OpenSSL 3.0.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <utility>

#include "agent/base/name_lookups.h"
#include "agent/base/stream_client.h"
#include "agent/base/tls_context.h"

namespace sidelight {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using SystemError = boost::system::error_code;
using Kind = StreamError::Kind;

constexpr std::size_t kReadBuffer = 4096;
// How much one write hands over: small enough that a slow reader's progress shows, large enough to cost
// nothing. With TLS one record.
constexpr std::size_t kWriteAtOnce = 64u << 10;
constexpr std::size_t kTlsRecord = 16u << 10;
constexpr std::chrono::milliseconds kGoodbye{500};

// One connection. Kept alive by its pending operations and, while it is somebody's, by the client's map.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(asio::io_context& loop, NameLookups& names, StreamTarget target, StreamEvents& events)
      : loop_(loop),
        names_(names),
        target_(std::move(target)),
        events_(&events),
        socket_(loop),
        patience_(loop) {}

  void open() {
    patience_.expires_after(target_.connect_timeout);
    patience_.async_wait([self = shared_from_this()](const SystemError& e) {
      if (!e) self->on_patience_ended();
    });
    if (target_.tls) {
      auto context = make_tls_context(*target_.tls);
      if (!context) return fail_later({Kind::tls, context.error().message});
      context_ = std::move(*context);
    }
    names_.start(target_.host, target_.port,
                 [self = shared_from_this()](const auto& found) { self->on_resolved(found); });
  }

  void send(std::string_view bytes) {
    to_send_ = bytes;
    write_some();
  }

  std::size_t unacknowledged() {
    int bytes = 0;
    if (!open_ || ::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes) != 0) return 0;
    return static_cast<std::size_t>(bytes);
  }

  void close() {
    events_ = nullptr;
    to_send_ = {};
    if (!tls_ || !open_) return shut();
    open_ = false;
    patience_.expires_after(kGoodbye);
    patience_.async_wait([self = shared_from_this()](const SystemError& e) {
      if (!e) self->shut();
    });
    SystemError ignored;
    socket_.cancel(ignored);  // the pending read; then TLS is free for its goodbye
    asio::post(loop_, [self = shared_from_this()] {
      if (!self->socket_.is_open()) return;
      self->tls_->async_shutdown([self](const SystemError&) { self->shut(); });
    });
  }

  bool ended() const { return events_ == nullptr; }

  // Ends it without a word.
  void shut() {
    events_ = nullptr;
    open_ = false;
    SystemError ignored;
    patience_.cancel();
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

 private:
  void on_resolved(const Expected<NameLookups::Endpoints>& found) {
    if (events_ == nullptr) return;
    if (!found) {
      return failed(
          {Kind::resolve, "the name " + target_.host + " cannot be resolved: " + found.error().message});
    }
    asio::async_connect(
        socket_, *found,
        [self = shared_from_this()](const SystemError& e, const tcp::endpoint&) { self->on_connected(e); });
  }

  void on_connected(const SystemError& error) {
    if (events_ == nullptr) return;
    if (error) return failed({Kind::connect, "cannot connect: " + error.message()});
    SystemError ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    if (!context_) return opened();
    tls_.emplace(socket_, *context_);
    if (auto named = expect_server_name(tls_->native_handle(), target_.host, *target_.tls); !named)
      return failed({Kind::tls, named.error().message});
    tls_->async_handshake(asio::ssl::stream_base::client,
                          [self = shared_from_this()](const SystemError& e) { self->on_handshake(e); });
  }

  void on_handshake(const SystemError& error) {
    if (events_ == nullptr) return;
    if (!error) return opened();
    const bool cut = error == asio::error::eof || error == asio::error::connection_reset ||
                     error == asio::ssl::error::stream_truncated;
    if (cut)
      return failed(
          {Kind::tls, "the server closed the connection in the TLS handshake [" + error.message() + "]"});
    failed({Kind::tls, explain_tls_error(tls_->native_handle(), error, target_.host, *target_.tls)});
  }

  void opened() {
    patience_.cancel();
    open_ = true;
    read_some();
    events_->on_open();
  }

  void read_some() {
    auto done = [self = shared_from_this()](const SystemError& e, std::size_t n) { self->on_read(e, n); };
    if (tls_) {
      tls_->async_read_some(asio::buffer(input_), std::move(done));
    } else {
      socket_.async_read_some(asio::buffer(input_), std::move(done));
    }
  }

  void on_read(const SystemError& error, std::size_t n) {
    if (events_ == nullptr) return;
    if (error) return failed(explain_end(error));
    anything_read_ = true;
    events_->on_bytes({input_.data(), n});
    if (events_ != nullptr) read_some();
  }

  void write_some() {
    auto done = [self = shared_from_this()](const SystemError& e, std::size_t n) { self->on_written(e, n); };
    if (tls_) {
      // Copied, since the TLS layer may look at it again after a close() that let the caller's bytes go.
      record_.assign(to_send_.substr(0, kTlsRecord));
      tls_->async_write_some(asio::buffer(record_), std::move(done));
    } else {
      socket_.async_write_some(asio::buffer(to_send_.data(), std::min(to_send_.size(), kWriteAtOnce)),
                               std::move(done));
    }
  }

  void on_written(const SystemError& error, std::size_t n) {
    if (events_ == nullptr) return;
    if (error) return on_write_failed(error);
    to_send_.remove_prefix(n);
    const bool done = to_send_.empty();
    events_->on_sent(n, done);
    if (events_ != nullptr && !done) write_some();
  }

  // A server that refuses us mostly says why before it cuts; the pending read has it then, or fails as well.
  void on_write_failed(const SystemError& error) {
    write_error_ = error;
    patience_.expires_after(kGoodbye);
    patience_.async_wait([self = shared_from_this()](const SystemError& e) {
      if (!e) self->failed(self->explain_end(self->write_error_));
    });
  }

  StreamError explain_end(const SystemError& error) const {
    if (tls_ && is_client_certificate_refused(error))
      return {Kind::tls, explain_tls_error(nullptr, error, target_.host, *target_.tls)};
    std::string message = error == asio::error::eof || error == asio::ssl::error::stream_truncated
                              ? "the server closed the connection"
                              : "the connection was cut: " + error.message();
    if (tls_ && !anything_read_)
      message +=
          "; it did so right after the TLS handshake: it is not well, or it refused our client certificate "
          "(or wants one)";
    return {Kind::closed, std::move(message)};
  }

  void on_patience_ended() {
    if (events_ == nullptr || open_) return;
    failed(
        {Kind::timeout, "no connection within " + std::to_string(target_.connect_timeout.count()) + " ms"});
  }

  void fail_later(StreamError error) {
    asio::post(loop_, [self = shared_from_this(), e = std::move(error)] { self->failed(e); });
  }

  void failed(const StreamError& error) {
    StreamEvents* const events = events_;
    shut();
    if (events != nullptr) events->on_closed(error);
  }

  asio::io_context& loop_;
  NameLookups& names_;
  const StreamTarget target_;
  StreamEvents* events_;  // null once nobody is to be told any more
  std::unique_ptr<asio::ssl::context> context_;
  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  asio::steady_timer patience_;
  std::array<char, kReadBuffer> input_{};
  std::string_view to_send_;
  std::string record_;
  SystemError write_error_;
  bool open_ = false;
  bool anything_read_ = false;
};

class AsioStreamClient final : public StreamClient {
 public:
  ~AsioStreamClient() override {
    for (auto& [id, stream] : streams_) stream->close();
    streams_.clear();
    loop_.restart();
    work_.reset();
    loop_.run_for(kGoodbye / 5);  // the goodbyes, as far as they get without anybody waiting for them
  }

  Id open(const StreamTarget& target, StreamEvents& events) override {
    const Id id = ++last_;
    const auto stream = std::make_shared<Stream>(loop_, names_, target, events);
    streams_.emplace(id, stream);
    stream->open();
    return id;
  }
  void send(Id id, std::string_view bytes) override {
    if (const auto it = streams_.find(id); it != streams_.end()) it->second->send(bytes);
  }
  std::size_t unacknowledged(Id id) override {
    const auto it = streams_.find(id);
    return it == streams_.end() ? 0 : it->second->unacknowledged();
  }
  void close(Id id) override {
    const auto it = streams_.find(id);
    if (it == streams_.end()) return;
    it->second->close();
    streams_.erase(it);
  }
  void run_once(std::chrono::milliseconds max_wait) override {
    loop_.restart();
    if (loop_.run_one_for(max_wait) > 0) loop_.poll();
    std::erase_if(streams_, [](const auto& entry) { return entry.second->ended(); });
  }
  void wake() override {
    asio::post(loop_, [] {});
  }

 private:
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(loop_);
  NameLookups names_{loop_};
  std::map<Id, std::shared_ptr<Stream>> streams_;
  Id last_ = 0;
};

}  // namespace

std::unique_ptr<StreamClient> make_asio_stream_client() {
  return std::make_unique<AsioStreamClient>();
}

}  // namespace sidelight
