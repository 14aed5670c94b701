#include "config/generate.h"
#include "config/schema.h"

namespace sidelight {
namespace {

void write(const ObjectSchema& schema, const void* owner, const std::string& indent, std::string& out);

void write_items(const KeySpec& key, const void* owner, const std::string& indent, std::string& out) {
  out += indent + key.key + ":\n";
  for (const void* element : key.elements(owner)) {
    const std::size_t start = out.size();
    write(*key.object, element, indent + "    ", out);
    if (out.size() > start) out.replace(start + indent.size() + 2, 2, "- ");
  }
}

std::string value_text(const KeySpec& key, const void* owner) {
  const KeyValue value = key.get(owner);
  if (!key.is_secret()) return format_value(key, value);
  return std::get<std::string>(value).empty() ? "''" : "(secret)";
}

void write(const ObjectSchema& schema, const void* owner, const std::string& indent, std::string& out) {
  for (const KeySpec& key : schema.fields) {
    if (key.type == KeyType::object_list) {
      write_items(key, owner, indent, out);
    } else if (key.object) {
      const void* section = key.peek(owner);
      if (section == nullptr || key.object->fields.empty()) {
        if (key.leave_out) out += indent + key.key + ": off\n";
        continue;
      }
      out += indent + key.key + ":\n";
      write(*key.object, section, indent + "  ", out);
    } else {
      out += indent + key.key + ": " + value_text(key, owner) + "\n";
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
