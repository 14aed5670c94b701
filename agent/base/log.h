// The program's own log, as the stages see it.
#pragma once

#include <string>
#include <string_view>

namespace sidelight {

enum class LogLevel { debug, info, warn, error };

// Thread-safe. `key` names the message (a constant such as "tail.unreadable" or one with an id appended);
// messages of one key are rate-limited together, and the number suppressed is told with the next one that
// passes.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void write(LogLevel level, std::string_view key, const std::string& message) = 0;

  void debug(std::string_view key, const std::string& m) { write(LogLevel::debug, key, m); }
  void info(std::string_view key, const std::string& m) { write(LogLevel::info, key, m); }
  void warn(std::string_view key, const std::string& m) { write(LogLevel::warn, key, m); }
  void error(std::string_view key, const std::string& m) { write(LogLevel::error, key, m); }
};

class NullLogger final : public Logger {
 public:
  void write(LogLevel /*level*/, std::string_view /*key*/, const std::string& /*message*/) override {}
};

}  // namespace sidelight
