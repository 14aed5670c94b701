#include "agent/send/logstash/connect_check.h"

#include <optional>
#include <utility>

#include "agent/base/host_port.h"
#include "agent/send/elasticsearch/credentials.h"
#include "agent/send/logstash/lumberjack_frames.h"
#include "agent/send/logstash/sender.h"

namespace sidelight {
namespace {

constexpr std::chrono::seconds kPatience{10};
// A server that refuses our certificate says so only after a TLS 1.3 handshake has succeeded on our side.
constexpr std::chrono::milliseconds kListen{500};
constexpr std::chrono::milliseconds kStep{50};

class Listener final : public StreamEvents {
 public:
  void on_open() override { open = true; }
  void on_bytes(std::string_view bytes) override {
    said.append(bytes.substr(0, 64 - std::min<std::size_t>(said.size(), 64)));
  }
  void on_sent(std::size_t /*n*/, bool /*done*/) override {}
  void on_closed(const StreamError& e) override { error = e; }

  bool open = false;
  std::string said;
  std::optional<StreamError> error;
};

Expected<std::string> check_stream(const LogstashOptions& options, const std::string& host,
                                   StreamClient& streams, const Clock& clock) {
  const auto address = parse_host_port(host, kLogstashPort);
  if (!address) return std::unexpected(address.error());
  Listener listener;
  const auto id = streams.open({address->host, address->port, options.tls, kPatience}, listener);
  const auto wait = [&](auto until, auto enough) {
    const MonoTime end = clock.now() + until;
    while (!listener.error && !enough() && clock.now() < end) streams.run_once(kStep);
  };
  wait(kPatience + std::chrono::seconds(5), [&] { return listener.open; });
  // An empty window asks for nothing and is answered by nothing; what is no beats input objects to it.
  std::string window;
  WindowWriter writer(0, options.beat, "0");
  writer.begin();
  const bool speak =
      options.protocol == LogstashProtocol::lumberjack && listener.open && writer.finish(window);
  if (speak && !listener.error) streams.send(id, window);
  wait(kListen, [&] { return !listener.said.empty(); });
  streams.close(id);
  if (listener.error) {
    const bool silent = listener.error->kind == StreamError::Kind::closed && listener.said.empty();
    return fail(host + ": " + listener.error->message +
                std::string(silent && !options.tls ? kPerhapsTls : std::string_view()));
  }
  if (!listener.open) return fail(host + ": no connection within the time");
  if (options.protocol == LogstashProtocol::lumberjack && !listener.said.empty()) {
    AckReader reader;
    std::string_view said = listener.said;
    if (const auto read = reader.next(said); !read) return fail(host + ": " + read.error().message);
  }
  return host + (options.tls ? " accepts connections with TLS" : " accepts connections");
}

Expected<std::string> check_http(const LogstashOptions& options, const std::string& url,
                                 const std::string& authorization, HttpClient& client, const Clock& clock) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"}};
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  request.body = "[]";  // no event
  if (options.tls) request.tls = *options.tls;
  request.proxy = options.proxy;
  request.timeout = kPatience;
  std::optional<HttpResult> result;
  client.start(std::move(request), [&result](HttpResult r) { result = std::move(r); });
  const MonoTime end = clock.now() + kPatience + std::chrono::seconds(5);
  while (!result && clock.now() < end) client.run_once(std::chrono::milliseconds(100));
  if (!result) client.cancel_all();
  if (!*result) return fail(url + ": " + result->error().message);
  const long status = (*result)->status;
  if (status == 401 || status == 403) {
    return fail(url + ": it refuses our credentials (HTTP " + std::to_string(status) +
                "); compare username and password");
  }
  if (status < 200 || status > 299)
    return fail(url + ": it answers HTTP " + std::to_string(status) +
                "; compare the address, the port and the path");
  return url + " takes documents (HTTP " + std::to_string(status) + ")";
}

}  // namespace

std::vector<Expected<std::string>> probe_logstash(const LogstashOptions& options, FileSystem& fs,
                                                  HttpClient& http, StreamClient& streams,
                                                  const Clock& clock) {
  Credentials credentials(options.username, options.password, options.password_file, fs, clock);
  const auto authorization = credentials.header();
  if (!authorization) return {std::unexpected(authorization.error())};
  std::vector<Expected<std::string>> found;
  for (const std::string& host : options.hosts) {
    found.push_back(options.protocol == LogstashProtocol::http
                        ? check_http(options, host, *authorization, http, clock)
                        : check_stream(options, host, streams, clock));
  }
  return found;
}

}  // namespace sidelight
