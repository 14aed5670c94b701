#include <gmock/gmock.h>

#include "tests/config/loading.h"

namespace sidelight {
namespace {

using ::testing::HasSubstr;

// A Logstash output with `more` in it, each line of which needs an indentation of 4.
std::string logstash(const std::string& more) {
  return "logs:\n  - paths: [/a.log]\nstate_dir: ./state\noutput:\n  logstash:\n" + more;
}

LogstashOptions loaded(const std::string& more) {
  Loading l;
  const LoadResult r = l.load(logstash(more));
  EXPECT_EQ(text_of(r.errors), "");
  return r.settings && r.settings->output.logstash ? *r.settings->output.logstash : LogstashOptions();
}

std::string refused(const std::string& more) {
  Loading l;
  return text_of(l.load(logstash(more)).errors);
}

TEST(LogstashOutput, OneHostIsEnough) {
  const LogstashOptions o = loaded("    hosts: [127.0.0.1:5044]\n");
  EXPECT_EQ(o.hosts, std::vector<std::string>{"127.0.0.1:5044"});
  EXPECT_EQ(o.protocol, LogstashProtocol::lumberjack);
  EXPECT_FALSE(o.tls);
  EXPECT_FALSE(o.load_balance);
}

TEST(LogstashOutput, AnEmptyTlsSectionMeansTls) {
  EXPECT_TRUE(loaded("    hosts: [a:1]\n    tls: {}\n").tls);
}

TEST(LogstashOutput, EveryKeyArrives) {
  const LogstashOptions o = loaded(
      "    hosts: ['a', '[::1]:7']\n    load_balance: true\n    compression_level: 9\n    pipelining: 4\n    "
      "window: 100\n"
      "    beat: shop\n    timeout: 7s\n    connect_timeout: 3s\n    connection_age: 0s\n    "
      "backoff_initial: "
      "1s\n    backoff_max: 2s\n"
      "    tls: {verify: false}\n");
  EXPECT_EQ(o.hosts.size(), 2u);
  EXPECT_TRUE(o.load_balance);
  EXPECT_EQ(o.compression_level, 9);
  EXPECT_EQ(o.pipelining, 4u);
  EXPECT_EQ(o.window, 100u);
  EXPECT_EQ(o.beat, "shop");
  EXPECT_EQ(o.timeout.count(), 7000);
  EXPECT_EQ(o.connect_timeout.count(), 3000);
  EXPECT_EQ(o.connection_age.count(), 0);
  EXPECT_FALSE(o.tls->verify);
}

TEST(LogstashOutput, HostsFitTheirProtocol) {
  EXPECT_THAT(refused("    hosts: [http://a:5044]\n"), HasSubstr("URLs are for protocol: http"));
  EXPECT_THAT(refused("    hosts: [a:b]\n"), HasSubstr("\"b\" is no port"));
  EXPECT_THAT(refused("    hosts: ['a:70000']\n"), HasSubstr("6:"));
  EXPECT_THAT(refused("    hosts: ['a:5044']\n    protocol: http\n"), HasSubstr("protocol http wants URLs"));
  EXPECT_EQ(loaded("    hosts: ['https://a:8080/in']\n    protocol: http\n").hosts.size(), 1u);
}

TEST(LogstashOutput, KeysThatTheProtocolHasNoUseForAreRefused) {
  EXPECT_THAT(refused("    hosts: [a]\n    username: u\n    password: p\n"),
              HasSubstr("output.logstash.username: is of use with protocol: http"));
  EXPECT_THAT(refused("    hosts: [a]\n    proxy: http://p:1\n"), HasSubstr("output.logstash.proxy"));
  EXPECT_THAT(refused("    hosts: [a]\n    protocol: tcp\n    pipelining: 3\n"),
              HasSubstr("output.logstash.pipelining"));
  EXPECT_THAT(refused("    hosts: ['http://a']\n    protocol: http\n    beat: x\n"),
              HasSubstr("output.logstash.beat"));
  EXPECT_THAT(refused("    hosts: ['http://a']\n    protocol: http\n    username: u\n"),
              HasSubstr("needs a password"));
}

TEST(LogstashOutput, ProxyOffIsNone) {
  EXPECT_EQ(loaded("    hosts: ['http://a']\n    protocol: http\n    proxy: off\n").proxy, "");
}

TEST(LogstashOutput, DefaultsOfOtherProtocolsAreBorne) {
  EXPECT_EQ(
      refused("    hosts: [a]\n    protocol: tcp\n    beat: sidelight\n    pipelining: 2\n    proxy: off\n"),
      "");
}

TEST(LogstashOutput, UnverifiedTlsIsWarnedOf) {
  Loading l;
  const LoadResult r = l.load(logstash("    hosts: [a]\n    tls: {verify: false}\n"));
  EXPECT_THAT(text_of(r.warnings), HasSubstr("certificates are not verified"));
}

}  // namespace
}  // namespace sidelight
