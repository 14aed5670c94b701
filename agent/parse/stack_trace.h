// Where in an event of several lines its stack trace is.
#pragma once

#include <optional>
#include <string_view>

namespace sidelight {

// Views into the event's text.
struct StackTrace {
  std::string_view head;  // what was said before it; without a line of its own, the line that names the error
  std::string_view trace;    // to the end of the text; with the error's own line
  std::string_view type;     // "java.lang.IllegalStateException", "ValueError"; may be empty
  std::string_view message;  // what the error says; may be empty
};

// Traces of the JVM, .NET, Python and Go. Head and trace together hold all of the text. None: no line of it
// begins a trace.
std::optional<StackTrace> find_stack_trace(std::string_view text);

}  // namespace sidelight
