// How the runtimes of Java, .NET and Python name an error in a line of its own.
#pragma once

#include <optional>
#include <string_view>

namespace sidelight {

// Views into the line.
struct ExceptionLine {
  std::string_view type;
  std::string_view message;
};

enum class ErrorNames {
  certain,    // dotted, with a part that ends in Exception, Error or Throwable: may follow a logger's line
  qualified,  // any dotted name: only where frames follow
  any,        // only where a traceback has been announced
};

// "java.lang.IllegalStateException: boom", "System.IO.IOException (0x80004005): boom",
// "a.B$NotFoundException". The line begins with the name.
std::optional<ExceptionLine> read_exception_line(std::string_view line, ErrorNames names);

// The name of a class, with its namespace, at the start of `line`; empty when there is none.
std::string_view class_name_at(std::string_view line);

// What PostgreSQL's drivers put behind the message of an error, in lines of their own: "DETAIL:  Key ...",
// "LINE 1: SELECT", as the server says it in English and in Russian.
bool is_postgres_detail(std::string_view line);

}  // namespace sidelight
