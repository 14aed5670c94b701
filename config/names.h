// Rules for single values, each a pure function: empty when the value is good, else what is wrong with it, in
// words that never repeat the value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sidelight {

// Elasticsearch and OpenSearch: "Create data stream" and "Create index", path parameters.
std::string check_data_stream_name(const std::string& name);
std::string check_index_pattern(const std::string& pattern);

// http(s)://host[:port][/prefix], no credentials, query or fragment.
std::string check_url(const std::string& url);
// http, https, socks4, socks4a, socks5 or socks5h; credentials are allowed.
std::string check_proxy_url(const std::string& url);
// host:port, [v6]:port, *:port; port 0 to 65535.
std::string check_listen(const std::string& address);
// RE2 syntax.
std::string check_regex(const std::string& pattern);
// UTC, +hh:mm, or the look of an IANA name; whether the zone exists depends on the machine.
std::string check_timezone(const std::string& zone);

// host of a URL that check_url() accepts, without brackets and port.
std::string url_host(const std::string& url);

// The candidate that a person who wrote `word` most likely meant; empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sidelight
