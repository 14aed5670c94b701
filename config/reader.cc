#include "config/reader.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <system_error>
#include <utility>

#include "agent/base/number.h"
#include "config/names.h"
#include "config/quantities.h"

namespace sidelight {
namespace {

constexpr std::uint32_t kReadableByAll = 0004;

Position position_of(const DocumentNode& node) {
  return {node.line, node.column};
}

// What one item of a list is.
KeyType item_of(KeyType list) {
  switch (list) {
    case KeyType::texts:
      return KeyType::text;
    case KeyType::globs:
      return KeyType::path;
    case KeyType::excludes:
      return KeyType::exclude;
    case KeyType::urls:
      return KeyType::url;
    default:
      return list;
  }
}

std::string article(const KeySpec& field, KeyType item_type) {
  if (field.type == KeyType::choice) {
    std::string out = "one of ";
    for (const std::string& c : field.choices) out += (c == field.choices.front() ? "" : ", ") + c;
    return out;
  }
  const std::string name = type_name(item_type);
  if (field.type == KeyType::boolean || field.type == KeyType::text || field.type == KeyType::text_map) {
    return name;
  }
  return (name.front() == 'a' ? "an " : "a ") + name;
}

// The message about such a file says all there is to say.
bool is_file(KeyType type) {
  return type == KeyType::secret_file || type == KeyType::readable_file;
}

// What a shell would have replaced in a path, and nobody replaces here. `written` is the value before ${...}:
// a dollar that a variable brings belongs to the name.
std::string check_shell_words(const std::string& written, const std::string& path) {
  if (path == "~" || path.starts_with("~/")) return "~ is not replaced here; write ${HOME}";
  for (std::size_t i = 0; i + 1 < written.size(); ++i) {
    const char next = written[i + 1];
    if (written[i] != '$') continue;
    if ((next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z') || next == '_')
      return "a variable needs braces to be replaced: write ${NAME}, not $NAME";
  }
  return {};
}

// Nothing but the newlines that do not belong to a secret.
bool is_blank(const File& file) {
  std::array<char, 64> begin{};
  const auto n = file.read_at(begin.data(), begin.size(), 0);
  return n && *n < begin.size() &&
         std::string_view(begin.data(), *n).find_first_not_of("\r\n") == std::string_view::npos;
}

bool is_path(KeyType type) {
  return type == KeyType::path || type == KeyType::exclude || is_file(type);
}

std::string describe(const DocumentNode& node) {
  switch (node.kind) {
    case DocumentNode::Kind::null:
      return "nothing";
    case DocumentNode::Kind::list:
      return "a list";
    case DocumentNode::Kind::map:
      return "a section of keys";
    case DocumentNode::Kind::scalar:
      break;
  }
  return "a single value";
}

// The value as the file has it, for a message. Nothing where it may be a secret.
std::string shown(const KeySpec& field, const DocumentNode& node) {
  constexpr std::size_t kMost = 60;
  if (node.kind != DocumentNode::Kind::scalar) return ", got " + describe(node);
  // A URL may hold credentials where it must not.
  if (field.is_secret() || is_file(field.type) || node.text.find('@') != std::string::npos) return {};
  if (node.text.size() > kMost) return ", got \"" + node.text.substr(0, kMost) + "...\"";
  return ", got \"" + node.text + "\"";
}

// Where in the schema a key of this name is known: "output.elasticsearch.", or nothing.
std::string find_elsewhere(const ObjectSchema& schema, const std::string& key, const std::string& path) {
  for (const KeySpec& f : schema.fields) {
    const std::string here = join_key(path, f.key) + (f.type == KeyType::object_list ? "[]" : "");
    if (f.key == key) return here;
    if (!f.object) continue;
    if (std::string found = find_elsewhere(*f.object, key, here); !found.empty()) return found;
  }
  return {};
}

std::vector<std::string> keys_of(const ObjectSchema& schema) {
  std::vector<std::string> out;
  for (const KeySpec& f : schema.fields) out.push_back(f.key);
  return out;
}

std::string joined(const std::vector<std::string>& words, std::string_view last_glue) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out.append(i + 1 == words.size() ? last_glue : ", ");
    out += words[i];
  }
  return out;
}

// A message of the file system repeats the call and the path.
std::string reason(const Error& error) {
  return error.code != 0 ? std::generic_category().message(error.code) : error.message;
}

// "warning" for warn, "utf" for utf-8: words are cut and completed more than keys are.
std::string likely_choice(const std::string& word, const std::vector<std::string>& choices) {
  constexpr std::size_t kEnough = 3;
  if (std::string near = nearest(word, choices); !near.empty() || word.size() < kEnough) return near;
  const auto it = std::find_if(choices.begin(), choices.end(), [&](const std::string& c) {
    return c.size() >= kEnough && (word.starts_with(c) || c.starts_with(word));
  });
  return it == choices.end() ? std::string() : *it;
}

bool is_off(const DocumentNode& node) {
  return node.kind == DocumentNode::Kind::scalar && (node.text == "off" || node.text == "false");
}

}  // namespace

std::string join_key(const std::string& parent, const std::string& key) {
  return parent.empty() ? key : parent + "." + key;
}

std::string absolute_path(const std::string& base_dir, const std::string& path) {
  const std::string whole = path.starts_with('/') ? path : base_dir + "/" + path;
  std::string out;
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t end = std::min(whole.find('/', at), whole.size());
    const std::string_view part = std::string_view(whole).substr(at, end - at);
    if (!part.empty() && part != ".") out.append("/").append(part);
    at = end + 1;
  }
  return out.empty() ? "/" : out;
}

