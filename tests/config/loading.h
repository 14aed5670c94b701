// Loads a configuration from memory, as the tests of this folder do all the time.
#pragma once

#include <map>
#include <string>

#include "config/loader.h"
#include "tests/fakes/memory_filesystem.h"

namespace sidelight {

inline constexpr const char* kConfigFile = "/etc/sidelight/sidelight.yaml";

struct Loading {
  MemoryFileSystem files;
  std::map<std::string, std::string> environment;

  LoadResult load(const std::string& yaml) {
    files.write_file(kConfigFile, yaml);
    return load_config(files, kConfigFile, [this](const std::string& name) -> std::optional<std::string> {
      const auto it = environment.find(name);
      if (it == environment.end()) return std::nullopt;
      return it->second;
    });
  }
};

// The errors, one a line, without the file's directory: "4:5: logs[0].formt: unknown key...".
inline std::string text_of(const std::vector<ConfigProblem>& problems) {
  std::string out;
  for (const ConfigProblem& p : problems) {
    const std::string line = render_problem(p);
    out += (line.starts_with(kConfigFile) ? line.substr(std::string(kConfigFile).size() + 1) : line) + "\n";
  }
  return out;
}

// A good configuration around `more`, which begins at line 5 of the file.
inline std::string around(const std::string& more) {
  return "logs:\n  - paths: [/a.log]\noutput: {file: {path: ./out.ndjson}}\nstate_dir: ./state\n" + more;
}

// An Elasticsearch output with `more` in it, each line of which needs an indentation of 4; it begins at
// line 6.
inline std::string elasticsearch(const std::string& more) {
  return "logs:\n  - paths: [/a.log]\nstate_dir: ./state\noutput:\n  elasticsearch:\n" + more;
}

}  // namespace sidelight
