// The heart of the Elasticsearch output: which documents are sent when, and what becomes of them. No thread
// of its own and no waiting but in step(), so that tests drive it with a stepped clock and a scripted HTTP
// client.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/filesystem.h"
#include "agent/base/http_client.h"
#include "agent/send/elasticsearch/backoff.h"
#include "agent/send/elasticsearch/bisect.h"
#include "agent/send/elasticsearch/bootstrap.h"
#include "agent/send/elasticsearch/bulk_response.h"
#include "agent/send/elasticsearch/compressor.h"
#include "agent/send/elasticsearch/concurrency.h"
#include "agent/send/elasticsearch/credentials.h"
#include "agent/send/elasticsearch/dead_letters.h"
#include "agent/send/elasticsearch/hosts.h"
#include "agent/send/elasticsearch/options.h"
#include "agent/send/elasticsearch/request_builder.h"
#include "agent/send/elasticsearch/retry_policy.h"
#include "agent/send/output.h"

namespace sidelight {

// One thread. The options and the references outlive it.
class Sender {
 public:
  Sender(const ElasticsearchOptions& options, OutputContext context, FileSystem& fs, HttpClient& client,
         std::uint64_t seed);
  ~Sender();  // aborts what is in flight; unsettled documents stay so
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void accept(BatchPtr batch);
  // Starts what may start, waits up to max_wait (less when something is due earlier) and handles what came.
  void step(std::chrono::milliseconds max_wait);
  // From now on no wait is longer than kDrainWait.
  void start_draining();
  // Aborts what is in flight.
  void abort();
  // Every document that was accepted is settled.
  bool idle() const { return held_.empty(); }
  std::size_t recycled_bytes() const { return recycled_bytes_; }

 private:
  static constexpr std::size_t kSmallEnough = 64u << 10;  // a request of this size is not what is too large
  static constexpr std::size_t kMostUnburied = 4u << 20;  // beyond it, what is refused is asked for again

  // A batch with unsettled documents.
  struct Held {
    BatchPtr batch;
    std::size_t unsettled = 0;
    std::size_t body_bytes = 0;
    bool durable = false;
    bool aside = false;  // made by set_aside()
  };
  // Documents of one batch that go out together.
  struct Work {
    Held* held = nullptr;
    bool whole = false;               // all of the batch; `docs` is empty then
    std::vector<std::uint32_t> docs;  // ascending
    unsigned attempts = 0;
    bool beside_others = false;    // was refused while others of its request were taken
    bool for_destination = false;  // waits for the destination to be mended; counted in held_works_
    std::uint64_t held_since = 0;  // sent_ when it was held for the destination
    std::optional<std::size_t> refused_by{};  // this host; another is to say whether it is right
    std::shared_ptr<Bisect> bisect;           // a whole request of these documents was refused before
    bool part = false;                        // counted in bisect->outstanding
    std::uint64_t company_refused = 0;        // the request in which they were refused with others; 0: none
    std::size_t size() const { return whole ? held->batch->docs.size() : docs.size(); }
    std::uint32_t doc(std::size_t i) const { return whole ? static_cast<std::uint32_t>(i) : docs[i]; }
  };
  struct Flight {
    Work work;
    std::size_t host = 0;
    std::uint64_t number = 0;  // sent_ with it
    MonoTime started{};
    std::string body;  // partial retries only
    GzipBuffer gzip;
    std::size_t wire_bytes = 0;
    std::size_t charged = 0;
    bool with_index = false;
    bool was_held = false;  // its work was for_destination
  };
  using FlightIt = std::list<Flight>::iterator;
  struct Unburied {  // dead letters that could not be written yet
    Held* held;
    DeadLetter letter;
    std::size_t charged;
  };

  // sender.cc: what goes out.
  void start_ready();
  bool may_start(MonoTime now) const;
  bool make_durable(Work& work, MonoTime now);
  bool split_to_fit(Work& work);
  void send(Work work, std::size_t host, const std::string& authorization);
  void run_bootstrap(MonoTime now);
  std::optional<std::string> authorization();
  std::chrono::milliseconds wait_from(MonoTime now, std::chrono::milliseconds max_wait) const;
  void wait_for(Work work, Nanos delay);
  void close_gate(MonoTime now, std::optional<std::chrono::seconds> retry_after);
  void trim_when_quiet(MonoTime now);
  void report_flights();