void Findings::error(Position at, const std::string& path, std::string message) {
  errors.push_back({file_, at.line, at.column, path, std::move(message)});
}

void Findings::warning(Position at, const std::string& path, std::string message) {
  warnings.push_back({file_, at.line, at.column, path, std::move(message)});
}

Position Findings::position(std::string path) const {
  while (true) {
    if (const auto it = positions_.find(path); it != positions_.end()) return it->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return {1, 1};
    path.resize(cut);
  }
}

void Reader::read_object(const ObjectSchema& schema, void* owner, const DocumentNode& node,
                         const std::string& path) {
  const KeySpec* const brief = schema.short_form.empty() ? nullptr : schema.find(schema.short_form);
  const bool is_list =
      node.kind == DocumentNode::Kind::list && brief != nullptr && item_of(brief->type) != brief->type;
  if (brief != nullptr && (node.kind == DocumentNode::Kind::scalar || is_list)) {
    read_field(*brief, owner, node, path);
    return;
  }
  if (node.kind != DocumentNode::Kind::map && node.kind != DocumentNode::Kind::null) {
    findings_.error(
        position_of(node), path,
        "expected a section of keys (" + joined(keys_of(schema), " and ") + "), got " + describe(node));
    return;
  }
  findings_.note(path, position_of(node));
  for (const DocumentEntry& entry : node.entries) {
    const std::string here = join_key(path, entry.key);
    if (const KeySpec* field = schema.find(entry.key)) {
      read_field(*field, owner, entry.value, here);
    } else {
      unknown_key(schema, entry, here, path);
    }
  }
  check_keys(schema, node, path);
}

void Reader::unknown_key(const ObjectSchema& schema, const DocumentEntry& entry, const std::string& path,
                         const std::string& parent) {
  const std::vector<std::string> keys = keys_of(schema);
  std::string message = "unknown key";
  const std::string near = nearest(entry.key, keys);
  const std::string elsewhere = find_elsewhere(settings_schema(), entry.key, {});
  if (!near.empty()) {
    message += "; did you mean \"" + near + "\"?";
  } else {
    // A key of that name may be quite another one, so what may stand here is told in any case.
    if (!elsewhere.empty()) message += "; did you mean " + elsewhere + "?";
    message += elsewhere.empty() ? "; " : " ";
    if (keys.empty()) {
      message += "nothing belongs here";
    } else {
      message += (parent.empty() ? "known at the top: " : "known here: ") + joined(keys, " and ");
    }
  }
  findings_.error({entry.line, entry.column}, path, std::move(message));
}

