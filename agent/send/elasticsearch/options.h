// Settings of the Elasticsearch/OpenSearch output.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "agent/base/http_client.h"

namespace sidelight {

enum class OnFull { pause, drop_oldest };

struct DeadLetterOptions {
  std::string dir;  // state_dir/dead-letters
  std::size_t max_bytes = 256u << 20;
  OnFull on_full = OnFull::pause;
};

struct ElasticsearchOptions {
  std::vector<std::string> hosts;  // http(s)://host[:port][/prefix]
  std::string data_stream;         // one of these two
  std::string index;               // may hold %Y %m %d %H
  std::string pipeline;            // ingest pipeline, empty: none
  bool create_template = true;
  bool at_least_once = false;  // delivery: at_least_once
  std::string username;        // basic
  std::string password;
  std::string password_file;  // read again when it changes or after a 401
  std::string api_key;        // "id:key" or the encoded form
  std::string api_key_file;
  std::string bearer_token;
  std::string bearer_token_file;
  TlsOptions tls;
  std::string proxy;
  bool gzip = true;
  int gzip_level = 1;               // libdeflate 1..12
  std::size_t max_concurrency = 4;  // upper bound of the adaptive limit
  std::chrono::milliseconds backoff_initial{200};
  std::chrono::milliseconds backoff_max{30000};
  std::chrono::milliseconds timeout{60000};
  DeadLetterOptions dead_letters;
};

}  // namespace sidelight
