// Takes container runtimes' wrapping off a line. Formats: CRI logging (Kubernetes KEP "CRI container log
// format"): TIME STREAM TAGS MESSAGE, tag P for a piece of a longer line and F for the last one; Docker's
// json-file driver: {"log":"...\n","stream":"...","time":"..."}, a log without the last newline being a
// piece.
#pragma once

#include <optional>
#include <string_view>

#include "agent/base/arena.h"

namespace sidelight {

struct ContainerLine {
  std::string_view text;  // view into the line, or the arena where there were escapes
  std::string_view time;
  bool is_stderr = false;
  bool partial = false;  // the line goes on in the stream's next one
};

// Nothing when `line` (without terminator) has not the shape.
std::optional<ContainerLine> parse_cri_line(std::string_view line);

// `strict`: all three members are wanted, as the driver writes them, "log" first; else "log" alone is enough.
// Broken escapes or JSON: nothing.
std::optional<ContainerLine> parse_docker_line(std::string_view line, bool strict, Arena& arena);

}  // namespace sidelight
