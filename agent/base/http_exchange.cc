#include "agent/base/http_exchange.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <optional>
#include <system_error>

namespace sidelight {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::uint32_t kMostHeaderBytes = 64u << 10;
constexpr std::size_t kMostFields = 200;
constexpr int kFirstFinalStatus = 200;

std::string system_message(const char* what, int error) {
  return std::string(what) + ": " + std::generic_category().message(error);
}

}  // namespace

struct HttpExchange::Answer {
  std::optional<Parser> parser;
  std::string unread;  // what the parser wants to see again, with more behind it
  std::array<char, kReadBytes> buffer;

  void begin(std::size_t most) {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(kMostHeaderBytes);
    parser->body_limit(most);
  }
  // Beast 1.74 reads on past its own limit where the length is announced.
  bool is_longer_than(std::size_t most) const {
    if (!parser->is_header_done()) return false;
    const auto announced = parser->content_length();
    return parser->get().body().size() > most || (announced && *announced > most);
  }
};

HttpExchange::HttpExchange(const HttpRequest& request, std::string_view host, std::string_view target,
                           int socket)
    : request_(request), socket_(socket) {
  head_.append(request.method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host);
  head_.append("\r\nAccept: */*\r\n");
  for (const auto& [name, value] : request.headers)
    head_.append(name).append(": ").append(value).append("\r\n");
  head_.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n\r\n");
}

HttpExchange::~HttpExchange() = default;

short HttpExchange::events() const {
  const bool sending = !send_broken_ && sent_ < head_.size() + request_.body.size();
  return static_cast<short>(POLLIN | (sending ? POLLOUT : 0));
}

HttpExchange::State HttpExchange::advance() {
  if (!send_broken_ && sent_ < head_.size() + request_.body.size()) {
    if (const State s = send_some(); s != State::running) return s;
  }
  return receive_some();
}

HttpExchange::State HttpExchange::send_some() {
  for (;;) {
    std::array<iovec, 2> parts{};
    std::size_t count = 0;
    if (sent_ < head_.size()) parts.at(count++) = {head_.data() + sent_, head_.size() - sent_};
    const std::size_t of_body = sent_ < head_.size() ? 0 : sent_ - head_.size();
    const std::string_view body = request_.body.substr(of_body);
    // sendmsg() does not write to it.
    if (!body.empty()) parts.at(count++) = {const_cast<char*>(body.data()), body.size()};
    if (count == 0) return State::running;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t n = ::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      sent_ += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return State::running;
    } else if (errno != EINTR) {
      // Refused in mid-body: the answer that says why may be here already.
      failure_ = {TransportError::Kind::reset, true, system_message("Send failure", errno)};
      send_broken_ = true;
      return State::running;
    }
  }
}

HttpExchange::State HttpExchange::receive_some() {
  if (!answer_) {
    answer_ = std::make_unique<Answer>();
    answer_->begin(request_.max_response_bytes);
  }
  for (;;) {
    const ssize_t n = ::recv(socket_, answer_->buffer.data(), answer_->buffer.size(), MSG_DONTWAIT);
    if (n > 0) {
      heard_ = true;
      const State s = take_in({answer_->buffer.data(), static_cast<std::size_t>(n)});
      if (s != State::running) return s;
    } else if (n == 0) {
      return close_of_peer();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (send_broken_) return State::failed;
      return State::running;
    } else if (errno != EINTR) {
      if (send_broken_) return State::failed;
      return fail(TransportError::Kind::reset, system_message("Recv failure", errno));
    }
  }
}

HttpExchange::State HttpExchange::take_in(std::string_view bytes) {
  Answer& a = *answer_;
  if (!a.unread.empty()) {
    a.unread.append(bytes);
    bytes = a.unread;
  }
  std::size_t used = 0;
  while (used < bytes.size()) {
    boost::system::error_code error;
    const auto left = bytes.substr(used);
    used += a.parser->put(boost::asio::const_buffer(left.data(), left.size()), error);
    if (error == http::error::need_more) break;
    if (error == http::error::body_limit || a.is_longer_than(request_.max_response_bytes))
      return fail(TransportError::Kind::too_large,
                  "the answer is larger than " + std::to_string(request_.max_response_bytes) + " bytes");
    if (error) return fail(TransportError::Kind::reset, "not an HTTP answer: " + error.message());
    if (!a.parser->is_done()) continue;
    if (a.parser->get().result_int() >= kFirstFinalStatus) {
      reusable_ = used == bytes.size() && a.parser->keep_alive() && !send_broken_ &&
                  sent_ == head_.size() + request_.body.size();
      return finish();
    }
    a.begin(request_.max_response_bytes);  // "100 Continue" and its like: the answer is still to come
  }
  std::string rest(bytes.substr(used));
  a.unread = std::move(rest);
  return State::running;
}

HttpExchange::State HttpExchange::close_of_peer() {
  Answer& a = *answer_;
  boost::system::error_code error;
  if (a.parser->got_some()) {
    a.parser->put_eof(error);
    if (!error && a.parser->is_done()) return finish();
    return fail(TransportError::Kind::reset, "the connection was closed in mid-answer");
  }
  if (send_broken_) return State::failed;
  return fail(TransportError::Kind::reset, "Empty reply from server");
}

HttpExchange::State HttpExchange::finish() {
  auto message = answer_->parser->release();
  response_.status = static_cast<long>(message.result_int());
  for (const auto& field : message) {
    if (response_.headers.size() == kMostFields) break;
    const auto name = field.name_string();
    const auto value = field.value();
    response_.headers.emplace_back(lower_case({name.data(), name.size()}),
                                   std::string(value.data(), value.size()));
  }
  response_.body = std::move(message.body());
  response_.body.reserve(response_.body.size() + kAnswerPadding);
  return State::answered;
}

HttpExchange::State HttpExchange::fail(TransportError::Kind kind, std::string message) {
  failure_ = {kind, true, std::move(message)};
  return State::failed;
}

HttpTarget parse_http_target(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return {};
  url.remove_prefix(kScheme.size());
  const std::size_t end = std::min(url.find_first_of("/?"), url.size());
  const std::string_view host = url.substr(0, end);
  if (host.empty() || host.find('@') != std::string_view::npos || url.find('#') != std::string_view::npos)
    return {};
  std::string resource(url.substr(end));
  if (!resource.starts_with('/')) resource.insert(0, "/");
  return {true, std::string(host), std::move(resource)};
}

}  // namespace sidelight
