#include "agent/observe/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/base/rfc3339.h"
#include "agent/observe/log_limiter.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxMessage = 8 * 1024;
constexpr std::size_t kMaxFileBytes = 10u << 20;
constexpr std::size_t kKeepFiles = 3;

struct LevelNames {
  const char* text;
  const char* ecs;
};

LevelNames level_names(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return {"DEBUG", "debug"};
    case LogLevel::info:
      return {"INFO", "info"};
    case LogLevel::warn:
      return {"WARN", "warn"};
    case LogLevel::error:
      return {"ERROR", "error"};
  }
  return {"INFO", "info"};
}

std::string timestamp(WallNanos now) {
  char text[kRfc3339Max];
  // Milliseconds are enough for people, and make lines of equal width.
  constexpr WallNanos kMilli = 1'000'000;
  return {text, write_rfc3339(text, now - now % kMilli)};
}

// "https://user:password@host" -> "https://user:***@host": URLs get into error messages from many places.
std::string blank_passwords(std::string text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const std::size_t begin = at + 3;
    const std::size_t end = text.find_first_of("/?# \t\"'<>", begin);
    const std::string_view authority =
        std::string_view(text).substr(begin, end == std::string::npos ? end : end - begin);
    const std::size_t user_end = authority.rfind('@');
    if (user_end == std::string_view::npos) continue;
    const std::size_t colon = authority.substr(0, user_end).find(':');
    if (colon != std::string_view::npos) text.replace(begin + colon + 1, user_end - colon - 1, "***");
  }
  return text;
}

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_line(LogLevel level, std::string_view key, const std::string& message, WallNanos now,
                      std::uint64_t suppressed) {
  std::string line = R"({"@timestamp":")" + timestamp(now) + R"(","log.level":")" + level_names(level).ecs +
                     R"(","message":)" + json_string(message) + R"(,"event.action":)" + json_string(key) +
                     R"(,"service.name":"sidelight")";
  if (suppressed > 0) line += R"(,"labels.suppressed":)" + std::to_string(suppressed);
  return line + "}";
}

// Control characters would let a file name or an answer forge lines; JSON's escapes are readable and
// unambiguous.
std::string printable(std::string_view text) {
  const std::string quoted = json_string(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\' && (quoted[i + 1] == '"' || quoted[i + 1] == '\\')) ++i;
    out += quoted[i];
  }
  return out;
}

std::string text_line(LogLevel level, std::string_view key, const std::string& message, WallNanos now,
                      std::uint64_t suppressed) {
  std::string line =
      timestamp(now) + " " + level_names(level).text + " " + printable(key) + ": " + printable(message);
  if (suppressed > 0) line += " (suppressed " + std::to_string(suppressed) + " like it)";
  return line;
}

class SpdlogLogger final : public Logger {
 public:
  SpdlogLogger(const LogOptions& options, const Clock& clock, spdlog::sink_ptr sink)
      : min_level_(options.level), json_(options.json), clock_(clock), spdlog_("sidelight", std::move(sink)) {
    spdlog_.set_pattern("%v");
    spdlog_.set_level(spdlog::level::trace);
    spdlog_.flush_on(spdlog::level::trace);
    // Nowhere left to tell it; the metrics show what matters.
    spdlog_.set_error_handler([](const std::string&) {});
  }

  void write(LogLevel level, std::string_view key, const std::string& message) override {
    if (level < min_level_) return;
    std::optional<std::uint64_t> suppressed;
    {
      const std::lock_guard lock(mutex_);
      suppressed = limiter_.admit(key, clock_.now());
    }
    if (!suppressed) return;
    std::string text = blank_passwords(message.substr(0, kMaxMessage));
    if (message.size() > kMaxMessage) text += "...";
    spdlog_.log(spdlog::level::info,
                spdlog::string_view_t(json_ ? json_line(level, key, text, clock_.wall(), *suppressed)
                                            : text_line(level, key, text, clock_.wall(), *suppressed)));
  }

 private:
  const LogLevel min_level_;
  const bool json_;
  const Clock& clock_;
  spdlog::logger spdlog_;
  std::mutex mutex_;  // guards limiter_
  LogLimiter limiter_;
};

spdlog::sink_ptr stderr_sink() {
  return std::make_shared<spdlog::sinks::stderr_sink_mt>();
}

}  // namespace

std::unique_ptr<Logger> make_logger(const LogOptions& options, const Clock& clock) {
  if (options.file.empty()) return std::make_unique<SpdlogLogger>(options, clock, stderr_sink());
  try {
    return std::make_unique<SpdlogLogger>(
        options, clock,
        std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file, kMaxFileBytes, kKeepFiles));
  } catch (const spdlog::spdlog_ex& e) {
    auto logger = std::make_unique<SpdlogLogger>(options, clock, stderr_sink());
    logger->error("log.file", std::string("cannot log to a file, so this goes to stderr: ") + e.what());
    return logger;
  }
}

}  // namespace sidelight
