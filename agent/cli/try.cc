// `sidelight try`: documents go to the standard output, one a line; what is to be said about them to the
// standard error.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "agent/cli/commands.h"
#include "agent/cli/configuration.h"
#include "agent/pipeline/trial.h"

namespace sidelight {
namespace {

struct Colours {
  const char* note = "";
  const char* bad = "";
  const char* key = "";
  const char* off = "";
};

// https://no-color.org: a NO_COLOR that is not empty means none.
Colours colours_for(int descriptor) {
  const auto no_colour = environment_variable("NO_COLOR");
  if ((no_colour && !no_colour->empty()) || ::isatty(descriptor) == 0) return {};
  return {"\033[2m", "\033[33m", "\033[36m", "\033[0m"};
}

// Keys coloured; the document stays JSON without the colours.
std::string painted(std::string_view json, const Colours& c) {
  if (*c.key == '\0') return std::string(json);
  std::string out;
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] != '"') {
      out += json[i++];
      continue;
    }
    std::size_t end = i + 1;
    while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2u : 1u;
    end = std::min(end + 1, json.size());
    const bool is_key = end < json.size() && json[end] == ':';
    if (is_key) out += c.key;
    out += json.substr(i, end - i);
    if (is_key) out += c.off;
    i = end;
  }
  return out;
}

// Nothing of a line can move the cursor or colour the terminal.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 120;
  std::string out;
  for (const char ch : text.substr(0, kMost))
    out += static_cast<unsigned char>(ch) < 0x20 || ch == 0x7F ? ' ' : ch;
  return out + (text.size() > kMost ? "..." : "");
}

class Printer {
 public:
  void show(const TrialResult& r) {
    const std::string where = r.line == 0 ? "summary" : "line " + std::to_string(r.line);
    if (!r.complaint.empty())
      note(notes_.bad, where + ": did not parse: " + std::string(r.complaint) + ": " + shown(r.text));
    if (r.document.empty()) {
      ++dropped_;
      note(notes_.bad, where + ": dropped by " + r.dropped_by + ", " + r.why + ": " + shown(r.text));
      return;
    }
    ++kept_;
    std::string to;
    for (const std::string& o : r.outputs) to += (to.empty() ? "" : ", ") + o;
    note(notes_.note, where + " -> " + to);
    std::printf("%s\n", painted(r.document, documents_).c_str());
    std::fflush(stdout);
  }
  void sum_up() const {
    note(notes_.note,
         std::to_string(kept_) + " document(s), " + std::to_string(dropped_) + " event(s) dropped");
  }

 private:
  void note(const char* colour, const std::string& text) const {
    std::fprintf(stderr, "%s%s%s\n", colour, text.c_str(), *colour != '\0' ? notes_.off : "");
  }

  Colours documents_ = colours_for(STDOUT_FILENO);
  Colours notes_ = colours_for(STDERR_FILENO);
  std::uint64_t kept_ = 0;
  std::uint64_t dropped_ = 0;
};

Expected<std::size_t> read_stdin(char* to, std::size_t n) {
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, to, n);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR)
      return fail("cannot read the standard input: " + std::generic_category().message(errno), errno);
  }
}

}  // namespace

int try_command(const std::string& config_file, const std::string& input_name) {
  PosixFileSystem fs;
  const auto settings = load_or_explain(fs, config_file);
  if (!settings) return 2;
  std::string names;
  std::size_t input = 0;
  bool found = input_name.empty() && !settings->logs.empty();
  for (std::size_t i = 0; i < settings->logs.size(); ++i) {
    names += (names.empty() ? "" : ", ") + settings->logs[i].name;
    if (settings->logs[i].name != input_name) continue;
    input = i;
    found = true;
  }
  if (!found) {
    std::fprintf(stderr, "%s\n",
                 settings->logs.empty()
                     ? "the configuration has no logs"
                     : ("no log input is named '" + input_name + "'; there are " + names).c_str());
    return 2;
  }
  if (input_name.empty() && settings->logs.size() > 1)
    std::fprintf(stderr, "as log input %s would read it; others, by --input: %s\n",
                 settings->logs[0].name.c_str(), names.c_str());
  if (::isatty(STDIN_FILENO) != 0)
    std::fprintf(stderr, "reading lines from the terminal, to the end (Ctrl-D)\n");
  Printer printer;
  const SystemClock clock;
  const auto done =
      run_trial(*settings, input, fs, clock, read_stdin, [&](const TrialResult& r) { printer.show(r); });
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
    return 1;
  }
  printer.sum_up();
  return 0;
}

}  // namespace sidelight
