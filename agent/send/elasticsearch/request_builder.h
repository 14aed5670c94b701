// Turns documents of a batch into HTTP requests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/base/http_client.h"
#include "agent/batch/batch.h"
#include "agent/send/elasticsearch/options.h"

namespace sidelight {

// Immutable; the options outlive it.
class RequestBuilder {
 public:
  explicit RequestBuilder(const ElasticsearchOptions& options);

  // A request for `path_and_query` at `host` (URL without a last slash); `authorization` may be empty.
  HttpRequest make(const std::string& host, const std::string& method, const std::string& path_and_query,
                   const std::string& authorization) const;
  // POST /NAME/_bulk. Only what is read of the answer is asked for; `with_index`: also each item's "_index".
  // `body` is not copied. `gzipped` says that it is.
  HttpRequest bulk(const std::string& host, const std::string& authorization, std::string_view body,
                   bool gzipped, bool with_index) const;

  // The data stream or index as it is in the URL, "" when each document names its own.
  const std::string& target() const { return target_; }

 private:
  const ElasticsearchOptions& options_;
  std::string target_;
  std::string bulk_path_;
};

// Appends the documents `docs` of the batch, action lines included.
void copy_documents(const Batch& batch, std::span<const std::uint32_t> docs, std::string& out);

// RFC 3986: everything but unreserved characters as %XX.
std::string percent_encode(std::string_view text);

}  // namespace sidelight