void Reader::check_keys(const ObjectSchema& schema, const DocumentNode& node, const std::string& path) {
  const auto present = [&](const std::string& key) {
    return std::any_of(node.entries.begin(), node.entries.end(),
                       [&](const DocumentEntry& e) { return e.key == key; });
  };
  const auto given = [&](const std::string& key) { return findings_.given(join_key(path, key)); };
  for (const KeySpec& field : schema.fields) {
    if (!field.required && (field.required_with.empty() || !present(field.required_with))) continue;
    if (present(field.key) || (!field.unless.empty() && present(field.unless))) continue;
    // Its misspelt form was just reported.
    const bool misspelt = std::any_of(node.entries.begin(), node.entries.end(), [&](const DocumentEntry& e) {
      return schema.find(e.key) == nullptr && nearest(e.key, keys_of(schema)) == field.key;
    });
    if (misspelt) continue;
    const std::string hint = sample(field);
    findings_.error(
        position_of(node), join_key(path, field.key),
        "required, but missing" + (hint.empty() ? "" : "; for example \"" + field.key + ": " + hint + "\""));
  }
  for (const KeyGroup& group : schema.exclusive) {
    std::vector<std::string> set;
    std::copy_if(group.keys.begin(), group.keys.end(), std::back_inserter(set), given);
    if (set.size() > 1) {
      findings_.error(findings_.position(join_key(path, set[1])), join_key(path, set[1]),
                      "excludes " + set[0] + "; give only one of " + joined(group.keys, " and "));
    } else if (set.empty() && group.one_needed) {
      const bool mentioned = std::any_of(group.keys.begin(), group.keys.end(), present);
      if (!mentioned) {
        findings_.error(position_of(node), path, "one of " + joined(group.keys, " and ") + " is required");
      }
    }
  }
  for (const auto& [key, other] : schema.needs) {
    if (!given(key) || present(other)) continue;
    findings_.error_at(join_key(path, key), "is of use only together with " + other + ", which is missing");
  }
}

void Reader::read_field(const KeySpec& field, void* owner, const DocumentNode& node,
                        const std::string& path) {
  switch (field.type) {
    case KeyType::object:
      return read_section(field, owner, node, path);
    case KeyType::object_list:
      return read_sections(field, owner, node, path);
    case KeyType::texts:
    case KeyType::globs:
    case KeyType::excludes:
    case KeyType::urls:
      return read_list(field, owner, node, path);
    case KeyType::text_map:
      return read_map(field, owner, node, path);
    default:
      return read_scalar(field, owner, node, path);
  }
}

void Reader::read_section(const KeySpec& field, void* owner, const DocumentNode& node,
                          const std::string& path) {
  if (field.leave_out && is_off(node)) {
    findings_.note(path, position_of(node));
    field.leave_out(owner);
    return;
  }
  read_object(*field.object, field.enter(owner), node, path);
}

void Reader::read_sections(const KeySpec& field, void* owner, const DocumentNode& node,
                           const std::string& path) {
  if (node.kind == DocumentNode::Kind::map) {  // a list of one may stand without its dash
    findings_.note(path, position_of(node));
    return read_object(*field.object, field.append(owner), node, path);
  }
  if (node.kind != DocumentNode::Kind::list) {
    findings_.error(position_of(node), path,
                    "expected a list, each item beginning with \"- \"; got " + describe(node));
    return;
  }
  findings_.note(path, position_of(node));
  if (node.items.size() < static_cast<std::size_t>(field.min)) {
    findings_.error(position_of(node), path, "the list is empty; at least one item is required");
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    read_object(*field.object, field.append(owner), node.items[i], path + "[" + std::to_string(i) + "]");
  }
}

