#include <algorithm>
#include <array>
#include <string_view>

#include "config/checks.h"
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

bool equal(const ObjectSchema& schema, const void* a, const void* b);

bool equal_key(const KeySpec& field, const void* a, const void* b) {
  if (field.type == KeyType::object) {
    const void* left = field.peek(a);
    const void* right = field.peek(b);
    if (left == nullptr || right == nullptr) return left == right;
    return equal(*field.object, left, right);
  }
  if (field.type != KeyType::object_list) return field.get(a) == field.get(b);
  const auto left = field.elements(a);
  const auto right = field.elements(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](const void* l, const void* r) { return equal(*field.object, l, r); });
}

bool equal(const ObjectSchema& schema, const void* a, const void* b) {
  return std::all_of(schema.fields.begin(), schema.fields.end(),
                     [&](const KeySpec& field) { return equal_key(field, a, b); });
}

// What no glob may lead to.
std::vector<std::pair<std::string, std::size_t>> files_of_outputs(const Settings& settings) {
  std::vector<std::pair<std::string, std::size_t>> files;
  for (const OutputSettings* output : settings.all_outputs())
    if (output->file) files.emplace_back(output->file->path, output->file->keep);
  return files;
}

}  // namespace

void keep_state_dir(const Settings& running, Settings& next) {
  next.state_dir = running.state_dir;
  place_dead_letters(next);
}

// By what is left out, not by what is read: a key that is forgotten here costs a needless new start of the
// metrics, while one forgotten in a list of those that matter could go on showing what is to be redacted.
bool same_log_metrics(const Settings& a, const Settings& b) {
  static constexpr std::array<std::string_view, 9> kNotRead = {
      "collectors", "objectives", "output",    "outputs",          "routes",
      "http",       "log",        "state_dir", "shutdown_deadline"};
  const auto& all = settings_schema().fields;
  return files_of_outputs(a) == files_of_outputs(b) &&
         std::all_of(all.begin(), all.end(), [&](const KeySpec& field) {
           return std::find(kNotRead.begin(), kNotRead.end(), field.key) != kNotRead.end() ||
                  equal_key(field, &a, &b);
         });
}

bool same_fields(const Settings& a, const Settings& b) {
  const ObjectSchema& all = settings_schema();
  const KeySpec& logs = *all.find("logs");
  const auto now = logs.elements(&b);
  const auto before = logs.elements(&a);
  return equal_key(*all.find("processors"), &a, &b) &&
         std::all_of(before.begin(), before.end(), [&](const void* input) {
           return std::any_of(now.begin(), now.end(),
                              [&](const void* other) { return equal(*logs.object, input, other); });
         });
}

bool same_collectors(const Settings& a, const Settings& b) {
  return equal_key(*settings_schema().find("collectors"), &a, &b);
}

bool same_except_reloadable(const Settings& a, const Settings& b, std::vector<std::string>& needs_restart) {
  const std::size_t before = needs_restart.size();
  compare(settings_schema(), &a, &b, {}, needs_restart);
  return needs_restart.size() == before;
}

}  // namespace sidelight
