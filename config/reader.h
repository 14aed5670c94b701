// Fills a struct from a document by its schema, noting everything that does not fit.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/filesystem.h"
#include "config/document.h"
#include "config/expand.h"
#include "config/problem.h"
#include "config/schema.h"

namespace sidelight {

struct Position {
  int line = 0;
  int column = 0;
};

// What reading a document gathers besides the values. Key paths are as in ConfigProblem.
class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}
  void error(Position at, const std::string& path, std::string message);
  void warning(Position at, const std::string& path, std::string message);
  // At the value of `path`, or of its nearest parent that the file has.
  void error_at(const std::string& path, std::string message) {
    error(position(path), path, std::move(message));
  }
  void warning_at(const std::string& path, std::string message) {
    warning(position(path), path, std::move(message));
  }

  // A key that has a value, not an empty one; a value that is no good counts.
  bool given(const std::string& path) const { return positions_.contains(path); }
  void note(const std::string& path, Position at) { positions_[path] = at; }
  Position position(std::string path) const;

  std::vector<ConfigProblem> errors;
  std::vector<ConfigProblem> warnings;

 private:
  std::string file_;
  std::map<std::string, Position> positions_;
};

class Reader {
 public:
  // `base_dir` is absolute; relative paths become part of it. All must outlive the reader.
  Reader(FileSystem& files, const Environment& environment, std::string base_dir, Findings& findings)
      : files_(files), environment_(environment), base_dir_(std::move(base_dir)), findings_(findings) {}

  void read_object(const ObjectSchema& schema, void* owner, const DocumentNode& node,
                   const std::string& path);

 private:
  void read_field(const KeySpec& field, void* owner, const DocumentNode& node, const std::string& path);
  void read_section(const KeySpec& field, void* owner, const DocumentNode& node, const std::string& path);
  void read_sections(const KeySpec& field, void* owner, const DocumentNode& node, const std::string& path);
  void read_list(const KeySpec& field, void* owner, const DocumentNode& node, const std::string& path);
  void read_map(const KeySpec& field, void* owner, const DocumentNode& node, const std::string& path);
  void read_scalar(const KeySpec& field, void* owner, const DocumentNode& node, const std::string& path);
  void unknown_key(const ObjectSchema& schema, const DocumentEntry& entry, const std::string& path,
                   const std::string& parent);
  void check_keys(const ObjectSchema& schema, const DocumentNode& node, const std::string& path);

  bool expand_scalar(const KeySpec& field, const DocumentNode& node, const std::string& path, Expanded& out);
  // Empty, or what is wrong; `written` is the text before ${...}. May rewrite `text` (a path becomes
  // absolute).
  std::string check_text(const KeySpec& field, const std::string& written, std::string& text);
  std::string check_file(std::string& path, bool is_secret) const;
  void warn_if_readable_by_all(const std::string& file, Position at, const std::string& path);
  void wrong(const KeySpec& field, const DocumentNode& node, const std::string& path,
             const std::string& why = {});

  FileSystem& files_;
  const Environment& environment_;
  std::string base_dir_;
  Findings& findings_;
};

// "a" and "b" -> "a.b"; "" and "b" -> "b".
std::string join_key(const std::string& parent, const std::string& key);

// "/etc/app" and "./x//y" -> "/etc/app/x/y"; absolute paths stay. ".." is kept: it need not mean what it
// seems to across symlinks.
std::string absolute_path(const std::string& base_dir, const std::string& path);

}  // namespace sidelight
