// Blocking HTTP for collectors: one request, with credentials, within the run's deadline.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/error.h"
#include "agent/base/filesystem.h"
#include "agent/base/http_client.h"
#include "collectors/framework/collector.h"

namespace sidelight {

// How to be let in. Files are read at each request, so that a rotated secret is taken up.
struct HttpAccess {
  std::string username;
  std::string password;  // or password_file; neither: none
  std::string password_file;
  std::string token_file;  // bearer token; not beside a username
  TlsOptions tls;
  std::vector<std::pair<std::string, std::string>> headers;  // further ones
};

// Keeps connections between calls. One thread at a time.
class HttpFetch {
 public:
  HttpFetch(FileSystem& fs, HttpAccess access);

  // The answer, whatever its status. An error names the host and what failed, never a secret.
  Expected<HttpResponse> request(const std::string& url, const Deadline& deadline,
                                 std::size_t max_bytes = 16u << 20);
  // The body of a 200. Other answers are errors that hold the status, a hint for 401 and 403, and how the
  // body begins.
  Expected<std::string> get(const std::string& url, const Deadline& deadline,
                            std::size_t max_bytes = 16u << 20);

 private:
  Expected<std::string> authorization();

  FileSystem& fs_;
  HttpAccess access_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace sidelight
