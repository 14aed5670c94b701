// A destination that keeps documents by id as Elasticsearch does, and misbehaves where a test says so.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "tests/agent/send/support.h"

namespace sidelight::test {

struct FakeElasticsearch {
  // How one document is answered; nothing: it is stored (201), or is there already (409).
  struct Refusal {
    int status;
    std::string type;
    std::string reason;
  };
  std::function<std::optional<Refusal>(const std::string& document)> refuse = [](const std::string&) {
    return std::nullopt;
  };
  // How a whole request is answered in place of reading it.
  std::function<std::optional<HttpResult>(const ScriptedHttpClient::Seen&)> instead = [](const auto&) {
    return std::nullopt;
  };

  // How every request is answered, those about the template too.
  std::function<HttpResult(const ScriptedHttpClient::Seen&)> away;

  std::map<std::string, int> stored;  // document -> times
  std::map<std::string, bool> ids;
  std::string index_prefix = ".ds-";
  int bulks = 0;

  HttpResult operator()(const ScriptedHttpClient::Seen& r) {
    if (away) return away(r);
    if (r.method == "GET" && r.url.find("/_index_template/") != std::string::npos)
      return reply(200, R"({"index_templates":[]})");
    if (r.method == "GET") return reply(404, "{}");
    ++bulks;
    if (auto whole = instead(r)) return std::move(*whole);
    const auto lines = lines_of(r.body);
    std::string items;
    for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
      if (!items.empty()) items += ",";
      items += item(lines[i], lines[i + 1]);
    }
    return reply(200, R"({"took":1,"errors":true,"items":[)" + items + "]}");
  }

  static HttpResponse reply(long status, std::string body,
                            std::vector<std::pair<std::string, std::string>> headers = {}) {
    return {status, std::move(headers), std::move(body)};
  }
  static HttpResponse error(long status, const std::string& type, const std::string& reason) {
    return reply(status, R"({"error":{"type":")" + type + R"(","reason":")" + reason + R"("},"status":)" +
                             std::to_string(status) + "}");
  }

 private:
  std::string item(const std::string& action, const std::string& document) {
    const std::string head = R"({"create":{"_index":")" + index_prefix + R"(x-000001","status":)";
    const auto failed = [&](const Refusal& f) {
      return head + std::to_string(f.status) + R"(,"error":{"type":")" + f.type + R"(","reason":")" +
             f.reason + "\"}}}";
    };
    if (const auto f = refuse(document)) return failed(*f);
    if (ids[action]) return failed({409, "version_conflict_engine_exception", "document already exists"});
    ids[action] = true;
    ++stored[document];
    return head + "201}}";
  }
};

}  // namespace sidelight::test
