// How far the estimated age is from the true one. A first-in-first-out queue with publishers and consumers at
// rates that change, with messages that are requeued, and a broker whose publishes and depth are each counted
// up to five seconds late, at different times, as RabbitMQ's management does.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <iostream>
#include <random>
#include <vector>

#include "collectors/rabbitmq/head_age.h"

namespace sidelight {
namespace {

constexpr double kTick = 0.05;     // seconds
constexpr double kStatistics = 5;  // the broker counts anew this often
constexpr double kInterval = 5;    // and is asked this often
constexpr std::size_t kPrefetch = 20;

class SimulatedQueue {
 public:
  explicit SimulatedQueue(unsigned seed) : random_(seed) {
    std::uniform_real_distribution<double> phase(0, kStatistics);
    publishes_counted_ = phase(random_);
    depth_counted_ = phase(random_);
  }

  void step(double now, double in, double out, double requeue_share) {
    for (auto n = poisson(in * kTick); n > 0; --n) {
      ready_.push_back(now);
      ++published_;
    }
    for (auto n = poisson(out * kTick); n > 0; --n) work(requeue_share);
    while (unacked_.size() < kPrefetch && !ready_.empty()) {
      unacked_.push_back(ready_.front());
      ready_.pop_front();
    }
    if (now >= publishes_counted_) {
      publishes_counted_ += kStatistics;
      seen_published = static_cast<double>(published_);
    }
    if (now >= depth_counted_) {
      depth_counted_ += kStatistics;
      seen_ready = static_cast<double>(ready_.size());
      seen_depth = static_cast<double>(ready_.size() + unacked_.size());
    }
  }
  // Of the oldest message that is ready.
  double true_age(double now) const {
    return now - *std::min_element(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                        ready_.size(), 2 * kPrefetch)));
  }
  std::size_t ready() const { return ready_.size(); }

  double seen_published = 0;
  double seen_ready = 0;
  double seen_depth = 0;

 private:
  unsigned poisson(double mean) { return mean <= 0 ? 0 : std::poisson_distribution<unsigned>(mean)(random_); }
  void work(double requeue_share) {
    if (unacked_.empty()) return;
    const double message = unacked_.front();
    unacked_.pop_front();
    if (std::uniform_real_distribution<double>(0, 1)(random_) < requeue_share) ready_.push_front(message);
  }

  std::minstd_rand random_;
  std::deque<double> ready_;  // times of publishing
  std::deque<double> unacked_;
  std::uint64_t published_ = 0;
  double publishes_counted_ = 0;
  double depth_counted_ = 0;
};

struct Errors {
  std::vector<double> seconds;  // estimate less truth
  double oldest = 0;            // true age that was met
  std::size_t most_points = 0;

  double quantile(double q) {
    std::vector<double> size;
    for (const double e : seconds) size.push_back(std::abs(e));
    std::sort(size.begin(), size.end());
    return size[static_cast<std::size_t>(q * static_cast<double>(size.size() - 1))];
  }
};

MonoTime at(double seconds) {
  return MonoTime(Nanos(std::llround(seconds * 1e9)));
}

// `rates` gives publishes and work a second at a time.
template <class Rates>
Errors simulate(unsigned seed, double hours, double requeue_share, Rates rates) {
  SimulatedQueue queue(seed);
  HeadAge ages;
  Errors errors;
  double next_look = kInterval;
  for (double now = 0; now < hours * 3600; now += kTick) {
    const auto [in, out] = rates(now);
    queue.step(now, in, out, requeue_share);
    if (now < next_look) continue;
    next_look += kInterval;
    ages.observe(at(now), queue.seen_published, queue.seen_depth);
    errors.most_points = std::max(errors.most_points, ages.points());
    const auto estimate = ages.age(at(now), queue.seen_ready);
    // What is short of a look at the broker is not to be told: the first seconds, and queues that are about
    // to be empty.
    if (now < 60 || !estimate || queue.ready() < 20) continue;
    const double truth = queue.true_age(now);
    errors.oldest = std::max(errors.oldest, truth);
    errors.seconds.push_back(std::chrono::duration<double>(*estimate).count() - truth);
  }
  return errors;
}

void report(const char* name, Errors& e) {
  std::cout << name << ": " << e.seconds.size() << " estimates of ages up to " << std::lround(e.oldest)
            << " s; error: median " << e.quantile(0.5) << " s, 95 % " << e.quantile(0.95) << " s, worst "
            << e.quantile(1) << " s; points " << e.most_points << '\n';
}

TEST(HeadAgeSimulation, AnEveningPeakThatIsWorkedOff) {
  for (const unsigned seed : {1u, 2u, 3u}) {
    auto e = simulate(seed, 3, 0, [](double t) { return std::pair(t < 3600 ? 50.0 : 15.0, 30.0); });
    report("peak", e);
    ASSERT_GT(e.seconds.size(), 500u);
    EXPECT_GT(e.oldest, 1000);
    EXPECT_LE(e.quantile(0.95), 5);
    EXPECT_LE(e.quantile(1), 25);  // one percent of the age
    EXPECT_LE(e.most_points, HeadAge::kMaxPoints);
  }
}

TEST(HeadAgeSimulation, RatesThatSwing) {
  // What the counts are late by now, in messages, weighs more where publishers were slow when the head came.
  for (const unsigned seed : {1u, 2u, 3u}) {
    auto e = simulate(seed, 3, 0, [](double t) {
      return std::pair(40 + 35 * std::sin(t / 120), 40 + 30 * std::sin(t / 400));
    });
    report("swing", e);
    ASSERT_GT(e.seconds.size(), 200u);
    EXPECT_LE(e.quantile(0.95), 8);
    EXPECT_LE(e.quantile(1), 75);
  }
}

TEST(HeadAgeSimulation, SlowPublishers) {
  // One message in five seconds: its time cannot be told more exactly than that.
  for (const unsigned seed : {1u, 2u, 3u}) {
    auto e = simulate(seed, 6, 0, [](double t) { return std::pair(0.2, t < 7200 ? 0.05 : 0.25); });
    report("slow", e);
    ASSERT_GT(e.seconds.size(), 500u);
    EXPECT_LE(e.quantile(0.95), 25);
    EXPECT_LE(e.quantile(1), 80);
  }
}

TEST(HeadAgeSimulation, RequeuedMessagesAreOlderThanTheyLook) {
  // Each message that comes back hides at the head; there are at most as many as consumers hold.
  for (const unsigned seed : {1u, 2u, 3u}) {
    auto e = simulate(seed, 2, 0.2, [](double t) { return std::pair(t < 3600 ? 50.0 : 20.0, 40.0); });
    report("requeue", e);
    ASSERT_GT(e.seconds.size(), 500u);
    EXPECT_LE(e.quantile(0.95), 8);
    EXPECT_LE(e.quantile(1), 12);
  }
}

TEST(HeadAgeSimulation, NoConsumerForAShift) {
  auto e = simulate(7, 8, 0, [](double t) { return std::pair(5 + 4 * std::sin(t / 1000), 0.0); });
  report("shift", e);
  EXPECT_GT(e.oldest, 8 * 3600 - 10);
  EXPECT_LE(e.most_points, HeadAge::kMaxPoints);
  EXPECT_LE(e.quantile(1), 12);
}

}  // namespace
}  // namespace sidelight
