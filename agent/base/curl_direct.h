// Large requests over plain HTTP: libcurl finds the name and makes the connection, and the bytes go to its
// socket without a copy (http_exchange.h).
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/base/http_client.h"
#include "agent/base/http_exchange.h"

namespace sidelight {

// One thread, that of the multi handle it is given, which outlives it.
class DirectTransfers {
 public:
  explicit DirectTransfers(const Clock& clock) : clock_(clock) {}
  ~DirectTransfers() { drop_all(); }
  DirectTransfers(const DirectTransfers&) = delete;
  DirectTransfers& operator=(const DirectTransfers&) = delete;

  // Whether it is for requests like this one.
  static bool takes(const HttpRequest& request);
  void start(CURLM* multi, HttpRequest request, HttpClient::Callback done);
  // libcurl is done with connecting `easy`. False: it is none of ours.
  bool on_connected(CURL* easy, CURLcode code);
  // What to wait for, and for how long at most.
  void wait_for(std::vector<curl_waitfd>& sockets) const;
  std::chrono::milliseconds time_to_next(std::chrono::milliseconds max_wait) const;
  // Moves all of them, then calls the callbacks of those that ended; true when there were any.
  bool advance();
  // Ends them all; their callbacks are the caller's to call.
  std::vector<HttpClient::Callback> drop_all();

 private:
  struct EasyDeleter {
    void operator()(CURL* c) const { curl_easy_cleanup(c); }
  };
  // A connected socket; libcurl closes it with the handle.
  struct Connection {
    std::unique_ptr<CURL, EasyDeleter> easy;
    std::string host;
    int socket = -1;
    MonoTime born{};
    MonoTime used{};
  };
  using ConnectionPtr = std::unique_ptr<Connection>;
  struct Transfer {
    HttpRequest request;
    HttpClient::Callback done;
    HttpTarget target;
    MonoTime begun{};
    ConnectionPtr connection;                // being made, or in use
    std::unique_ptr<HttpExchange> exchange;  // once connected
    bool reused = false;                     // the connection was kept from an earlier request
    unsigned times_sent = 0;
    std::unique_ptr<HttpResult> result;  // ended
    std::string error;                   // CURLOPT_ERRORBUFFER
  };

  void begin(Transfer& t);
  void connect(Transfer& t);
  void exchange(Transfer& t);
  void move(Transfer& t);
  ConnectionPtr take_kept(const std::string& host);
  void keep(ConnectionPtr connection);
  void close(ConnectionPtr connection);
  MonoTime deadline(const Transfer& t) const { return t.begun + t.request.timeout; }

  const Clock& clock_;
  CURLM* multi_ = nullptr;
  std::list<Transfer> transfers_;
  std::vector<ConnectionPtr> kept_;
};

}  // namespace sidelight
