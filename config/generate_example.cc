#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "config/generate.h"
#include "config/schema.h"

namespace sidelight {
namespace {

constexpr std::size_t kWidth = 100;

// Writes one struct's keys; what is commented out stays in place, so that taking the "#" away is all there is
// to do.
class ExampleWriter {
 public:
  void section(const ObjectSchema& schema, int depth, bool commented, bool as_list_item) {
    const std::shared_ptr<void> defaults = schema.make();
    bool first = as_list_item;
    for (const KeySpec& key : schema.fields) {
      const bool off = commented || !(key.in_example || key.required || !key.required_with.empty());
      // The first key of a list's item has "- " before it, so its help goes above the item.
      const int help_depth = first ? depth - 1 : depth;
      help(key, help_depth);
      line(key, defaults.get(), depth, off, first);
      first = false;
      nested(key, depth, off);
    }
  }

  std::string out;

 private:
  std::set<const ObjectSchema*> described_;

  static std::string indent(int depth) { return std::string(static_cast<std::size_t>(depth) * 2, ' '); }

  // "# " in front of every line of text.
  void help(const KeySpec& key, int depth) {
    std::string text = key.help;
    if (key.type == KeyType::choice) text += " One of: " + listed(key.choices) + ".";
    if (const std::string bounds = bounds_text(key); !bounds.empty()) text += " Allowed: " + bounds + ".";
    if (!key.default_note.empty()) text += " Default: " + key.default_note + ".";
    const std::string lead = indent(depth) + "# ";
    std::string row = lead;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      const std::string word = text.substr(at, end - at);
      if (row.size() > lead.size() && row.size() + word.size() + 1 > kWidth) {
        out += row + "\n";
        row = lead;
      }
      row += (row.size() > lead.size() ? " " : "") + word;
      at = end + 1;
    }
    out += row + "\n";
  }

  static std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
    return text;
  }

  void line(const KeySpec& key, const void* defaults, int depth, bool off, bool list_item) {
    std::string lead = indent(depth);
    if (list_item) lead.resize(lead.size() - 2);
    out += lead + (off ? "#" : "") + (list_item ? "- " : "") + key.key + ":";
    const bool described = key.object && described_.contains(key.object.get());
    const bool has_keys = key.object && !key.object->fields.empty() && !described;
    if (described) {
      out += key.type == KeyType::object_list ? " []" : " {}";  // the keys stand where it was described
    } else if (!has_keys) {
      const bool empty_section = key.object != nullptr;
      const std::string value =
          !key.example.empty() || empty_section ? key.example : format_value(key, key.get(defaults));
      out += " " + value;
    }
    out += "\n";
  }

  void nested(const KeySpec& key, int depth, bool off) {
    if (!key.object || key.object->fields.empty() || !described_.insert(key.object.get()).second) return;
    const bool list = key.type == KeyType::object_list;
    section(*key.object, depth + (list ? 2 : 1), off, list);
  }
};

}  // namespace

std::string generate_example() {
  ExampleWriter writer;
  writer.out =
      "# Every key that Sidelight knows. What is commented out shows its default, or an example where there "
      "is none.\n"
      "# Written by `sidelight schema --example`; see REFERENCE.md for tables of the same.\n"
      "# Relative paths start from this file's directory. ${VAR} and ${VAR:-default} stand for environment "
      "variables.\n"
      "# yaml-language-server: $schema=schema.json\n\n";
  writer.section(settings_schema(), 0, false, false);
  return writer.out;
}

}  // namespace sidelight