void Reader::wrong(const KeySpec& field, const DocumentNode& node, const std::string& path,
                   const std::string& why) {
  const std::string hint = field.type == KeyType::choice ? std::string() : sample(field);
  const bool one_item = node.kind == DocumentNode::Kind::scalar;
  std::string message = why;
  if (why.empty()) message = "expected " + article(field, one_item ? item_of(field.type) : field.type);
  message += shown(field, node);
  if (field.type == KeyType::choice && one_item) {
    const std::string near = likely_choice(node.text, field.choices);
    if (!near.empty()) message += "; did you mean \"" + near + "\"?";
  } else if (!hint.empty() && field.type != KeyType::boolean && !is_file(field.type)) {
    message += "; for example \"" + field.key + ": " + hint + "\"";
  }
  findings_.error(position_of(node), path, std::move(message));
}

bool Reader::expand_scalar(const KeySpec& field, const DocumentNode& node, const std::string& path,
                           Expanded& out) {
  if (node.kind != DocumentNode::Kind::scalar) {
    findings_.note(path, position_of(node));
    wrong(field, node, path);
    return false;
  }
  auto expanded = expand(node.text, environment_);
  if (!expanded) {
    findings_.note(path, position_of(node));
    findings_.error(position_of(node), path, expanded.error().message);
    return false;
  }
  // The system would take what stands before it for the whole path, host or secret.
  if (expanded->text.contains('\0')) {
    findings_.note(path, position_of(node));
    findings_.error(position_of(node), path,
                    "holds a NUL character, which ends a text for the system (\"\\0\" in double quotes; a "
                    "backslash stays one in single quotes)");
    return false;
  }
  out = *std::move(expanded);
  return true;
}

void Reader::read_list(const KeySpec& field, void* owner, const DocumentNode& node, const std::string& path) {
  const bool single = node.kind == DocumentNode::Kind::scalar;  // a list of one needs no brackets
  if (!single && node.kind != DocumentNode::Kind::list) return wrong(field, node, path);
  findings_.note(path, position_of(node));
  std::vector<std::string> values;
  for (std::size_t i = 0; i < (single ? 1 : node.items.size()); ++i) {
    const DocumentNode& item = single ? node : node.items[i];
    const std::string here = single ? path : path + "[" + std::to_string(i) + "]";
    Expanded value;
    if (!expand_scalar(field, item, here, value)) continue;
    findings_.note(here, position_of(item));
    const std::string why = value.text.empty() ? "is empty" : check_text(field, item.text, value.text);
    if (why.empty()) {
      values.push_back(std::move(value.text));
    } else {
      wrong(field, item, here, why);
    }
  }
  if (!single && node.items.size() < static_cast<std::size_t>(field.min)) {
    findings_.error(position_of(node), path, "the list is empty; at least one item is required");
  }
  field.set(owner, std::move(values));
}

void Reader::read_map(const KeySpec& field, void* owner, const DocumentNode& node, const std::string& path) {
  if (node.kind == DocumentNode::Kind::null) return;
  if (node.kind != DocumentNode::Kind::map) return wrong(field, node, path);
  findings_.note(path, position_of(node));
  TextMap values;
  for (const DocumentEntry& entry : node.entries) {
    const std::string here = join_key(path, entry.key);
    std::string bad_key = field.check ? field.check(entry.key) : std::string();
    if (entry.key.empty()) bad_key = "an empty key";
    if (!bad_key.empty()) findings_.error({entry.line, entry.column}, here, bad_key);
    Expanded value;
    if (!expand_scalar(field, entry.value, here, value)) continue;
    findings_.note(here, position_of(entry.value));
    const std::string why =
        bad_key.empty() && field.check_entry ? field.check_entry(entry.key, value.text) : std::string();
    if (!why.empty()) findings_.error(position_of(entry.value), here, why + shown(field, entry.value));
    values.emplace_back(entry.key, std::move(value.text));
  }
  field.set(owner, std::move(values));
}

