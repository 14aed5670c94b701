#include "agent/observe/http_server.h"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "agent/observe/http_connection.h"
#include "agent/observe/listen_address.h"

namespace sidelight {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using SystemError = boost::system::error_code;

std::unexpected<Error> cannot_listen(const std::string& where, const SystemError& error) {
  std::string message = "cannot listen on " + where + ": " + error.message();
  if (error == asio::error::address_in_use)
    message +=
        "; another program has this port, perhaps another sidelight: choose a free one with http.listen";
  if (error == asio::error::access_denied)
    message += "; ports below 1024 need a privilege: choose a higher one with http.listen";
  if (error.value() == EADDRNOTAVAIL) message += "; this machine has no such address: see http.listen";
  return fail(std::move(message), error.value());
}

Expected<tcp::endpoint> resolve(asio::io_context& loop, const std::string& text) {
  auto address = parse_listen_address(text);
  if (!address) return std::unexpected(address.error());
  if (address->host.empty()) return tcp::endpoint(tcp::v6(), address->port);
  SystemError error;
  if (const auto literal = asio::ip::make_address(address->host, error); !error)
    return tcp::endpoint(literal, address->port);
  tcp::resolver resolver(loop);
  const auto found = resolver.resolve(address->host, std::to_string(address->port), error);
  if (error || found.empty()) return cannot_listen(text, error);
  return found.begin()->endpoint();
}

SystemError open_and_bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  SystemError error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  // Every address means IPv4 too, where the kernel has both.
  if (!error && endpoint.protocol() == tcp::v6() && endpoint.address().is_unspecified())
    acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::socket::max_listen_connections, error);
  return error;
}

// Threads started while it lives never run signal handlers: signals belong to the main thread.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

struct HttpServer::State {
  State(HttpRoutes r, Logger& l, HttpProbe& p, const HttpLimits& lim)
      : routes(std::move(r)), limits(lim), log(l), connections{routes, limits, l, p, {}} {}

  Expected<void> listen(const std::string& address);
  void accept();
  void on_accepted(const SystemError& error, tcp::socket socket);
  void close_all();

  HttpRoutes routes;
  HttpLimits limits;
  Logger& log;
  asio::io_context loop{1};
  tcp::acceptor acceptor{loop};
  asio::steady_timer pause{loop};
  HttpConnections connections;
  std::uint16_t port = 0;
  std::thread thread;
};

Expected<void> HttpServer::State::listen(const std::string& address) {
  auto endpoint = resolve(loop, address);
  if (!endpoint) return std::unexpected(endpoint.error());
  SystemError error = open_and_bind(acceptor, *endpoint);
  if (error && endpoint->protocol() == tcp::v6() && endpoint->address().is_unspecified()) {
    // No IPv6 on this machine.
    SystemError ignored;
    acceptor.close(ignored);
    error = open_and_bind(acceptor, tcp::endpoint(tcp::v4(), endpoint->port()));
  }
  if (error) return cannot_listen(address, error);
  const auto bound = acceptor.local_endpoint(error);
  if (error) return cannot_listen(address, error);
  port = bound.port();
  return {};
}

void HttpServer::State::accept() {
  acceptor.async_accept(
      [this](const SystemError& error, tcp::socket socket) { on_accepted(error, std::move(socket)); });
}

void HttpServer::State::on_accepted(const SystemError& error, tcp::socket socket) {
  if (!acceptor.is_open()) return;
  if (error) {
    // Mostly the descriptor limit, which passes; asking again at once would spin.
    log.warn("http.accept", "cannot accept a connection: " + error.message());
    pause.expires_after(std::chrono::milliseconds(100));
    pause.async_wait([this](const SystemError& stopped) {
      if (!stopped) accept();
    });
    return;
  }
  if (connections.open.size() >= limits.connections) {
    connections.probe.connection_evicted();
    connections.open.front()->close();
  }
  auto connection = std::make_shared<HttpConnection>(std::move(socket), connections);
  const auto place = connections.open.insert(connections.open.end(), connection);
  connections.probe.connections(connections.open.size());
  connection->start(place);
  accept();
}

void HttpServer::State::close_all() {
  SystemError ignored;
  acceptor.close(ignored);
  pause.cancel();
  while (!connections.open.empty()) connections.open.front()->close();
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Expected<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options, HttpRoutes routes,
                                                        Logger& log, HttpProbe& probe,
                                                        const HttpLimits& limits) {
  auto state = std::make_unique<State>(std::move(routes), log, probe, limits);
  if (auto listening = state->listen(options.listen); !listening) return std::unexpected(listening.error());
  state->accept();
  State* const s = state.get();
  const SignalsBlocked blocked;
  try {
    state->thread = std::thread([s] { s->loop.run(); });
  } catch (const std::system_error& e) {
    return fail(std::string("cannot start the HTTP thread: ") + e.what(), e.code().value());
  }
  ::pthread_setname_np(state->thread.native_handle(), "http");
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::~HttpServer() {
  asio::post(state_->loop, [s = state_.get()] { s->close_all(); });
  state_->thread.join();
}

std::uint16_t HttpServer::port() const {
  return state_->port;
}

}  // namespace sidelight
