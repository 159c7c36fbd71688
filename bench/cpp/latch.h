#pragma once

#include <condition_variable>
#include <mutex>

// Waits for so many events.
class Latch {
 public:
  explicit Latch(int count) : left_(count) {}

  void Down() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (--left_ == 0) done_.notify_all();
  }

  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  int left_;
};
