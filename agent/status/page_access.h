// Who may see the status page and its API.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/filesystem.h"
#include "agent/observe/http_server.h"
#include "agent/observe/options.h"

namespace sidelight {

// Logs and targets' names are nobody's business beyond the machine: on loopback addresses the page is open,
// on others it asks for the token of the configuration, and without one it stays shut. Thread-safe.
class PageAccess {
 public:
  // `fs` outlives it; the token's file is read at each call, so that a rotated token is taken up.
  PageAccess(const HttpServerOptions& options, FileSystem& fs) : options_(options), fs_(fs) {}

  // Status 200 when the caller may pass, else the answer to give.
  HttpReply check(const HttpCall& call) const;

 private:
  HttpServerOptions options_;
  FileSystem& fs_;
};

}  // namespace sidelight
