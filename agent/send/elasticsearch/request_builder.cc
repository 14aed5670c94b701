#include "agent/send/elasticsearch/request_builder.h"

namespace sidelight {

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto u = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15u];
    }
  }
  return out;
}

RequestBuilder::RequestBuilder(const ElasticsearchOptions& options) : options_(options) {
  if (!options.data_stream.empty()) {
    target_ = percent_encode(options.data_stream);
  } else if (options.index.find('%') == std::string::npos) {
    target_ = percent_encode(options.index);
  }
  bulk_path_ = (target_.empty() ? std::string() : "/" + target_) + "/_bulk?";
  if (!options.pipeline.empty()) bulk_path_ += "pipeline=" + percent_encode(options.pipeline) + "&";
  bulk_path_ += "filter_path=error,errors,items.*.status,items.*.error";
}

HttpRequest RequestBuilder::make(const std::string& host, const std::string& method,
                                 const std::string& path_and_query, const std::string& authorization) const {
  HttpRequest r;
  r.method = method;
  r.url = host + path_and_query;
  if (!authorization.empty()) r.headers.emplace_back("Authorization", authorization);
  r.tls = options_.tls;
  r.proxy = options_.proxy;
  r.timeout = options_.timeout;
  return r;
}

HttpRequest RequestBuilder::bulk(const std::string& host, const std::string& authorization,
                                 std::string_view body, bool gzipped, bool with_index) const {
  HttpRequest r = make(host, "POST", with_index ? bulk_path_ + ",items.*._index" : bulk_path_, authorization);
  r.headers.emplace_back("Content-Type", "application/x-ndjson");
  if (gzipped) r.headers.emplace_back("Content-Encoding", "gzip");
  r.body = body;
  return r;
}

void copy_documents(const Batch& batch, std::span<const std::uint32_t> docs, std::string& out) {
  std::size_t need = 0;
  for (const std::uint32_t i : docs) need += batch.docs[i].body_end - batch.docs[i].body_begin;
  out.reserve(out.size() + need);
  // Neighbours are copied together.
  for (std::size_t i = 0; i < docs.size();) {
    const std::size_t begin = batch.docs[docs[i]].body_begin;
    std::size_t end = batch.docs[docs[i]].body_end;
    for (++i; i < docs.size() && batch.docs[docs[i]].body_begin == end; ++i)
      end = batch.docs[docs[i]].body_end;
    out.append(batch.body, begin, end - begin);
  }
}

}  // namespace sidelight
