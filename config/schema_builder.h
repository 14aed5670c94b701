// Declares the fields of one struct. Included by schema_*.cc only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/schema.h"

namespace sidelight {

// Chainable qualities of the field just declared.
class KeyBuilder {
 public:
  explicit KeyBuilder(KeySpec& field) : field_(field) {}
  KeyBuilder& required() { return field_.required = true, *this; }
  KeyBuilder& required_with(std::string key) { return field_.required_with = std::move(key), *this; }
  KeyBuilder& unless(std::string other) { return field_.unless = std::move(other), *this; }
  KeyBuilder& restart() { return field_.restart = true, *this; }
  KeyBuilder& shown() { return field_.in_example = true, *this; }
  KeyBuilder& example(std::string yaml) { return field_.example = std::move(yaml), *this; }
  KeyBuilder& default_note(std::string note) { return field_.default_note = std::move(note), *this; }
  KeyBuilder& between(std::int64_t min, std::int64_t max) {
    field_.min = min;
    field_.max = max;
    return *this;
  }
  KeyBuilder& at_least(std::int64_t min) { return field_.min = min, *this; }
  KeyBuilder& check(std::function<std::string(const std::string&)> c) {
    return field_.check = std::move(c), *this;
  }
  KeyBuilder& check_entry(std::function<std::string(const std::string&, const std::string&)> c) {
    return field_.check_entry = std::move(c), *this;
  }
  // Of sections that share one struct: whether what it holds is this one's.
  template <class T>
  KeyBuilder& only_if(bool (*is_its_own)(const T& section)) {
    field_.peek = [peek = std::move(field_.peek), is_its_own](const void* owner) -> const void* {
      const void* section = peek(owner);
      return section != nullptr && is_its_own(*static_cast<const T*>(section)) ? section : nullptr;
    };
    return *this;
  }

 private:
  KeySpec& field_;
};

// `T` is the struct; an accessor takes a T& and returns a reference to the member.
template <class T>
class SchemaBuilder {
 public:
  explicit SchemaBuilder(std::string help) {
    schema_->help = std::move(help);
    schema_->make = [] { return std::static_pointer_cast<void>(std::make_shared<T>()); };
  }

  // Any type that is a string, a bool, an integer, a duration, a list of strings or a map of strings.
  template <class A>
  KeyBuilder field(std::string key, KeyType type, A access, std::string help) {
    KeySpec& f = add(std::move(key), type, std::move(help));
    using U = std::remove_reference_t<decltype(access(std::declval<T&>()))>;
    f.set = [access](void* owner, KeyValue v) { assign<U>(access(*static_cast<T*>(owner)), std::move(v)); };
    f.get = [access](const void* owner) { return value_of<U>(access(read_only(owner))); };
    return KeyBuilder(f);
  }

  // An enumeration: the names and what they stand for.
  template <class A, class E>
  KeyBuilder choice(std::string key, A access, const std::vector<std::pair<std::string, E>>& names,
                    std::string help) {
    KeySpec& f = add(std::move(key), KeyType::choice, std::move(help));
    for (const auto& [name, value] : names) f.choices.push_back(name);
    f.set = [access, names](void* owner, const KeyValue& v) {
      for (const auto& [name, value] : names) {
        if (name == std::get<std::string>(v)) access(*static_cast<T*>(owner)) = value;
      }
    };
    f.get = [access, names](const void* owner) -> KeyValue {
      for (const auto& [name, value] : names) {
        if (access(read_only(owner)) == value) return name;
      }
      return std::string();  // a value that has no name in a file
    };
    return KeyBuilder(f);
  }

  // A nested struct: a member, or an optional one that is absent until its key is there.
  template <class A>
  KeyBuilder object(std::string key, A access, std::shared_ptr<const ObjectSchema> schema) {
    KeySpec& f = add(std::move(key), KeyType::object, schema->help);
    f.object = std::move(schema);
    f.enter = [access](void* owner) { return enter(access(*static_cast<T*>(owner))); };
    f.peek = [access](const void* owner) -> const void* { return peek(access(read_only(owner))); };
    return KeyBuilder(f);
  }

