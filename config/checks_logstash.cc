#include "config/checks_logstash.h"

#include <string>

#include "agent/base/host_port.h"
#include "config/names.h"
#include "config/reader.h"

namespace sidelight {
namespace {

void check_hosts(const std::string& path, const LogstashOptions& options, Findings& findings) {
  const bool http = options.protocol == LogstashProtocol::http;
  for (std::size_t i = 0; i < options.hosts.size(); ++i) {
    const std::string item = path + ".hosts[" + std::to_string(i) + "]";
    // A list of one may stand without brackets.
    const std::string at = findings.given(item) ? item : path + ".hosts";
    if (http) {
      if (const auto wrong = check_url(options.hosts[i]); !wrong.empty())
        findings.error_at(at, wrong + "; protocol http wants URLs, for example http://logstash:8080");
    } else if (const auto address = parse_host_port(options.hosts[i], kLogstashPort); !address) {
      findings.error_at(at, address.error().message + "; URLs are for protocol: http");
    }
  }
}

}  // namespace

void check_logstash(const std::string& path, LogstashOptions& options, Findings& findings) {
  check_hosts(path, options, findings);
  if (options.proxy == "off") options.proxy.clear();
  const auto only_with = [&](const char* key, bool fits, bool is_default, const char* protocol) {
    const std::string full = path + "." + key;
    if (!fits && !is_default && findings.given(full))
      findings.error_at(full, std::string("is of use with protocol: ") + protocol + " only");
  };
  const LogstashOptions fresh;
  const bool http = options.protocol == LogstashProtocol::http;
  const bool tcp = options.protocol == LogstashProtocol::tcp;
  only_with("username", http, options.username.empty(), "http");
  only_with("proxy", http, options.proxy.empty(), "http");
  only_with("beat", options.protocol == LogstashProtocol::lumberjack, options.beat == fresh.beat,
            "lumberjack");
  only_with("pipelining", !tcp, options.pipelining == fresh.pipelining, "lumberjack or http");
  only_with("compression_level", !tcp, options.compression_level == fresh.compression_level,
            "lumberjack or http");
  if (!options.username.empty() && !findings.given(path + ".password") &&
      !findings.given(path + ".password_file"))
    findings.error_at(path + ".username", "needs a password; give password_file");
  if (options.backoff_initial > options.backoff_max)
    findings.error_at(path + ".backoff_max", "backoff_initial must not be longer than backoff_max");
  if (options.tls && !options.tls->verify) {
    findings.warning_at(
        path + ".tls.verify",
        "certificates are not verified: anyone on the way can read and change the logs; set ca_file instead");
  }
}

}  // namespace sidelight
