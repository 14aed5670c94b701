#include "agent/base/host_port.h"

#include <gtest/gtest.h>

namespace sidelight {
namespace {

std::string parsed(std::string_view text) {
  const auto r = parse_host_port(text, 5044);
  return r ? r->host + " " + std::to_string(r->port) : "refused";
}

TEST(HostPort, ReadsNamesAddressesAndPorts) {
  EXPECT_EQ(parsed("logstash"), "logstash 5044");
  EXPECT_EQ(parsed("logstash.example:1"), "logstash.example 1");
  EXPECT_EQ(parsed("10.0.0.7:65535"), "10.0.0.7 65535");
  EXPECT_EQ(parsed("[::1]"), "::1 5044");
  EXPECT_EQ(parsed("[fe80::1]:7"), "fe80::1 7");
  EXPECT_EQ(parsed("fe80::1"), "fe80::1 5044");
}

TEST(HostPort, RefusesTheRest) {
  for (const char* text : {"", ":5044", "a:", "a:0", "a:65536", "a:5x", "a:-1", "[::1", "[::1]7", "[]:1",
                           "tcp://a:1", "a b:1", "u@a:1", "a/b:1"})
    EXPECT_EQ(parsed(text), "refused") << text;
}

}  // namespace
}  // namespace sidelight
