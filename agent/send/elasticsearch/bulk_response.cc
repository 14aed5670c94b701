#include "agent/send/elasticsearch/bulk_response.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

namespace sidelight {

namespace {

namespace od = simdjson::ondemand;
using simdjson::error_code;
using simdjson::SUCCESS;

constexpr std::size_t kMaxType = 256;
constexpr std::size_t kMaxReason = 2048;
constexpr int kMaxCauses = 4;

// Read one item's error object: type, reason, and the reasons of what caused it.
error_code read_error(od::value value, BulkItemError& out, int depth) {
  od::json_type type{};
  if (auto e = value.type().get(type)) return e;
  if (type == od::json_type::string) {  // very old servers and proxies give a bare text
    std::string_view text;
    if (auto e = value.get_string().get(text)) return e;
    out.reason.append(text.substr(0, kMaxReason));
    return SUCCESS;
  }
  if (type != od::json_type::object) return simdjson::INCORRECT_TYPE;
  od::object object;
  if (auto e = value.get_object().get(object)) return e;
  for (auto entry : object) {
    od::field field;
    if (auto e = std::move(entry).get(field)) return e;
    std::string_view key;
    if (auto e = field.unescaped_key().get(key)) return e;
    const bool is_type = key == "type";
    const bool is_reason = key == "reason";
    if (is_type || is_reason) {
      od::value text_value = field.value();
      od::json_type text_type{};
      if (auto e = text_value.type().get(text_type)) return e;
      if (text_type != od::json_type::string) continue;
      std::string_view text;
      if (auto e = text_value.get_string().get(text)) return e;
      if (is_type) out.type = text.substr(0, kMaxType);
      if (is_reason) out.reason = text.substr(0, kMaxReason);
    } else if (key == "caused_by" && depth < kMaxCauses) {
      BulkItemError inner;
      if (auto e = read_error(field.value(), inner, depth + 1)) return e;
      out.causes = (inner.type + ": " + inner.full_reason()).substr(0, kMaxReason);
    }
  }
  return SUCCESS;
}

// {"create":{"_index":"..","status":201,"error":{..}}}; `status` stays 0 where there is none.
error_code read_item(od::value item, BulkAnswer& out, std::uint64_t& status) {
  od::object wrapper;
  if (auto e = item.get_object().get(wrapper)) return e;
  const auto number = static_cast<std::uint32_t>(out.status.size());
  std::string_view index;
  for (auto action : wrapper) {
    od::field operation;
    if (auto e = std::move(action).get(operation)) return e;
    od::object object;
    if (auto e = operation.value().get_object().get(object)) return e;
    for (auto entry : object) {
      od::field field;
      if (auto e = std::move(entry).get(field)) return e;
      const od::raw_json_string key = field.key();
      if (key == "status") {
        if (auto e = field.value().get_uint64().get(status)) return e;
      } else if (key == "error") {
        BulkItemError error;
        error.item = number;
        if (auto e = read_error(field.value(), error, 0)) return e;
        out.errors.push_back(std::move(error));
      } else if (out.stored_in.empty() && key == "_index") {
        if (auto e = field.value().get_string().get(index)) return e;
      }
    }
  }
  const bool stored = (status >= 200 && status < 300) || status == 409;
  if (stored && out.stored_in.empty()) out.stored_in = index.substr(0, kMaxType);
  return SUCCESS;
}

error_code read_items(od::value value, std::size_t expected, BulkAnswer& out, std::string& problem) {
  od::array items;
  if (auto e = value.get_array().get(items)) return e;
  for (auto entry : items) {
    od::value item;
    if (auto e = std::move(entry).get(item)) return e;
    if (out.status.size() == expected) {
      problem = "more than the " + std::to_string(expected) + " items sent";
      return SUCCESS;
    }
    std::uint64_t status = 0;
    if (auto e = read_item(item, out, status)) return e;
    if (status < 100 || status > 999) {
      problem = "item " + std::to_string(out.status.size()) + " has no status";
      return SUCCESS;
    }
    out.all_created = out.all_created && status >= 200 && status < 300;
    out.status.push_back(static_cast<std::uint16_t>(status));
  }
  return SUCCESS;
}

error_code read_answer(od::document& document, std::size_t expected, BulkAnswer& out, std::string& problem) {
  od::object top;
  if (auto e = document.get_object().get(top)) return e;
  bool found = false;
  for (auto entry : top) {
    od::field field;
    if (auto e = std::move(entry).get(field)) return e;
    const od::raw_json_string key = field.key();
    if (key == "items" && !found) {
      found = true;
      if (auto e = read_items(field.value(), expected, out, problem)) return e;
      if (!problem.empty()) return SUCCESS;
    }
  }
  // Out of bounds is what the end of the text looks like; anything else is text behind the object.
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return simdjson::TAPE_ERROR;
  if (!found) problem = "no \"items\"";
  return SUCCESS;
}

// Whether `body` is, byte for byte, what both engines answer when all is well and nothing but the statuses
// was asked for. Nearly every answer is, and comparing is many times faster than reading.
bool all_created(std::string_view body, std::size_t items) {
  constexpr std::string_view kHead = R"({"errors":false,"items":[)";
  constexpr std::string_view kItem = R"({"create":{"status":201}})";
  constexpr std::string_view kTail = "]}";
  constexpr std::size_t kStride = kItem.size() + 1;  // and a comma
  if (items == 0 || body.size() != kHead.size() + items * kStride - 1 + kTail.size()) return false;
  if (!body.starts_with(kHead) || !body.ends_with(kTail)) return false;
  body = body.substr(kHead.size(), items * kStride - 1);
  if (!body.starts_with(kItem)) return false;
  // Each item like the one before it.
  return items == 1 || (body[kItem.size()] == ',' &&
                        std::memcmp(body.data(), body.data() + kStride, body.size() - kStride) == 0);
}

}  // namespace

std::string BulkItemError::full_reason() const {
  return causes.empty() ? reason : reason + "; caused by " + causes;
}

const BulkItemError* BulkAnswer::error_of(std::size_t item) const {
  const auto it = std::lower_bound(errors.begin(), errors.end(), item,
                                   [](const BulkItemError& e, std::size_t i) { return e.item < i; });
  return it != errors.end() && it->item == item ? &*it : nullptr;
}

struct BulkResponseReader::Parser {
  od::parser parser;
};

BulkResponseReader::BulkResponseReader() = default;
BulkResponseReader::~BulkResponseReader() = default;

void BulkResponseReader::trim() {
  parser_.reset();
}

Expected<void> BulkResponseReader::read(std::string& body, std::size_t expected_items, BulkAnswer& out) {
  out.status.clear();
  out.status.reserve(expected_items);
  out.errors.clear();
  out.stored_in.clear();
  out.all_created = true;
  if (body.empty()) return fail("an empty answer");
  if (sidelight::all_created(body, expected_items)) {
    out.status.assign(expected_items, 201);
    return {};
  }
  if (!parser_) parser_ = std::make_unique<Parser>();
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  od::document document;
  std::string problem;
  error_code error = parser_->parser.iterate(body.data(), body.size(), body.capacity()).get(document);
  if (!error) error = read_answer(document, expected_items, out, problem);
  if (error)
    return fail(std::string("the answer is not the JSON of a bulk answer: ") +
                simdjson::error_message(error));
  if (problem.empty() && out.status.size() != expected_items) {
    problem = std::to_string(out.status.size()) + " items for " + std::to_string(expected_items) + " sent";
  }
  if (!problem.empty()) return fail("the bulk answer has " + problem);
  return {};
}

ErrorAnswer read_error_answer(std::string_view body) {
  using nlohmann::json;
  ErrorAnswer out;
  // Bounded: a proxy's error page has no business here.
  const json top = json::parse(body.substr(0, 64 * 1024), nullptr, false);
  const auto text = [](const json& object, const char* key) {
    const auto it = object.find(key);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  if (top.is_object() && top.contains("error")) {
    const json* error = &top["error"];
    if (error->is_string()) {
      out.reason = error->get<std::string>();
    } else if (error->is_object()) {
      out.type = text(*error, "type");
      out.reason = text(*error, "reason");
      for (int depth = 0; depth < kMaxCauses && error->contains("caused_by"); ++depth) {
        error = &(*error)["caused_by"];
        if (!error->is_object()) break;
        out.reason += "; caused by " + text(*error, "type") + ": " + text(*error, "reason");
      }
    }
  }
  if (out.type.empty() && out.reason.empty()) {
    for (const char c : body.substr(0, 200)) out.reason += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  if (out.reason.size() > kMaxReason) out.reason.resize(kMaxReason);
  return out;
}

}  // namespace sidelight