void Reader::read_scalar(const KeySpec& field, void* owner, const DocumentNode& node,
                         const std::string& path) {
  Expanded value;
  if (!expand_scalar(field, node, path, value)) return;
  if (value.text.empty()) {
    // An empty value, such as ${VAR:-}, leaves the default; a required key has none.
    if (field.required || !field.required_with.empty())
      findings_.error(position_of(node), path, "must not be empty");
    return;
  }
  findings_.note(path, position_of(node));
  switch (field.type) {
    case KeyType::boolean: {
      if (value.text != "true" && value.text != "false") return wrong(field, node, path);
      return field.set(owner, value.text == "true");
    }
    case KeyType::number: {
      const auto number = parse_number(value.text);
      if (!number) return wrong(field, node, path);
      if (*number < static_cast<double>(field.min) || *number > static_cast<double>(field.max)) {
        findings_.error(position_of(node), path, "must be " + bounds_text(field) + shown(field, node));
        return;
      }
      return field.set(owner, *number);
    }
    case KeyType::integer:
    case KeyType::bytes:
    case KeyType::duration: {
      std::optional<std::int64_t> amount = parse_integer(value.text);
      if (field.type == KeyType::bytes) amount = parse_bytes(value.text);
      if (field.type == KeyType::duration) {
        const auto duration = parse_duration(value.text);
        amount = duration ? std::optional(duration->count()) : std::nullopt;
      }
      if (!amount) return wrong(field, node, path);
      if (*amount < field.min || *amount > field.max) {
        findings_.error(position_of(node), path, "must be " + bounds_text(field) + shown(field, node));
        return;
      }
      return field.set(owner, *amount);
    }
    default: {
      const std::string why = check_text(field, node.text, value.text);
      if (!why.empty()) return wrong(field, node, path, why == "-" ? std::string() : why);
      if (field.type == KeyType::secret_file) warn_if_readable_by_all(value.text, position_of(node), path);
      return field.set(owner, std::move(value.text));
    }
  }
}

std::string Reader::check_text(const KeySpec& field, const std::string& written, std::string& text) {
  if (is_path(item_of(field.type))) {
    if (std::string why = check_shell_words(written, text); !why.empty()) return why;
  }
  if (field.check) {
    if (std::string why = field.check(text); !why.empty()) return why;
  }
  switch (field.type) {
    case KeyType::choice: {
      const bool known = std::find(field.choices.begin(), field.choices.end(), text) != field.choices.end();
      return known ? "" : "-";
    }
    case KeyType::path:
    case KeyType::globs:
      text = absolute_path(base_dir_, text);
      return {};
    case KeyType::exclude:
    case KeyType::excludes:
      if (text.contains('/') && !text.starts_with("**") && !text.starts_with('{'))
        text = absolute_path(base_dir_, text);
      return {};
    case KeyType::secret_file:
    case KeyType::readable_file:
      return check_file(text, field.type == KeyType::secret_file);
    case KeyType::url:
    case KeyType::urls:
      return check_url(text);
    case KeyType::proxy_url:
      return text == "off" ? "" : check_proxy_url(text);
    case KeyType::listen:
      return check_listen(text);
    case KeyType::regex:
      return check_regex(text);
    case KeyType::timezone: {
      constexpr std::string_view kZones = "/usr/share/zoneinfo";
      if (std::string why = check_timezone(text); !why.empty()) return why;
      const bool named = text != "UTC" && text.front() != '+' && text.front() != '-';
      if (!named || !files_.stat(std::string(kZones))) return {};
      return files_.stat(std::string(kZones) + "/" + text) ? "" : "this machine knows no such time zone";
    }
    default:
      return {};
  }
}

std::string Reader::check_file(std::string& path, bool is_secret) const {
  path = absolute_path(base_dir_, path);
  const auto file = files_.open(path, OpenMode::read);
  if (!file) return "cannot read " + path + ": " + reason(file.error());
  const auto stat = (*file)->stat();
  if (stat && stat->is_directory()) return path + " is a directory";
  // A pipe is left alone: what is read from it is gone.
  if (is_secret && stat && stat->is_regular() && is_blank(**file)) return path + " is empty";
  return {};
}

void Reader::warn_if_readable_by_all(const std::string& file, Position at, const std::string& path) {
  const auto stat = files_.stat(file);
  if (!stat || (stat->mode & kReadableByAll) == 0) return;
  findings_.warning(at, path, file + " can be read by everyone on this machine; chmod o= it");
}

}  // namespace sidelight
