#include "agent/observe/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>

namespace sidelight {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A bare client, so that a test can be as slow and as rude as it likes.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view bytes) const { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Reads until the server closes, or `until` was seen.
  std::string receive(std::string_view until = {}) {
    std::string out;
    char buffer[4096];
    while (until.empty() || out.find(until) == std::string::npos) {
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) break;
      out.append(buffer, static_cast<std::size_t>(n));
    }
    return out;
  }
  // True when the server closed it: end of file or reset.
  bool closed_by_server() {
    char byte;
    const ssize_t n = ::recv(fd_, &byte, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
  }
  std::string ask(const std::string& head) {
    send(head + "\r\nHost: h\r\nConnection: close\r\n\r\n");
    return receive();
  }

 private:
  int fd_;
  bool connected_ = false;
};

class CountingProbe final : public HttpProbe {
 public:
  void answered(int status) override { last_status = status; }
  void connections(std::uint64_t n) override { open = n; }
  void connection_evicted() override { ++evicted; }
  std::atomic<int> last_status{0};
  std::atomic<std::uint64_t> open{0};
  std::atomic<int> evicted{0};
};

class HttpServerTest : public testing::Test {
 protected:
  void start(const HttpLimits& limits = {}) {
    HttpRoutes routes;
    routes["/"] = [](const HttpCall&) { return HttpReply{.body = "root"}; };
    routes["/metrics"] = [](const HttpCall&) { return HttpReply{.body = "m 1\n", .content_type = "text/x"}; };
    routes["/big"] = [](const HttpCall&) { return HttpReply{.body = std::string(32u << 20, 'x')}; };
    routes["/gate"] = [](const HttpCall&) {
      return HttpReply{.status = 204, .headers = {{"Retry-After", "3"}}};
    };
    routes["/throws"] = [](const HttpCall&) -> HttpReply { throw std::runtime_error("inner detail"); };
    routes["/api/"] = [](const HttpCall& c) {
      return HttpReply{.body = std::string(c.path) + "|" + std::string(c.query) + "|" +
                               std::string(c.authorization)};
    };
    auto started = HttpServer::start({"127.0.0.1:0"}, std::move(routes), log, probe, limits);
    ASSERT_TRUE(started) << started.error().message;
    server = std::move(*started);
  }
  std::string get(const std::string& path) { return Client(server->port()).ask("GET " + path + " HTTP/1.1"); }

  NullLogger log;
  CountingProbe probe;
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, ServesARouteWithItsContentType) {
  start();
  const std::string answer = get("/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/x\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nm 1\n"));
  EXPECT_EQ(probe.last_status, 200);
}

TEST_F(HttpServerTest, HandlersSeePathQueryAndAuthorization) {
  start();
  Client c(server->port());
  EXPECT_THAT(c.ask("GET /api/v1/queues?name=a%20b HTTP/1.1\r\nAuthorization: Bearer t"),
              HasSubstr("\r\n\r\n/api/v1/queues|name=a%20b|Bearer t"));
}

TEST_F(HttpServerTest, UnknownPathsAre404) {
  start();
  for (const char* path : {"/nothing", "/metrics/", "/metrics/x", "/api", "//", "*"})
    EXPECT_THAT(get(path), StartsWith("HTTP/1.1 404 ")) << path;
  EXPECT_THAT(get("/"), HasSubstr("root"));
}

TEST_F(HttpServerTest, OtherMethodsAre405) {
  start();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    const std::string answer = Client(server->port()).ask(std::string(method) + " /metrics HTTP/1.1");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
  }
}

TEST_F(HttpServerTest, HeadHasTheLengthButNoBody) {
  start();
  const std::string answer = Client(server->port()).ask("HEAD /metrics HTTP/1.1");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, NoContentHasNoBodyAndNoLength) {
  start();
  const std::string answer = get("/gate");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 3\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Content-Length")));
}

