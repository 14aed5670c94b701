// The libcurl client against servers made of bare sockets on the loopback interface.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/http_client.h"
#include "tests/agent/send/unanswered_names.h"

namespace sidelight {
namespace {

using std::chrono::milliseconds;

// Accepts connections and answers each request on them with what `answer` gives for its head and body; an
// empty answer closes.
class TinyServer {
 public:
  using Answer = std::function<std::string(const std::string& head, const std::string& body)>;
  explicit TinyServer(Answer answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    socklen_t n = sizeof a;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&a), &n);
    port_ = ntohs(a.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  // New connections are refused from now on.
  void stop_listening() { ::shutdown(listener_, SHUT_RDWR); }
  ~TinyServer() {
    stop_listening();
    const int open = connection_.load();
    if (open >= 0) ::shutdown(open, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int port() const { return port_; }
  std::atomic<int> connections{0};

 private:
  void serve() {
    for (;;) {
      const int c = ::accept(listener_, nullptr, nullptr);
      if (c < 0) return;
      ++connections;
      connection_ = c;
      while (request(c)) {
      }
      connection_ = -1;
      ::close(c);
    }
  }
  bool request(int c) {
    std::string in;
    std::array<char, 65536> block{};
    std::size_t head_end = std::string::npos;
    std::size_t want = 0;
    while (head_end == std::string::npos || in.size() < want) {
      const ssize_t n = ::read(c, block.data(), block.size());
      if (n <= 0) return false;
      in.append(block.data(), static_cast<std::size_t>(n));
      if (head_end != std::string::npos) continue;
      const auto end = in.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      head_end = end + 4;
      const auto length = in.find("Content-Length: ");
      want = head_end + (length < end ? std::stoul(in.substr(length + 16)) : 0);
    }
    const std::string out = answer_(in.substr(0, head_end), in.substr(head_end));
    return !out.empty() && ::send(c, out.data(), out.size(), MSG_NOSIGNAL) > 0 &&
           out.find("Connection: close") == std::string::npos;
  }
  Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connection_{-1};
  std::thread thread_;
};

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nX-Thing:  Some Value \r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Small requests go through libcurl, large plain ones past it (curl_direct.h): what both promise is the same.
enum class Size { small, large };

class CurlHttpClientTest : public ::testing::TestWithParam<Size> {
 protected:
  HttpResult get(HttpRequest r) {
    std::optional<HttpResult> result;
    client->start(std::move(r), [&result](HttpResult h) { result = std::move(h); });
    const MonoTime until = clock.now() + std::chrono::seconds(20);
    while (!result && clock.now() < until) client->run_once(milliseconds(200));
    EXPECT_TRUE(result.has_value());
    return result ? std::move(*result) : std::unexpected(TransportError{});
  }
  HttpRequest request(const std::string& url) const {
    HttpRequest r;
    r.url = url;
    return GetParam() == Size::large ? posted(url) : r;
  }
  HttpRequest posted(const std::string& url) const {
    HttpRequest r;
    r.url = url;
    r.method = "POST";
    r.body = GetParam() == Size::large ? std::string_view(large) : "documents";
    return r;
  }
  const std::string large = std::string(1 << 20, 'b');
  SystemClock clock;
  std::unique_ptr<HttpClient> client = make_curl_http_client();
};

TEST_P(CurlHttpClientTest, ANameServerThatDoesNotAnswerHoldsUpNeitherOtherHostsNorTheEnd) {
  const test::UnansweredNames names;
  std::vector<TransportError> lost;
  const auto ask = [&](milliseconds connect_timeout) {
    const std::size_t before = names.waiting();
    HttpRequest r = posted("http://es.unanswered.invalid:9200/");
    r.connect_timeout = connect_timeout;
    client->start(std::move(r), [&lost](const HttpResult& h) { lost.push_back(h.error()); });
    client->run_once(milliseconds(0));
    EXPECT_TRUE(names.wait_for(before + 1));
  };
  TinyServer server([](const auto&, const auto&) { return ok("well"); });

  ask(milliseconds(50));
  const auto well = get(posted(server.url()));
  ASSERT_TRUE(well) << well.error().message;
  const MonoTime until = clock.now() + std::chrono::seconds(5);
  while (lost.empty() && clock.now() < until) client->run_once(milliseconds(20));
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].kind, TransportError::Kind::timeout) << lost[0].message;
  EXPECT_EQ(names.waiting(), 1u) << "the end of a transfer waited for its name";

  ask(std::chrono::seconds(30));
  client->cancel_all();
  EXPECT_EQ(lost.size(), 2u);
  EXPECT_EQ(names.waiting(), 2u) << "cancelling waited";

  ask(std::chrono::seconds(30));
  client.reset();
  EXPECT_EQ(names.waiting(), 3u) << "the end of the client waited";
}

TEST_P(CurlHttpClientTest, PostsTheBodyWithoutAskingFirstAndReadsTheAnswer) {
  std::string head;
  std::string body;
  TinyServer server([&](const std::string& h, const std::string& b) {
    head = h;
    body = b;
    return ok("answer");
  });
  HttpRequest r = posted(server.url("/a/_bulk?x=1"));
  const std::string_view sent = r.body;
  r.headers = {{"Content-Type", "application/x-ndjson"}};
  const auto answer = get(std::move(r));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "answer");
  EXPECT_EQ(answer->header("x-thing"), "Some Value");
  EXPECT_EQ(body, sent);
  EXPECT_TRUE(head.starts_with("POST /a/_bulk?x=1 HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("Content-Type: application/x-ndjson"), std::string::npos);
  EXPECT_EQ(head.find("Expect"), std::string::npos);
}

TEST_P(CurlHttpClientTest, PutAndHeadAreWhatTheySay) {
  std::vector<std::string> heads;
  TinyServer server([&](const std::string& h, const std::string&) {
    heads.push_back(h.substr(0, h.find(' ')));
    return heads.back() == "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : ok("");
  });
  for (const char* method : {"PUT", "GET", "HEAD", "DELETE"}) {
    HttpRequest r;
    r.url = server.url();
    r.method = method;
    if (r.method == "PUT") r.body = "{}";
    EXPECT_TRUE(get(std::move(r)));
  }
  EXPECT_EQ(heads, (std::vector<std::string>{"PUT", "GET", "HEAD", "DELETE"}));
}

TEST_P(CurlHttpClientTest, ConnectionsAreKept) {
  TinyServer server([](const auto&, const auto&) { return ok("x"); });
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(get(request(server.url())));
  EXPECT_EQ(server.connections, 1);
}

TEST_P(CurlHttpClientTest, ARequestThatADyingKeptConnectionMadeGoOutTwiceIsTold) {
  std::atomic<int> requests{0};
  TinyServer server([&](const auto&, const auto&) { return ++requests == 2 ? std::string() : ok("x"); });
  const auto first = get(request(server.url()));
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->sent_more_than_once);
  const auto second = get(posted(server.url()));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(requests, 3);
  EXPECT_TRUE(second->sent_more_than_once);
  const auto third = get(request(server.url()));
  ASSERT_TRUE(third);
  EXPECT_FALSE(third->sent_more_than_once);
}

TEST_P(CurlHttpClientTest, ARepeatThatFindsTheServerGoneMayHaveArrivedBefore) {
  std::atomic<int> requests{0};
  TinyServer server([&](const auto&, const auto&) {
    const bool second = ++requests == 2;
    if (second) server.stop_listening();
    return second ? std::string() : ok("x");
  });
  ASSERT_TRUE(get(request(server.url())));
  const auto answer = get(posted(server.url()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(requests, 2);
  EXPECT_TRUE(answer.error().request_may_have_arrived) << answer.error().message;
}

TEST_P(CurlHttpClientTest, AnErrorStatusIsAnAnswer) {
  TinyServer server([](const auto&, const auto&) {
    return std::string("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n");
  });
  const auto answer = get(request(server.url()));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 429);
  EXPECT_EQ(answer->header("retry-after"), "3");
}

TEST_P(CurlHttpClientTest, ARefusedConnectionSurelyDidNotArrive) {
  int port = 0;
  {
    const TinyServer gone([](const auto&, const auto&) { return std::string(); });
    port = gone.port();
  }
  const auto answer = get(request("http://127.0.0.1:" + std::to_string(port) + "/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, TransportError::Kind::connect);
  EXPECT_FALSE(answer.error().request_may_have_arrived);
  EXPECT_FALSE(answer.error().message.empty());
  EXPECT_NE(answer.error().message.find("Connection refused"), std::string::npos) << answer.error().message;
}

TEST_P(CurlHttpClientTest, ANameThatDoesNotExistIsAResolveError) {
  const auto answer = get(request("http://no-such-host.invalid/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, TransportError::Kind::resolve);
  EXPECT_FALSE(answer.error().request_may_have_arrived);
}

TEST_P(CurlHttpClientTest, AnAnswerCutInTheMiddleMayHaveArrived) {
  TinyServer server([](const auto&, const auto&) {
    return std::string("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nhalf");
  });
  const auto answer = get(request(server.url()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, TransportError::Kind::reset);
  EXPECT_TRUE(answer.error().request_may_have_arrived);
}

TEST_P(CurlHttpClientTest, AClosedConnectionWithoutAnAnswerMayHaveArrived) {
  TinyServer server([](const auto&, const auto&) { return std::string(); });
  const auto answer = get(posted(server.url()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, TransportError::Kind::reset);
  EXPECT_TRUE(answer.error().request_may_have_arrived);
}

TEST_P(CurlHttpClientTest, ASilentServerTimesOut) {
  std::atomic<bool> end{false};
  TinyServer server([&](const auto&, const auto&) {
    while (!end) std::this_thread::yield();
    return std::string();
  });
  HttpRequest r = request(server.url());
  r.timeout = milliseconds(150);
  const auto answer = get(std::move(r));
  end = true;
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, TransportError::Kind::timeout);
  EXPECT_TRUE(answer.error().request_may_have_arrived);
}

TEST_P(CurlHttpClientTest, AnEndlessAnswerIsCutOff) {
  TinyServer server([](const auto&, const auto&) { return ok(std::string(200'000, 'x')); });
  HttpRequest r = request(server.url());
  r.max_response_bytes = 1000;
  const auto answer = get(std::move(r));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, TransportError::Kind::too_large);
}

TEST_P(CurlHttpClientTest, PlainHttpOnATlsUrlIsATlsErrorThatSaysSo) {
  TinyServer server([](const auto&, const auto&) { return ok(""); });
  // The server reads the greeting as a request without an end; it closes when the client gives up.
  HttpRequest r = request("https://127.0.0.1:" + std::to_string(server.port()) + "/");
  r.tls.ca_file = "/nonexistent/ca.pem";
  const auto answer = get(std::move(r));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, TransportError::Kind::tls);
  EXPECT_FALSE(answer.error().request_may_have_arrived);
  EXPECT_NE(answer.error().message.find("/nonexistent/ca.pem"), std::string::npos) << answer.error().message;
}

TEST_P(CurlHttpClientTest, WakeEndsAWaitBeforeAndAfterTheFirstRequest) {
  const MonoTime begin = clock.now();
  client->wake();
  client->run_once(std::chrono::seconds(30));
  TinyServer server([](const auto&, const auto&) { return ok(""); });
  ASSERT_TRUE(get(request(server.url())));
  client->wake();
  client->run_once(std::chrono::seconds(30));
  EXPECT_LT(clock.now() - begin, std::chrono::seconds(20));
}

TEST_P(CurlHttpClientTest, CancelledRequestsAreTold) {
  std::atomic<bool> end{false};
  TinyServer server([&](const auto&, const auto&) {
    while (!end) std::this_thread::yield();
    return std::string();
  });
  std::optional<HttpResult> result;
  client->start(request(server.url()), [&result](HttpResult h) { result = std::move(h); });
  client->run_once(milliseconds(10));
  client->cancel_all();
  end = true;
  ASSERT_TRUE(result);
  EXPECT_FALSE(*result);
}

TEST_P(CurlHttpClientTest, AnInterimAnswerIsPassedOver) {
  TinyServer server([](const auto&, const auto&) { return "HTTP/1.1 100 Continue\r\n\r\n" + ok("at last"); });
  for (int i = 0; i < 2; ++i) {
    const auto answer = get(posted(server.url()));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "at last");
  }
  EXPECT_EQ(server.connections, 1);
}

TEST_P(CurlHttpClientTest, AnswersInChunksAndUntilTheEndAreWhole) {
  std::atomic<int> requests{0};
  TinyServer server([&](const auto&, const auto&) {
    return std::string(
        ++requests == 1
            ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
            : "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world");
  });
  for (int i = 0; i < 2; ++i) {
    const auto answer = get(posted(server.url()));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "hello world");
  }
}

TEST_P(CurlHttpClientTest, GarbageIsNoAnswer) {
  TinyServer server(
      [](const auto&, const auto&) { return std::string("SSH-2.0-OpenSSH_9.2\r\n\r\nConnection: close"); });
  const auto answer = get(posted(server.url()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, TransportError::Kind::reset);
  EXPECT_TRUE(answer.error().request_may_have_arrived);
}

// A server that finds a request too large says so before it has read it, and reads no further.
TEST_P(CurlHttpClientTest, AnAnswerThatComesBeforeTheEndOfTheRequestIsRead) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t n = sizeof a;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&a), &n);
  std::atomic<bool> end{false};
  std::thread server([&] {
    const int c = ::accept(listener, nullptr, nullptr);
    std::array<char, 256> some{};
    EXPECT_GT(::read(c, some.data(), some.size()), 0);
    const std::string answer = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(::send(c, answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
    while (!end) std::this_thread::yield();
    ::close(c);
  });
  const std::string huge(32u << 20, 'h');  // more than the sockets between take
  HttpRequest r = posted("http://127.0.0.1:" + std::to_string(ntohs(a.sin_port)) + "/_bulk");
  r.body = huge;
  const auto answer = get(std::move(r));
  end = true;
  server.join();
  ::close(listener);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 413);
}

INSTANTIATE_TEST_SUITE_P(Requests, CurlHttpClientTest, ::testing::Values(Size::small, Size::large),
                         [](const auto& test) { return test.param == Size::small ? "Small" : "Large"; });

}  // namespace
}  // namespace sidelight
