// What libcurl's failures mean. Checked against libcurl 7.88 (OpenSSL): its codes and messages are judged
// here and nowhere else.
#pragma once

#include <curl/curl.h>

#include <string_view>

#include "agent/base/http_client.h"

namespace sidelight {

struct CurlFailure {
  CURLcode code;
  CURL* easy;
  std::string_view detail;  // CURLOPT_ERRORBUFFER, may be empty
  const HttpRequest& request;
  bool sent = false;        // (some of) the request may have gone out
  bool too_large = false;   // it was us who ended it
  bool heard_head = false;  // a head of an answer came in
};

// The message says what a person has to change.
TransportError classify(const CurlFailure& failure);

}  // namespace sidelight
