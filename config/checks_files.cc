#include "config/checks_files.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sidelight {
namespace {

struct WrittenFile {
  std::string path;
  std::string key;       // where the configuration gives it
  bool rotates = false;  // PATH becomes PATH.1, that one PATH.2, and so on
};

std::vector<WrittenFile> written_files(const Settings& settings, const Findings& findings) {
  std::vector<WrittenFile> out;
  const auto add = [&](const OutputSettings& output, const std::string& key) {
    // Without a path it is the standard output.
    if (output.file && !output.file->path.empty())
      out.push_back({output.file->path, key + ".file.path", true});
  };
  if (settings.outputs.empty()) add(settings.output, "output");
  for (std::size_t i = 0; i < settings.outputs.size(); ++i) {
    const std::string item = "outputs[" + std::to_string(i) + "]";
    add(settings.outputs[i], findings.given(item) ? item : "outputs");
  }
  if (!settings.log.file.empty()) out.push_back({settings.log.file, "log.file"});
  return out;
}

// Any number counts, whatever `keep` says: it may grow at a reload.
bool is_rotated_name(const std::string& name, const WrittenFile& of) {
  if (!of.rotates || !name.starts_with(of.path + ".")) return false;
  const std::string_view number = std::string_view(name).substr(of.path.size() + 1);
  return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
}

// Two outputs with one file would rename and remove what the other one has just written.
std::string clash(const WrittenFile& file, const WrittenFile& earlier) {
  if (file.path == earlier.path) return "is the file of " + earlier.key + " already; give it one of its own";
  if (is_rotated_name(file.path, earlier))
    return "is a name that older files of " + earlier.key + " get (PATH.1, PATH.2, ...); give it another one";
  if (is_rotated_name(earlier.path, file))
    return "its older files (PATH.1, PATH.2, ...) would replace the file of " + earlier.key +
           "; give it another name";
  return {};
}

// The directory itself, or what the program keeps in it. Other files may be there.
bool is_state(const std::string& file, const std::string& state_dir) {
  if (state_dir.empty() || !file.starts_with(state_dir)) return false;
  std::string_view rest = std::string_view(file).substr(state_dir.size());
  if (rest.empty()) return true;
  if (rest.front() != '/') return false;
  rest.remove_prefix(1);
  const std::string_view name = rest.substr(0, rest.find('/'));
  constexpr auto kKept = std::to_array<std::string_view>({"lock", "dead-letters", "log-metrics"});
  return name.starts_with("checkpoint") || std::find(kKept.begin(), kKept.end(), name) != kKept.end();
}

}  // namespace

void check_files(const Settings& settings, Findings& findings) {
  const std::vector<WrittenFile> files = written_files(settings, findings);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (is_state(files[i].path, settings.state_dir))
      findings.error_at(files[i].key, "the program keeps its state there (state_dir); give it another place");
    for (std::size_t j = 0; j < i; ++j) {
      if (const std::string why = clash(files[i], files[j]); !why.empty())
        findings.error_at(files[i].key, why);
    }
  }
}

}  // namespace sidelight
