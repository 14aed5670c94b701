// Level names as loggers write them, brought to the eight of syslog (RFC 5424) plus trace.
#pragma once

#include <cstdint>
#include <string_view>

namespace sidelight {

// One of trace debug info notice warning error critical alert emergency (static storage), or empty for a word
// that is no level. Case does not matter. fatal is critical, panic emergency; FINE and its kin
// (java.util.logging) debug; LOG, STATEMENT and other PostgreSQL words as PostgreSQL ranks them; one-letter
// levels (glog, logcat, MongoDB) included.
std::string_view normalise_level(std::string_view word);

// As normalise_level(word), of a whole value: blanks around it are nothing, and slog's steps between levels
// are the level below ("INFO+2" is info, "DEBUG-4" trace).
std::string_view level_of_value(std::string_view value);

// Severities of MongoDB's JSON logs, under a key ("s") that says much less: F E W I D and D1 to D5.
std::string_view mongodb_level(std::string_view value);

// Numbers: syslog severities 0..7, bunyan and pino 10..60, Monolog 100..600. Empty for others.
std::string_view normalise_level(std::int64_t number);

// Like normalise_level(word), but only for words that can hardly be anything else in running text: no single
// letters, no words such as `log`, `all` or `ok`.
std::string_view level_in_text(std::string_view word);

}  // namespace sidelight