TEST_F(HttpServerTest, AThrowingHandlerIsA500WithoutItsDetails) {
  start();
  const std::string answer = get("/throws");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, Not(HasSubstr("inner detail")));
}

TEST_F(HttpServerTest, AConnectionServesManyRequestsPipelinedOnesToo) {
  start();
  Client c(server->port());
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    c.send(request);
    EXPECT_THAT(c.receive("m 1\n"), StartsWith("HTTP/1.1 200 "));
  }
  c.send(request + "GET /gate HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string both = c.receive();
  EXPECT_THAT(both, HasSubstr("m 1\nHTTP/1.1 204 "));
}

TEST_F(HttpServerTest, BytesThatAreNoHttpAreRefused) {
  start();
  Client c(server->port());
  c.send("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_THAT(c.receive(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, TooLargeHeadersAndBodiesAreRefused) {
  start();
  Client headers(server->port());
  headers.send("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
  EXPECT_THAT(headers.receive(), StartsWith("HTTP/1.1 431 "));
  Client body(server->port());
  body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_THAT(body.receive(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, AClientThatSendsTooSlowlyIsClosed) {
  start({.timeout = milliseconds(100)});
  Client silent(server->port());
  Client halfway(server->port());
  halfway.send("GET /met");
  EXPECT_TRUE(silent.closed_by_server());
  EXPECT_TRUE(halfway.closed_by_server());
  EXPECT_THAT(get("/metrics"), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, AClientThatDoesNotReadIsClosedAndBlocksNobody) {
  start({.timeout = milliseconds(300)});
  Client greedy(server->port());
  greedy.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(get("/metrics"), HasSubstr("200 OK"));
  // It starts to read only when the server has given it up.
  while (probe.open > 0) ::poll(nullptr, 0, 5);
  EXPECT_LT(greedy.receive().size(), 32u << 20);
}

TEST_F(HttpServerTest, AFullHouseMakesRoomForTheNext) {
  start({.connections = 4});
  std::vector<std::unique_ptr<Client>> idlers;
  for (int i = 0; i < 4; ++i) {
    idlers.push_back(std::make_unique<Client>(server->port()));
    idlers.back()->send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
    idlers.back()->receive("m 1\n");
  }
  EXPECT_THAT(get("/metrics"), HasSubstr("200 OK"));
  EXPECT_EQ(probe.evicted, 1);
  EXPECT_TRUE(idlers[0]->closed_by_server()) << "the one that had waited longest";
  idlers[3]->send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(idlers[3]->receive("m 1\n"), HasSubstr("200 OK"));
}

TEST_F(HttpServerTest, APortInUseIsAClearError) {
  start();
  const std::string taken = "127.0.0.1:" + std::to_string(server->port());
  const auto second = HttpServer::start({taken}, {}, log, probe);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("cannot listen on " + taken));
  EXPECT_THAT(second.error().message, HasSubstr("http.listen"));
  EXPECT_EQ(second.error().code, EADDRINUSE);
}

TEST_F(HttpServerTest, AnAddressThatIsNotOursIsAClearError) {
  const auto server_or = HttpServer::start({"192.0.2.1:0"}, {}, log, probe);
  ASSERT_FALSE(server_or);
  EXPECT_THAT(server_or.error().message, HasSubstr("this machine has no such address"));
}

TEST_F(HttpServerTest, ListensOnEveryAddressWhenNoneIsNamed) {
  HttpRoutes routes;
  routes["/"] = [](const HttpCall&) { return HttpReply{.body = "all"}; };
  auto all = HttpServer::start({":0"}, std::move(routes), log, probe);
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_THAT(Client((*all)->port()).ask("GET / HTTP/1.1"), HasSubstr("all"));
}

TEST_F(HttpServerTest, StoppingClosesOpenConnectionsAndFreesThePort) {
  start();
  Client idle(server->port());
  idle.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
  idle.receive("m 1\n");
  const std::uint16_t port = server->port();
  server.reset();
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_FALSE(Client(port).connected());
}

}  // namespace
}  // namespace sidelight
