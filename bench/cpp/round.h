// One measured run: what to do, and the sums of what its streams did. Its streams share it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include "bench.grpc.pb.h"
#include "classic.grpc.pb.h"

constexpr int kChunkBytes = 64 << 10;
constexpr int kLargeBytes = 4 << 20;

// 38 bytes when serialised: the message that list and create send.
inline User BenchUser() {
  User user;
  user.set_id(12345);
  user.set_name("Augusta Lovelace");
  user.set_email("ada@example.com");
  return user;
}

inline ChatMessage BenchMessage(const std::string& room) {
  ChatMessage message;
  message.set_user_id("bench");
  message.set_content(std::string(16, 'x'));
  message.set_timestamp(1700000000);
  message.set_room_id(room);
  return message;
}

inline FileChunk BenchChunk(int bytes) {
  FileChunk chunk;
  chunk.set_file_name("bench.bin");
  chunk.set_data(std::string(bytes, '\0'));
  return chunk;
}

class Round {
 public:
  Round(int count, int width) : count(count), width(width) {}

  const int count;  // messages over all streams
  const int width;  // streams at a time
  std::string remark;  // what the workload adds to the round's line

  int Share(int index) const { return count / width + (index < count % width ? 1 : 0); }

  // Runs body once a stream, a thread each.
  void Spread(const std::function<void(int share)>& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < width; i++) threads.emplace_back(body, Share(i));
    for (auto& thread : threads) thread.join();
  }

  void Answered() {
    if (first_nanos_.load(std::memory_order_relaxed) != 0) return;
    int64_t none = 0;
    first_nanos_.compare_exchange_strong(none, Nanos());
  }

  void Done(int64_t messages, int64_t message_bytes) {
    messages_ += messages;
    bytes_ += messages * message_bytes;
  }

  // The round's line; the time stops here.
  void Report(const std::string& mode) const {
    double wall = Nanos() / 1e9, cpu = CpuSeconds() - cpu_before_;
    std::printf("%s streams=%d n=%lld %.2fs %.0f msg/s %.0f MB/s ttf=%.1fms clientcpu=%.2f%s\n", mode.c_str(), width,
                static_cast<long long>(messages_), wall, messages_ / wall, bytes_ / wall / 1e6, first_nanos_ / 1e6, cpu / wall, remark.c_str());
    std::fflush(stdout);
  }

 private:
  using Clock = std::chrono::steady_clock;

  int64_t Nanos() const { return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_).count(); }

  static double CpuSeconds() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  }

  const Clock::time_point start_ = Clock::now();
  const double cpu_before_ = CpuSeconds();
  std::atomic<int64_t> messages_{0}, bytes_{0}, first_nanos_{0};
};

// Ends the program: a bench that lost a message has measured nothing.
[[noreturn]] inline void Fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::_Exit(1);
}

inline void Expect(const char* what, int64_t wanted, int64_t actual) {
  if (actual != wanted) Fail(std::string(what) + ": " + std::to_string(actual) + ", expected " + std::to_string(wanted));
}

inline void ExpectOk(const grpc::Status& status) {
  if (!status.ok()) Fail("the call ended with status " + std::to_string(status.error_code()) + ": " + status.error_message());
}
