// Settings of self-observation: the program's own log and its HTTP port.
#pragma once

#include <string>

#include "agent/base/log.h"

namespace sidelight {

struct LogOptions {
  LogLevel level = LogLevel::info;
  bool json = false;  // else text
  std::string file;   // empty: stderr. Never tailed by the program itself.
};

struct HttpServerOptions {
  std::string listen = "127.0.0.1:9464";
  std::string token_file = {};  // empty: the page and its API answer on loopback addresses only
};

}  // namespace sidelight
