#include "config/schema_builder.h"
#include "config/settings.h"

namespace sidelight {
namespace {

using Ls = LogstashOptions;
constexpr std::int64_t kSecond = 1000;

void add_target(SchemaBuilder<Ls>& s) {
  s.field(
       "hosts", KeyType::texts, [](Ls& l) -> auto& { return l.hosts; },
       "`HOST[:PORT]` of each Logstash, without a port 5044; for `protocol: http` URLs, "
       "`http(s)://host[:port][/path]`.")
      .required()
      .at_least(1)
      .example("[127.0.0.1:5044]");
  s.choice(
      "protocol", [](Ls& l) -> auto& { return l.protocol; },
      std::vector<std::pair<std::string, LogstashProtocol>>{{"lumberjack", LogstashProtocol::lumberjack},
                                                            {"http", LogstashProtocol::http},
                                                            {"tcp", LogstashProtocol::tcp}},
      "`lumberjack` goes to the beats input, `http` to the http input, both acknowledged; `tcp` sends JSON "
      "lines to the tcp input, which acknowledges nothing: what is on its way when Logstash dies is lost.");
  s.field(
      "load_balance", KeyType::boolean, [](Ls& l) -> auto& { return l.load_balance; },
      "Send to all hosts at a time; otherwise to one, and to the next when it fails.");
}

void add_http(SchemaBuilder<Ls>& s) {
  s.field(
       "username", KeyType::text, [](Ls& l) -> auto& { return l.username; },
       "User name (basic authentication); `protocol: http`.")
      .example("sidelight");
  s.field(
       "password", KeyType::secret, [](Ls& l) -> auto& { return l.password; },
       "Its password; best taken from the environment.")
      .example("${LOGSTASH_PASSWORD}");
  s.field(
       "password_file", KeyType::secret_file, [](Ls& l) -> auto& { return l.password_file; },
       "File that holds the password. Read again when it changes.")
      .example("/run/secrets/logstash-password");
  s.at_most_one({"password", "password_file"});
  s.needs("password", "username");
  s.needs("password_file", "username");
  s.field(
       "proxy", KeyType::proxy_url, [](Ls& l) -> auto& { return l.proxy; },
       "HTTP or SOCKS proxy, as a URL; `protocol: http`.")
      .default_note("none")
      .example("http://proxy.example:3128");
}

void add_transport(SchemaBuilder<Ls>& s) {
  s.field(
       "compression_level", KeyType::integer, [](Ls& l) -> auto& { return l.compression_level; },
       "1 is the fastest, 9 the smallest, 0 is none; not for `tcp`.")
      .between(0, 9);
  s.field(
       "pipelining", KeyType::integer, [](Ls& l) -> auto& { return l.pipelining; },
       "Windows (with `http`: requests) that may wait for their acknowledgement at a time, for each host.")
      .between(1, 64);
  s.field(
       "window", KeyType::integer, [](Ls& l) -> auto& { return l.window; },
       "Documents in one window or request at most. It shrinks while a host is too slow for it.")
      .between(1, 100'000);
  s.field(
      "beat", KeyType::text, [](Ls& l) -> auto& { return l.beat; },
      "What `[@metadata][beat]` says; Logstash pipelines often make the index of it. `lumberjack` only.");
  s.object(
       "tls", [](Ls& l) -> auto& { return l.tls; },
       tls_schema(
           "TLS towards the hosts; an empty section, `{}`, switches it on. With `protocol: http` it is for "
           "hosts whose URLs begin with https."))
      .example("{}");
  s.field(
       "timeout", KeyType::duration, [](Ls& l) -> auto& { return l.timeout; },
       "How long a host may give no sign of life while documents wait for it. A keep-alive is one.")
      .between(100, 600 * kSecond);
  s.field(
       "connect_timeout", KeyType::duration, [](Ls& l) -> auto& { return l.connect_timeout; },
       "How long the making of a connection may take, TLS included.")
      .between(100, 600 * kSecond);
  s.field(
       "connection_age", KeyType::duration, [](Ls& l) -> auto& { return l.connection_age; },
       "A connection of this age is made anew, so that moved names and new hosts behind a balancer are "
       "found; `0s`: never.")
      .between(0, 24 * 3600 * kSecond);
  s.field(
       "backoff_initial", KeyType::duration, [](Ls& l) -> auto& { return l.backoff_initial; },
       "Longest wait before a host that failed is tried again; it doubles with each further failure.")
      .between(1, 60 * kSecond);
  s.field(
       "backoff_max", KeyType::duration, [](Ls& l) -> auto& { return l.backoff_max; },
       "Where that doubling ends.")
      .between(10, 600 * kSecond);
}

}  // namespace

std::shared_ptr<const ObjectSchema> logstash_schema() {
  SchemaBuilder<Ls> s("Logstash, or whatever speaks its protocols.");
  add_target(s);
  add_transport(s);
  add_http(s);
  return s.done();
}

}  // namespace sidelight
