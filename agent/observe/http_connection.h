// One connection to the HTTP server. Private to it: the one header here that shows Boost.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <memory>
#include <optional>

#include "agent/observe/http_server.h"

namespace sidelight {

class HttpConnection;

// What the connections of one server share. One thread.
struct HttpConnections {
  const HttpRoutes& routes;
  const HttpLimits& limits;
  Logger& log;
  HttpProbe& probe;
  // Open ones; those that have waited longest for their client come first.
  std::list<std::shared_ptr<HttpConnection>> open;
};

// Kept alive by the list and by its own pending operations. One thread.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(boost::asio::ip::tcp::socket socket, HttpConnections& all);
  // Call once, with its place in the list.
  void start(std::list<std::shared_ptr<HttpConnection>>::iterator place);
  // Ends it now, whatever it was doing.
  void close();

 private:
  using Error = boost::system::error_code;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  void wait_for_request(std::chrono::milliseconds patience);
  void read_request();
  void on_request(const Error& error);
  void answer(HttpReply reply, bool keep_alive);
  void on_written(const Error& error, bool keep_alive);
  HttpReply handle() const;

  HttpConnections& all_;
  std::optional<std::list<std::shared_ptr<HttpConnection>>::iterator> place_;  // empty once closed
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::optional<Response> response_;
};

}  // namespace sidelight
