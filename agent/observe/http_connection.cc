#include "agent/observe/http_connection.h"

#include <boost/asio/buffer.hpp>
#include <exception>
#include <utility>

namespace sidelight {
namespace {

namespace http = boost::beast::http;

HttpReply plain(int status, std::string body) {
  HttpReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

const HttpHandler* find_handler(const HttpRoutes& routes, std::string_view path) {
  if (const auto it = routes.find(path); it != routes.end()) return &it->second;
  for (std::size_t slash = path.rfind('/'); slash != std::string_view::npos && slash > 0;
       slash = path.rfind('/', slash - 1))
    if (const auto it = routes.find(path.substr(0, slash + 1)); it != routes.end()) return &it->second;
  return nullptr;
}

std::string_view view(boost::beast::string_view s) {
  return {s.data(), s.size()};
}

// The answer to bytes that are no acceptable request; nothing when the client is gone.
std::optional<HttpReply> reply_to_bad_request(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return plain(431, "the request's headers are too large\n");
  if (error == http::error::body_limit) return plain(413, "the request's body is too large\n");
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() == http::make_error_code(http::error::bad_method).category())
    return plain(400, "this is not an HTTP request\n");
  return std::nullopt;
}

}  // namespace

HttpConnection::HttpConnection(boost::asio::ip::tcp::socket socket, HttpConnections& all)
    : all_(all), stream_(std::move(socket)), buffer_(all.limits.header_bytes + all.limits.body_bytes) {}

void HttpConnection::start(std::list<std::shared_ptr<HttpConnection>>::iterator place) {
  place_ = place;
  wait_for_request(all_.limits.timeout);
}

void HttpConnection::close() {
  if (!place_) return;
  // The list may hold the last reference.
  const auto self = shared_from_this();
  all_.open.erase(*place_);
  place_.reset();
  all_.probe.connections(all_.open.size());
  stream_.close();
}

// Waits for the first byte apart from the rest, since a client may rest between requests but not within one.
void HttpConnection::wait_for_request(std::chrono::milliseconds patience) {
  all_.open.splice(all_.open.end(), all_.open, *place_);
  if (buffer_.size() > 0) return read_request();
  stream_.expires_after(patience);
  constexpr std::size_t kFirst = 1024;
  stream_.async_read_some(buffer_.prepare(kFirst),
                          [self = shared_from_this()](const Error& error, std::size_t n) {
                            if (error || !self->place_) return self->close();
                            self->buffer_.commit(n);
                            self->read_request();
                          });
}

void HttpConnection::read_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(all_.limits.header_bytes));
  parser_->body_limit(all_.limits.body_bytes);
  stream_.expires_after(all_.limits.timeout);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](const Error& error, std::size_t) { self->on_request(error); });
}

void HttpConnection::on_request(const Error& error) {
  if (!place_) return;
  if (!error) return answer(handle(), parser_->get().keep_alive());
  auto reply = reply_to_bad_request(error);
  if (!reply) return close();
  answer(std::move(*reply), false);
}

HttpReply HttpConnection::handle() const {
  const auto& request = parser_->get();
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    HttpReply reply = plain(405, "only GET and HEAD are served here\n");
    reply.headers.emplace_back("Allow", "GET, HEAD");
    return reply;
  }
  const std::string_view target = view(request.target());
  const std::size_t question = target.find('?');
  HttpCall call;
  call.path = target.substr(0, question);
  if (question != std::string_view::npos) call.query = target.substr(question + 1);
  call.authorization = view(request[http::field::authorization]);
  const HttpHandler* handler = find_handler(all_.routes, call.path);
  if (handler == nullptr) return plain(404, "there is nothing here\n");
  try {
    return (*handler)(call);
  } catch (const std::exception& e) {
    all_.log.error("http.handler", "serving " + std::string(call.path) + " failed: " + e.what());
    return plain(500, "internal error; the log says more\n");
  }
}

void HttpConnection::answer(HttpReply reply, bool keep_alive) {
  all_.probe.answered(reply.status);
  const bool head = parser_->is_header_done() && parser_->get().method() == http::verb::head;
  response_.emplace(static_cast<http::status>(reply.status),
                    parser_->is_header_done() ? parser_->get().version() : 11U);
  response_->set(http::field::server, "sidelight");
  response_->set(http::field::cache_control, "no-store");
  response_->set("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : reply.headers) response_->set(name, value);
  response_->keep_alive(keep_alive);
  if (reply.status != 204) {
    response_->set(http::field::content_type, reply.content_type);
    response_->content_length(reply.body.size());
  }
  if (!head && reply.status != 204) response_->body() = std::move(reply.body);
  stream_.expires_after(all_.limits.timeout);
  http::async_write(stream_, *response_,
                    [self = shared_from_this(), keep_alive](const Error& error, std::size_t) {
                      self->on_written(error, keep_alive);
                    });
}

void HttpConnection::on_written(const Error& error, bool keep_alive) {
  response_.reset();
  if (!place_) return;
  if (error || !keep_alive) {
    Error ignored;
    stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
    return close();
  }
  wait_for_request(all_.limits.idle);
}

}  // namespace sidelight
