// Pings at a fixed rate (open loop), on the callback API.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <thread>

#include "latch.h"
#include "workloads.h"

namespace {

// When each ping is due and how long after that its answer came: a stall counts for every ping that it holds up. Pings go to the streams in turn; the
// k-th answer of a stream belongs to its k-th ping.
class Schedule {
 public:
  Schedule(int pings, int per_second) : per_second_(per_second), latencies_(pings) {}

  void Start() { start_ = Clock::now(); }

  int Pings() const { return static_cast<int>(latencies_.size()); }

  // Gives its core to whoever wants it, without going to sleep: a sleep is too coarse.
  void WaitFor(int ping) const {
    while (Seconds() < ping / per_second_) std::this_thread::yield();
  }

  void Answered(int ping) { latencies_[ping] = Seconds() - ping / per_second_; }

  // The rate that was kept and the percentiles of the latencies.
  std::string Report() {
    double last = 0;
    for (int i = 0; i < Pings(); i++) last = std::max(last, i / per_second_ + latencies_[i]);
    std::sort(latencies_.begin(), latencies_.end());
    char text[160];
    std::snprintf(text, sizeof text, " kept=%.0f/s p50=%.0fus p99=%.0fus p99.9=%.0fus max=%.0fus", Pings() / last, At(0.5), At(0.99), At(0.999), At(1));
    return text;
  }

 private:
  using Clock = std::chrono::steady_clock;

  double Seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  double At(double share) const { return 1e6 * latencies_[static_cast<size_t>(std::ceil(share * Pings())) - 1]; }

  const double per_second_;
  Clock::time_point start_;
  std::vector<double> latencies_;  // seconds, by ping; each written by the thread that takes its answer
};

// One stream. It takes one write at a time, so what is due meanwhile is counted and follows. A ping of its own, which does not count, opens it.
class Sender final : public grpc::ClientBidiReactor<ChatMessage, ChatMessage> {
 public:
  Sender(Schedule& schedule, ChatService::Stub& stub, int first, int width, Latch& opened, Latch& ended)
      : schedule_(schedule), width_(width), opened_(opened), ended_(ended), share_((schedule.Pings() - first + width - 1) / width), next_(first) {
    stub.async()->Chat(&context_, this);
    AddHold();  // for Send, which is called from outside
    StartRead(&answer_);
    Send();
    StartCall();
  }

  // From one thread at a time.
  void Send() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (due_++ == 0) StartWrite(&message_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return;  // OnDone tells why
    bool all;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      all = ++written_ > share_;
      if (--due_ > 0) StartWrite(&message_);
    }
    if (all) HalfEnded();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;  // OnDone tells why
    if (!open_) {
      open_ = true;
      StartRead(&answer_);
      return opened_.Down();
    }
    schedule_.Answered(next_);
    next_ += width_;
    if (next_ >= schedule_.Pings()) HalfEnded();
    StartRead(&answer_);
  }

  void OnDone(const grpc::Status& status) override {
    ExpectOk(status);
    if (next_ < schedule_.Pings()) Fail("a stream ended before its last answer");
    ended_.Down();
  }

 private:
  // All is written, or all is read; which comes last ends the stream.
  void HalfEnded() {
    if (--end_halves_ > 0) return;
    StartWritesDone();
    RemoveHold();
  }

  Schedule& schedule_;
  const int width_;
  Latch& opened_;
  Latch& ended_;
  const int share_;  // pings on the schedule
  int next_;  // the ping whose answer comes next
  bool open_ = false;
  std::mutex mutex_;
  int due_ = 0;      // guarded by mutex_: pings to write, the one that is being written included
  int written_ = 0;  // guarded by mutex_: the opening one included
  std::atomic<int> end_halves_{2};
  grpc::ClientContext context_;
  const ChatMessage message_ = BenchMessage("echo");
  ChatMessage answer_;
};

}  // namespace

void Rate(Round& round, const Channels& channels, int per_second) {
  auto stub = ChatService::NewStub(channels.Shared());
  Schedule schedule(round.count, per_second);
  Latch opened(round.width), ended(round.width);
  std::vector<std::unique_ptr<Sender>> senders;
  for (int i = 0; i < round.width; i++) senders.push_back(std::make_unique<Sender>(schedule, *stub, i, round.width, opened, ended));
  opened.Wait();
  round.Answered();
  schedule.Start();
  for (int i = 0; i < round.count; i++) {
    schedule.WaitFor(i);
    senders[i % round.width]->Send();
  }
  ended.Wait();
  round.Done(round.count, BenchMessage("echo").ByteSizeLong());
  round.remark = schedule.Report();
}
