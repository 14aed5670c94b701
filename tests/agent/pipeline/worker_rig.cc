#include "tests/agent/pipeline/worker_rig.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace sidelight::test {
namespace {

namespace stdfs = std::filesystem;

std::string make_directory(const std::string& in) {
  std::string pattern = in + "/sidelight-worker-XXXXXX";
  return ::mkdtemp(pattern.data());
}

// Memory-backed where there is such a place: checkpoints are synced all the time. Logs are not, and belong on
// a disk, where a freed inode is handed out again at once.
std::string place_for_state() {
  return stdfs::is_directory("/dev/shm") ? "/dev/shm" : stdfs::temp_directory_path().string();
}

}  // namespace

void StderrLogger::write(LogLevel /*level*/, std::string_view key, const std::string& message) {
  last = message;
  if (std::getenv("SIDELIGHT_MODEL_SEED") != nullptr)
    std::fprintf(stderr, "    %s: %s\n", std::string(key).c_str(), message.c_str());
}

// Collects batches; the rig acknowledges them.
class Rig::Sink final : public Output {
 public:
  Sink(Rig& rig, Ledger& ledger, BatchRecycler& recycler, CheckpointStore& store)
      : rig_(rig), ledger_(ledger), recycler_(recycler), store_(store) {}
  EncoderOptions encoding() const override { return {BulkShape::ndjson, true, {}}; }
  void submit(BatchPtr batch) override {
    EXPECT_TRUE(store_.sync_to(batch->durable_seq));
    rig_.store(*batch);  // sent at once; the answer comes later, or never
    queue_.push_back(std::move(batch));
  }
  std::size_t queued_bytes() const override { return queue_.size(); }
  bool drain(MonoTime /*deadline*/) override { return queue_.empty(); }
  bool acknowledge() {
    if (queue_.empty()) return false;
    BatchPtr b = std::move(queue_.front());
    queue_.pop_front();
    for (std::size_t i = 0; i < b->docs.size(); ++i) b->settle(i, ledger_);
    recycler_.recycle(std::move(b));
    return true;
  }

 private:
  Rig& rig_;
  Ledger& ledger_;
  BatchRecycler& recycler_;
  CheckpointStore& store_;
  std::deque<BatchPtr> queue_;
};

struct Rig::Process {
  Process(Rig& rig, std::unique_ptr<CheckpointStore> s)
      : store(std::move(s)),
        budget(rig.budget_bytes),
        chunks(budget, 128 * 1024),
        batches(budget, 8u << 20, [] {}),
        sink(rig, ledger, batches, *store) {}
  std::unique_ptr<CheckpointStore> store;
  Budget budget;
  ChunkPool chunks;
  BatchPool batches;
  SpanLedger ledger;
  Sink sink;
  std::unique_ptr<Worker> worker;
};

