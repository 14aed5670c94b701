// Turns an event's text into a record.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/base/arena.h"
#include "agent/base/error.h"
#include "agent/parse/record.h"

namespace sidelight {

enum class Format { automatic, raw, json, logfmt, nginx_access, nginx_error, regex };

struct ParseOptions {
  Format format = Format::automatic;
  std::string pattern{};  // Format::regex: RE2 with named groups; groups time, level, message are understood,
                          // others become fields
  std::string timezone = "UTC";  // for times without a zone: "UTC", "+03:00", or an IANA name
  std::string nginx_format{};  // optional log_format string of nginx ('$remote_addr - ...'); empty: combined,
                               // extended fields understood
};

// One instance a worker thread (it holds scratch memory). Never fails: a line that does not parse becomes a
// raw record with parse_error set (not for automatic, where raw is one of the possibilities).
class Parser {
 public:
  virtual ~Parser() = default;
  // Texts of the events to come are parts of `window` (or lie elsewhere), mostly in its order. It has 64
  // readable bytes behind it and stays as it is until the last of them was parsed. Changes no result: lines
  // can be looked at together that way, which is faster than one at a time.
  virtual void announce(std::string_view window) = 0;
  // `event` must have 64 readable bytes behind its text (chunks and arenas do). `now_ns` (UTC) completes
  // times without a year. What `out` held is gone.
  virtual void parse(const Event& event, std::int64_t now_ns, Arena& arena, Record& out) = 0;
};

Expected<std::unique_ptr<Parser>> make_parser(const ParseOptions& options);

}  // namespace sidelight
