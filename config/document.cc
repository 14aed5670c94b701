#include "config/document.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <unordered_map>

namespace sidelight {
namespace {

constexpr std::size_t kMaxBytes = 4u << 20;
constexpr std::size_t kMaxNodes = 200'000;  // aliases can make a small file a huge tree
constexpr int kMaxDepth = 32;               // the deepest key of the schema is at 8

class Converter {
 public:
  explicit Converter(std::vector<ConfigProblem>& problems) : problems_(problems) {}

  DocumentNode convert(const YAML::Node& in, int depth) {
    DocumentNode out;
    place(in.Mark(), out.line, out.column);
    if (depth > kMaxDepth || ++nodes_ > kMaxNodes) {
      if (!too_big_) add(in.Mark(), depth > kMaxDepth ? "nested too deeply" : "too many nodes (aliases?)");
      too_big_ = true;
      return out;
    }
    switch (in.Type()) {
      case YAML::NodeType::Scalar:
        out.kind = DocumentNode::Kind::scalar;
        out.text = in.Scalar();
        out.quoted = in.Tag() == "!";  // how the library marks a scalar that was not plain
        break;
      case YAML::NodeType::Sequence:
        out.kind = DocumentNode::Kind::list;
        for (const YAML::Node& item : in) out.items.push_back(convert(item, depth + 1));
        break;
      case YAML::NodeType::Map:
        out.kind = DocumentNode::Kind::map;
        convert_map(in, depth, out);
        break;
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        break;
    }
    return out;
  }

 private:
  void convert_map(const YAML::Node& in, int depth, DocumentNode& out) {
    std::unordered_map<std::string, int> lines;  // key -> line of its first use
    for (const auto& pair : in) {
      if (too_big_) return;
      if (!pair.first.IsScalar()) {
        add(pair.first.Mark(), "a key must be plain text");
        continue;
      }
      DocumentEntry entry;
      entry.key = pair.first.Scalar();
      place(pair.first.Mark(), entry.line, entry.column);
      const auto [first, is_new] = lines.emplace(entry.key, entry.line);
      if (!is_new) {
        add(pair.first.Mark(), "duplicate key \"" + entry.key + "\"; it is already set on line " +
                                   std::to_string(first->second));
        continue;
      }
      if (entry.key == "<<") {
        add(pair.first.Mark(),
            "merge keys (<<) are not supported; repeat the keys, or use aliases for values");
        continue;
      }
      entry.value = convert(pair.second, depth + 1);
      if (entry.value.kind == DocumentNode::Kind::null) {
        // The library places what is not there behind the white space that follows.
        entry.value.line = entry.line;
        entry.value.column = entry.column;
      }
      out.entries.push_back(std::move(entry));
    }
  }

  static void place(const YAML::Mark& mark, int& line, int& column) {
    line = std::max(mark.line, 0) + 1;
    column = std::max(mark.column, 0) + 1;
  }

  void add(const YAML::Mark& mark, std::string message) {
    ConfigProblem p;
    place(mark, p.line, p.column);
    p.message = std::move(message);
    problems_.push_back(std::move(p));
  }

  std::vector<ConfigProblem>& problems_;
  std::size_t nodes_ = 0;
  bool too_big_ = false;
};

void add(std::vector<ConfigProblem>& problems, int line, int column, std::string message) {
  ConfigProblem p;
  p.line = line;
  p.column = column;
  p.message = std::move(message);
  problems.push_back(std::move(p));
}

// The first line whose indentation holds a tab; 0: none. YAML forbids it, and the library's own words for it
// are misleading.
int tab_indented_line(std::string_view text, int& column) {
  int line = 1;
  while (!text.empty()) {
    const std::string_view row = text.substr(0, text.find('\n'));
    const std::size_t ink = row.find_first_not_of(" \t\r");
    const std::size_t tab = row.find('\t');
    if (ink != std::string_view::npos && row[ink] != '#' && tab < ink) {
      column = static_cast<int>(tab) + 1;
      return line;
    }
    if (row.size() == text.size()) break;
    text.remove_prefix(row.size() + 1);
    ++line;
  }
  return 0;
}

std::string_view row_at(std::string_view text, int line) {
  for (; line > 0; --line) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// A glob without quotes is an alias to YAML, and the library speaks of anchors then. It may have read a
// little further than where the value begins.
std::string quoting_hint(std::string_view text, const YAML::Mark& mark) {
  if (mark.line < 0 || mark.column < 0) return {};
  const std::string_view row = row_at(text, mark.line);
  const std::size_t here = static_cast<std::size_t>(mark.column);
  const std::size_t begin = row.find_last_of("*&%@`", here);
  if (begin == std::string_view::npos) return {};
  const bool begins_value =
      begin == 0 || std::string_view(" [{,").find(row[begin - 1]) != std::string_view::npos;
  if (!begins_value || row.substr(begin, here - begin).contains(' ')) return {};
  const std::string special(1, row[begin]);
  return "; a value that begins with " + special + " needs quotes" +
         (special == "*" ? ", as in '*.log'" : "");
}

void add_syntax_error(std::string_view text, const YAML::Mark& mark, const std::string& message,
                      std::vector<ConfigProblem>& problems) {
  int column = 0;
  const int tab_line = tab_indented_line(text, column);
  // A tab makes the library stumble on its line or a little later.
  if (tab_line != 0 && tab_line <= mark.line + 1) {
    add(problems, tab_line, column, "a tab in the indentation; YAML allows spaces only");
    return;
  }
  add(problems, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1,
      "not valid YAML: " + message + quoting_hint(text, mark));
}

DocumentNode load(std::string_view text, std::vector<ConfigProblem>& problems) {
  const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
  if (documents.size() > 1) {
    const YAML::Mark mark = documents[1].Mark();
    add(problems, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1,
        "a second YAML document; a configuration is one document");
  }
  if (documents.empty()) return {};
  return Converter(problems).convert(documents[0], 0);
}

}  // namespace

DocumentNode parse_document(std::string_view text, std::vector<ConfigProblem>& problems) {
  if (text.size() > kMaxBytes) {
    add(problems, 0, 0, "larger than 4 MiB; this is no configuration");
    return {};
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n');
    add(problems, static_cast<int>(line) + 1, 1, "a NUL byte; the file must be UTF-8 text");
    return {};
  }
  try {
    return load(text, problems);
  } catch (const YAML::Exception& e) {
    add_syntax_error(text, e.mark, e.msg, problems);
  } catch (const std::exception& e) {
    add(problems, 0, 0, std::string("not valid YAML: ") + e.what());
  }
  return {};
}

}  // namespace sidelight
