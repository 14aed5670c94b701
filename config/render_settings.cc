#include <algorithm>

#include "config/generate.h"
#include "config/schema.h"

namespace sidelight {
namespace {

void write(const ObjectSchema& schema, const void* owner, const std::string& indent, std::string& out);

void write_items(const KeySpec& key, const void* owner, const std::string& indent, std::string& out) {
  const auto elements = key.elements(owner);
  if (elements.empty()) {
    // Where one item is needed, no items means that the key is not there.
    if (key.min == 0) out += indent + key.key + ": []\n";
    return;
  }
  out += indent + key.key + ":\n";
  for (const void* element : elements) {
    const std::size_t start = out.size();
    write(*key.object, element, indent + "    ", out);
    if (out.size() > start) out.replace(start + indent.size() + 2, 2, "- ");
  }
}

// What ${ stands for has been put in already: one that is still there is meant.
std::string escaped(std::string text) {
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3))
    text.insert(at, 1, '$');
  return text;
}

std::string value_text(const KeySpec& key, const KeyValue& value) {
  if (!key.is_secret()) return escaped(format_value(key, value));
  if (!std::get<std::string>(value).empty()) return "(secret)";
  return key.type == KeyType::proxy_url ? "off" : "''";  // else the environment's would be taken
}

// A value that, written out, would be refused where it only means that the key is not there.
bool stands_for_nothing(const KeySpec& key, const KeyValue& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return list->empty() && key.min > 0;
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && text->empty() && !key.required_with.empty();
}

// Of kinds of which one is needed there is one, or else the section is not in force.
bool in_force(const ObjectSchema& schema, const void* section) {
  const auto is_there = [&](const std::string& name) {
    const KeySpec* key = schema.find(name);
    return !key->peek || key->peek(section) != nullptr;
  };
  return std::all_of(schema.exclusive.begin(), schema.exclusive.end(), [&](const KeyGroup& group) {
    return !group.one_needed || std::any_of(group.keys.begin(), group.keys.end(), is_there);
  });
}

void write_section(const KeySpec& key, const void* owner, const std::string& indent, std::string& out) {
  const void* section = key.peek(owner);
  if (section == nullptr || !in_force(*key.object, section)) {
    if (key.leave_out) out += indent + key.key + ": off\n";
    return;
  }
  if (key.object->fields.empty()) {
    out += indent + key.key + ": {}\n";
    return;
  }
  out += indent + key.key + ":\n";
  write(*key.object, section, indent + "  ", out);
}

void write(const ObjectSchema& schema, const void* owner, const std::string& indent, std::string& out) {
  for (const KeySpec& key : schema.fields) {
    if (key.type == KeyType::object_list) {
      write_items(key, owner, indent, out);
    } else if (key.object) {
      write_section(key, owner, indent, out);
    } else if (const KeyValue value = key.get(owner); !stands_for_nothing(key, value)) {
      out += indent + key.key + ": " + value_text(key, value) + "\n";
    }
  }
}

}  // namespace

std::string render_settings(const Settings& settings) {
  std::string out;
  write(settings_schema(), &settings, {}, out);
  return out;
}

}  // namespace sidelight