Rig::Rig(TailOptions tail, DecodeOptions decode)
    : logs_(make_directory(stdfs::temp_directory_path().string())),
      state_(make_directory(place_for_state())),
      tail_(std::move(tail)),
      decode_(std::move(decode)) {
  if (tail_.paths.empty()) tail_.paths = {"*.log"};
  for (auto* list : {&tail_.paths, &tail_.exclude})
    for (auto& p : *list)
      if (p[0] != '/') p = path(p);
  options.flush_interval = std::chrono::milliseconds(0);
  options.unterminated_timeout = std::chrono::hours(1);
  limits.rescan_interval = std::chrono::milliseconds(3600'000);
}

Rig::~Rig() {
  process_.reset();
  stdfs::remove_all(logs_);
  stdfs::remove_all(state_);
}

void Rig::append(const std::string& name, const std::string& bytes) const {
  std::ofstream(path(name), std::ios::binary | std::ios::app) << bytes;
}
void Rig::rename(const std::string& from, const std::string& to) const {
  stdfs::rename(path(from), path(to));
}
void Rig::truncate(const std::string& name) const {
  stdfs::resize_file(path(name), 0);
}
void Rig::copy(const std::string& from, const std::string& to) const {
  stdfs::copy_file(path(from), path(to), stdfs::copy_options::overwrite_existing);
}
void Rig::remove(const std::string& name) const {
  stdfs::remove(path(name));
}
void Rig::symlink(const std::string& target, const std::string& name) const {
  const std::string tmp = path(name) + ".link";
  stdfs::create_symlink(target, tmp);
  stdfs::rename(tmp, path(name));
}
bool Rig::exists(const std::string& name) const {
  return stdfs::exists(path(name));
}
std::uint64_t Rig::size(const std::string& name) const {
  return stdfs::file_size(path(name));
}

void Rig::gzip(const std::string& name, bool keep) const {
  std::ifstream in(path(name), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  gzFile out = gzopen((path(name) + ".gz").c_str(), "wb");
  gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(out);
  stdfs::last_write_time(path(name) + ".gz", stdfs::last_write_time(path(name)));
  if (!keep) stdfs::remove(path(name));
}

void Rig::start() {
  auto store = CheckpointStore::open({fs_, clock, log_, checkpoint_probe_}, state_ + "/state");
  ASSERT_TRUE(store.has_value()) << store.error().message;
  begin(std::move(*store));
}

void Rig::reload(const std::function<void()>& between) {
  drain();
  reload_undrained(between);
}

void Rig::reload_undrained(const std::function<void()>& between) {
  worker_->checkpoint();
  auto store = std::move(process_->store);
  inherited_ = worker_->take_open_files();
  crash();
  between();
  begin(std::move(store));
}

void Rig::begin(std::unique_ptr<CheckpointStore> store) {
  process_ = std::make_unique<Process>(*this, std::move(store));
  Process& p = *process_;
  std::vector<WorkerInput> inputs(1);
  inputs[0].name = "shop";
  auto framer = make_framer(decode_);
  auto parser = make_parser({Format::raw, {}, "UTC", {}});
  ASSERT_TRUE(framer && parser);
  inputs[0].framer = std::move(*framer);
  inputs[0].parser = std::move(*parser);
  if (!processors.empty()) {
    auto chain = Chain::make(processors, fs_, {});
    ASSERT_TRUE(chain);
    inputs[0].chain = std::move(*chain);
  }
  FileNotifier& to_worker = real_notifier != nullptr ? *real_notifier : notifier;
  p.worker =
      std::make_unique<Worker>(WorkerContext{fs_, to_worker, clock, log_, p.budget, p.chunks, p.batches,
                                             p.ledger, *p.store, tail_probe, pipeline_probe},
                               options, std::move(inputs), std::vector<TailOptions>{tail_}, limits, own);
  worker_ = p.worker.get();
  worker_->set_output(p.sink, make_encoder(p.sink.encoding()));
  worker_->inherit(std::exchange(inherited_, {}));
  worker_->restore();
}

std::size_t Rig::budget_used() const {
  return process_->budget.used();
}

void Rig::crash() {
  worker_ = nullptr;
  process_.reset();
}

void Rig::turn(bool look) {
  clock.step(std::chrono::seconds(1));
  notifier.lost = look;
  worker_->turn(std::chrono::milliseconds(0));
}

void Rig::acknowledge(std::size_t batches) {
  while (batches-- > 0 && process_->sink.acknowledge()) {
  }
}

void Rig::settle() {
  for (int i = 0; i < 40; ++i) {
    turn();
    acknowledge(1000);
  }
  worker_->checkpoint();
  ASSERT_TRUE(process_->store->sync_all());
}

void Rig::finish() {
  drain();
  crash();
}

void Rig::drain() {
  clock.run(std::chrono::microseconds(10));
  worker_->finish(clock.now() + std::chrono::seconds(5));
  clock.run(Nanos(0));
  acknowledge(100000);
  worker_->checkpoint();
  ASSERT_TRUE(process_->store->sync_all());
}

void Rig::store(const Batch& batch) {
  for (const Doc& d : batch.docs) {
    const auto j = nlohmann::json::parse(batch.doc_source(d));
    const std::string id = j.at("event").at("id");
    StoredDoc doc{j.at("message"), j.at("log").at("file").at("path"), j.at("log").at("offset"), {}};
    if (j.at("log").contains("flags")) doc.flags = j.at("log").at("flags").get<std::vector<std::string>>();
    doc.timestamp = j.at("@timestamp");
    if (!stored.emplace(id, doc).second) {
      ++duplicates;
      EXPECT_EQ(stored.at(id).message, doc.message) << "one id, two texts: " << id;
      EXPECT_EQ(stored.at(id).timestamp, doc.timestamp) << "one id, two times: " << id;
    }
  }
}

Texts texts(const Rig& rig) {
  Texts out;
  for (const auto& [id, doc] : rig.stored) out.push_back(doc.message);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace sidelight::test