  // The same, and `key: off` makes it absent.
  template <class A>
  KeyBuilder object_or_off(std::string key, A access, std::shared_ptr<const ObjectSchema> schema) {
    KeyBuilder b = object(std::move(key), access, std::move(schema));
    schema_->fields.back().leave_out = [access](void* owner) { access(*static_cast<T*>(owner)).reset(); };
    return b;
  }

  template <class A>
  KeyBuilder objects(std::string key, A access, std::shared_ptr<const ObjectSchema> schema) {
    KeySpec& f = add(std::move(key), KeyType::object_list, schema->help);
    f.object = std::move(schema);
    f.append = [access](void* owner) -> void* { return &access(*static_cast<T*>(owner)).emplace_back(); };
    f.elements = [access](const void* owner) {
      std::vector<const void*> out;
      for (const auto& element : access(read_only(owner))) out.push_back(&element);
      return out;
    };
    return KeyBuilder(f);
  }

  void exactly_one(std::vector<std::string> keys) { schema_->exclusive.push_back({std::move(keys), true}); }
  void at_most_one(std::vector<std::string> keys) { schema_->exclusive.push_back({std::move(keys), false}); }
  void needs(std::string key, std::string other) {
    schema_->needs.emplace_back(std::move(key), std::move(other));
  }
  void short_form(std::string key) { schema_->short_form = std::move(key); }
  std::shared_ptr<const ObjectSchema> done() { return schema_; }

 private:
  KeySpec& add(std::string key, KeyType type, std::string help) {
    KeySpec& f = schema_->fields.emplace_back();
    f.key = std::move(key);
    f.type = type;
    f.help = std::move(help);
    return f;
  }

  // Accessors are written once, for writing; what they return is only read here.
  static T& read_only(const void* owner) { return *const_cast<T*>(static_cast<const T*>(owner)); }

  template <class U>
  static void assign(U& to, KeyValue v) {
    if constexpr (std::is_same_v<U, bool>) {
      to = std::get<bool>(v);
    } else if constexpr (std::is_same_v<U, double>) {
      to = std::get<double>(v);
    } else if constexpr (std::is_integral_v<U>) {
      to = static_cast<U>(std::get<std::int64_t>(v));
    } else if constexpr (std::is_same_v<U, std::chrono::milliseconds>) {
      to = std::chrono::milliseconds(std::get<std::int64_t>(v));
    } else {
      to = std::get<U>(std::move(v));
    }
  }

  template <class U>
  static KeyValue value_of(const U& from) {
    if constexpr (std::is_same_v<U, bool>) {
      return from;
    } else if constexpr (std::is_integral_v<U>) {
      return static_cast<std::int64_t>(from);
    } else if constexpr (std::is_same_v<U, std::chrono::milliseconds>) {
      return static_cast<std::int64_t>(from.count());
    } else {
      return from;
    }
  }

  template <class U>
  static void* enter(U& member) {
    return &member;
  }
  template <class U>
  static void* enter(std::optional<U>& member) {
    if (!member) member.emplace();
    return &*member;
  }
  template <class U>
  static const void* peek(const U& member) {
    return &member;
  }
  template <class U>
  static const void* peek(const std::optional<U>& member) {
    return member ? &*member : nullptr;
  }

  std::shared_ptr<ObjectSchema> schema_ = std::make_shared<ObjectSchema>();
};

std::shared_ptr<const ObjectSchema> log_input_schema();
std::shared_ptr<const ObjectSchema> output_schema();
std::shared_ptr<const ObjectSchema> logstash_schema();
// TlsOptions
std::shared_ptr<const ObjectSchema> tls_schema(
    std::string help = "TLS towards hosts whose URLs begin with https.");

}  // namespace sidelight
