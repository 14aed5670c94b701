#include <algorithm>

#include "config/loader.h"
#include "config/reader.h"
#include "config/schema.h"

namespace sidelight {
namespace {

void compare(const ObjectSchema& schema, const void* a, const void* b, const std::string& path,
             std::vector<std::string>& needs_restart);

void compare_section(const KeySpec& field, const void* a, const void* b, const std::string& path,
                     std::vector<std::string>& needs_restart) {
  const void* left = field.peek(a);
  const void* right = field.peek(b);
  if ((left == nullptr) != (right == nullptr)) {
    if (field.restart) needs_restart.push_back(path);
  } else if (left != nullptr) {
    compare(*field.object, left, right, path, needs_restart);
  }
}

void compare(const ObjectSchema& schema, const void* a, const void* b, const std::string& path,
             std::vector<std::string>& needs_restart) {
  for (const KeySpec& field : schema.fields) {
    const std::string here = join_key(path, field.key);
    if (field.type == KeyType::object) {
      compare_section(field, a, b, here, needs_restart);
    } else if (field.type == KeyType::object_list) {
      const auto left = field.elements(a);
      const auto right = field.elements(b);
      for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
        compare(*field.object, left[i], right[i], here + "[" + std::to_string(i) + "]", needs_restart);
      }
    } else if (field.restart && field.get(a) != field.get(b)) {
      needs_restart.push_back(here);
    }
  }
}

}  // namespace

bool same_except_reloadable(const Settings& a, const Settings& b, std::vector<std::string>& needs_restart) {
  const std::size_t before = needs_restart.size();
  compare(settings_schema(), &a, &b, {}, needs_restart);
  return needs_restart.size() == before;
}

}  // namespace sidelight