  // sender_answers.cc: what comes back.
  void on_result(FlightIt flight, HttpResult result);
  void on_bootstrap(std::size_t host, MonoTime started, std::size_t wire_bytes, HttpResult result);
  void on_answer(Flight& flight, HttpResponse& response);
  void on_items(Flight& flight, HttpResponse& response);
  void on_all_created(Flight& flight);
  void judge_items(Flight& flight, std::optional<std::chrono::seconds> retry_after);
  void on_transport_error(Flight& flight, const TransportError& error);
  void hold_whole(Flight& flight, const RequestVerdict& verdict, const std::string& detail,
                  std::optional<std::chrono::seconds> retry_after);
  void hold_items(Flight& flight, std::vector<std::uint32_t> docs, std::string_view cause, std::string detail,
                  std::optional<std::chrono::seconds> retry_after);
  static bool waits_beside_others(const Work& work, std::size_t refused);
  void wait_again(const Work& work, std::vector<std::uint32_t> docs,
                  std::optional<std::chrono::seconds> retry_after);
  bool too_much_at_once(const Work& work);
  void halve(Work work);
  void accepted_something(const Flight& flight);
  void check_index(const Flight& flight);
  void down(std::string_view cause, const std::string& detail);
  void up();

  // sender_refused.cc: what is refused as a whole.
  void on_refused(Flight& flight, Refusal refusal);
  void suspect(const Flight& flight, Refusal refusal);
  bool ask_another_host(Flight& flight);
  void learn_limit(const Flight& flight);
  void make_part(Work& work);
  void sample(const Work& work);
  void part_done(const std::shared_ptr<Bisect>& bisect, Held* held);
  void conclude(const std::shared_ptr<Bisect>& bisect, Held* held);
  void bury_convicted(Bisect& bisect, Held* held);
  bool only_suspects_left(const Bisect& concluding) const;
  void note_acceptance(const Flight& flight);
  std::uint64_t newest_accepted() const;

  // sender_held.cc: settling, and what is not settled.
  static std::size_t body_bytes(const Work& work);
  void settle(Held* held, std::uint32_t doc);
  void bury(Held* held, std::uint32_t doc, std::string_view reason, std::string type, std::string detail);
  void bury_waiting(MonoTime now);
  void finish_if_done(Held* held);
  void set_aside(Held* held);
  std::multimap<MonoTime, Work>::iterator room_aside(const Held* but, const Work& like, std::size_t bytes);

  const ElasticsearchOptions& options_;
  OutputContext ctx_;
  HttpClient& client_;
  Backoff backoff_;
  RequestBuilder builder_;
  Hosts hosts_;
  Credentials credentials_;
  ConcurrencyLimit limit_;
  Compressor compressor_;
  BulkResponseReader reader_;
  Bootstrap bootstrap_;
  DeadLetters dead_letters_;

  std::list<Held> held_;
  std::deque<Work> ready_;
  std::multimap<MonoTime, Work> waiting_;
  std::list<Flight> flights_;
  std::deque<Unburied> unburied_;
  std::size_t unburied_bytes_ = 0;  // charged
  MonoTime bury_again_{};
  std::vector<std::uint32_t> paused_inputs_;

  // The gate: closed for everything after the destination as a whole refused. Then one request tries.
  unsigned refusals_ = 0;
  MonoTime gate_opens_{};
  std::uint64_t gate_closed_at_ = 0;  // sent_ when the destination said how long (Retry-After): nothing that
                                      // was sent by then opens it

  BulkAnswer answer_;
  std::size_t held_works_ = 0;  // works with for_destination
  std::string held_cause_;      // of the last of them
  std::string held_detail_;
  unsigned rejections_ = 0;                  // 429 to everything sent, in a row
  unsigned all_refused_ = 0;                 // requests of which every item was refused as overload, in a row
  std::uint64_t sent_ = 0;                   // requests
  std::vector<std::uint64_t> accepted_by_;   // by host: the newest request with an accepted document
  MonoTime fickle_until_ = MonoTime::min();  // a host took what it had refused
  std::size_t most_body_ = 0;                // learnt from 413 and 429; 0: no limit known
  MonoTime most_body_until_{};
  bool most_body_grows_ = false;  // learnt from 429: it is doubled then, not forgotten
  MonoTime index_checked_{};
  bool index_ever_checked_ = false;
  bool is_up_ = false;
  std::string down_cause_ = "unknown";  // as last told to the probe
  bool draining_ = false;
  bool bootstrap_in_flight_ = false;
  bool looks_again_ = false;  // since something was accepted
  bool aborting_ = false;
  MonoTime last_activity_{};
  bool trimmed_ = false;
  std::size_t recycled_bytes_ = 0;
};

}  // namespace sidelight
