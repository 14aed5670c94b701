#include "config/loader.h"

#include <algorithm>
#include <system_error>
#include <tuple>

#include "config/checks.h"
#include "config/document.h"
#include "config/reader.h"
#include "config/schema.h"

namespace sidelight {
namespace {

constexpr std::size_t kMaxFileBytes = 8u << 20;

// The directory that relative paths start from. Taken from the path as given, not from where its last symlink
// leads: a ConfigMap's file is a link into a directory that is replaced at each update.
Expected<std::string> base_directory(FileSystem& files, const std::string& file) {
  const std::string dir = dir_name(file);
  if (dir.starts_with('/')) return dir;
  auto here = files.real_path(".");
  if (!here) return std::unexpected(here.error());
  return absolute_path(*here, dir);
}

// Those of one place stay in the order in which they were found. (An insertion sort: they are few and nearly
// in order, and std::stable_sort of libstdc++ 12 draws a warning from clang.)
void sort_by_place(std::vector<ConfigProblem>& problems) {
  const auto before = [](const ConfigProblem& a, const ConfigProblem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  };
  for (auto it = problems.begin(); it != problems.end(); ++it)
    std::rotate(std::upper_bound(problems.begin(), it, *it, before), it, it + 1);
}

void read_settings(FileSystem& files, const std::string& base_dir, const Environment& environment,
                   const DocumentNode& root, Findings& findings, Settings& settings) {
  if (root.kind == DocumentNode::Kind::null) {
    findings.error({1, 1}, {},
                   "the configuration is empty; it needs logs (with output and state_dir), or collectors");
    return;
  }
  settings.http.emplace();  // on unless switched off
  Reader(files, environment, base_dir, findings).read_object(settings_schema(), &settings, root, {});
  complete_settings(environment, settings, findings);
}

}  // namespace

LoadResult load_config(FileSystem& files, const std::string& file, const Environment& environment) {
  Findings findings(file);
  Settings settings;
  auto text = files.read_file(file, kMaxFileBytes);
  auto base_dir = base_directory(files, file);
  if (!text) {
    findings.error({}, {},
                   "cannot read the configuration: " +
                       (text.error().code != 0 ? std::generic_category().message(text.error().code)
                                               : text.error().message));
  } else if (!base_dir) {
    findings.error({}, {}, "cannot find the directory of the configuration: " + base_dir.error().message);
  } else {
    std::vector<ConfigProblem> syntax;
    const DocumentNode root = parse_document(*text, syntax);
    for (ConfigProblem& p : syntax) findings.error({p.line, p.column}, p.key_path, std::move(p.message));
    const bool readable = syntax.empty() || root.kind != DocumentNode::Kind::null;
    if (readable) read_settings(files, *base_dir, environment, root, findings, settings);
  }
  LoadResult result;
  result.errors = std::move(findings.errors);
  result.warnings = std::move(findings.warnings);
  sort_by_place(result.errors);
  sort_by_place(result.warnings);
  if (result.errors.empty()) result.settings = std::move(settings);
  return result;
}

}  // namespace sidelight
