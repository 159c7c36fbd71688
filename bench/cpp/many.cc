// Workloads of many streams with little on each: the callback API, no thread of their own.
#include <atomic>
#include <memory>

#include "latch.h"
#include "workloads.h"

namespace {

// One stream of pings: the next is sent when the answer is there and the write before it has ended, whichever comes last.
class Pinger final : public grpc::ClientBidiReactor<ChatMessage, ChatMessage> {
 public:
  Pinger(Round& round, ChatService::Stub& stub, int share, Latch& ended) : round_(round), share_(share), ended_(ended) {
    stub.async()->Chat(&context_, this);
    Next();
    StartCall();
  }

  void OnWriteDone(bool) override { HalfDone(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;  // OnDone tells why
    round_.Answered();
    answers_++;
    HalfDone();
  }

  void OnDone(const grpc::Status& status) override {
    ExpectOk(status);
    Expect("answers", share_, answers_);
    round_.Done(answers_, message_.ByteSizeLong());
    ended_.Down();
  }

 private:
  void Next() {
    if (answers_ == share_) return StartWritesDone();
    halves_ = 2;
    StartRead(&answer_);
    StartWrite(&message_);
  }

  void HalfDone() {
    if (--halves_ == 0) Next();
  }

  Round& round_;
  const int share_;
  Latch& ended_;
  int answers_ = 0;
  std::atomic<int> halves_{0};
  grpc::ClientContext context_;
  const ChatMessage message_ = BenchMessage("echo");
  ChatMessage answer_;
};

// Unary calls one after the other.
class Caller {
 public:
  Caller(Round& round, weir::bench::BenchService::Stub& stub, int share, Latch& ended)
      : round_(round), stub_(stub), share_(share), ended_(ended) {
    Next();
  }

 private:
  void Next() {
    if (calls_ == share_) {
      round_.Done(calls_, message_.ByteSizeLong());
      ended_.Down();
      return;
    }
    calls_++;
    context_ = std::make_unique<grpc::ClientContext>();
    stub_.async()->Echo(context_.get(), &message_, &answer_, [this](const grpc::Status& status) {
      ExpectOk(status);
      round_.Answered();
      Next();
    });
  }

  Round& round_;
  weir::bench::BenchService::Stub& stub_;
  const int share_;
  Latch& ended_;
  int calls_ = 0;
  std::unique_ptr<grpc::ClientContext> context_;
  const ChatMessage message_ = BenchMessage("echo");
  ChatMessage answer_;
};

// A member of a room; it joins with a message without content and takes count messages. The publisher sends them too.
class Member final : public grpc::ClientBidiReactor<ChatMessage, ChatMessage> {
 public:
  Member(Round& round, ChatService::Stub& stub, const std::string& room, bool publisher, Latch& joined, Latch& ended)
      : round_(round), publisher_(publisher), joined_(joined), ended_(ended), message_(BenchMessage(room)) {
    join_.set_user_id(message_.user_id());
    join_.set_room_id(room);
    stub.async()->Chat(&context_, this);
    AddHold();  // for Send, which the publisher's first message calls from outside
    StartRead(&received_);
    StartWrite(&join_);
    StartCall();
  }

  // The publisher's next message; the first only when all have joined.
  void Send() {
    sent_++;
    StartWrite(&message_);
  }

  void OnReadInitialMetadataDone(bool) override { JoinHalfDone(); }

  void OnWriteDone(bool ok) override {
    if (!ok) return;
    if (!join_written_) {
      join_written_ = true;
      JoinHalfDone();
      if (!publisher_) EndHalfDone();
    } else if (sent_ < round_.count) {
      Send();
    } else {
      EndHalfDone();
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Expect("messages of a member", round_.count, messages_);
      return;
    }
    round_.Answered();
    if (++messages_ == round_.count) EndHalfDone();
    StartRead(&received_);
  }

  void OnDone(const grpc::Status& status) override {
    ExpectOk(status);
    round_.Done(messages_, message_.ByteSizeLong());
    ended_.Down();
  }

 private:
  // It has joined when the server says so and the write that asked for it has ended.
  void JoinHalfDone() {
    if (--join_halves_ == 0) joined_.Down();
  }

  // It has ended when all is written and all is read.
  void EndHalfDone() {
    if (--end_halves_ > 0) return;
    StartWritesDone();
    RemoveHold();
  }

  Round& round_;
  const bool publisher_;
  Latch& joined_;
  Latch& ended_;
  bool join_written_ = false;
  int sent_ = 0, messages_ = 0;
  std::atomic<int> join_halves_{2}, end_halves_{2};
  grpc::ClientContext context_;
  const ChatMessage message_;
  ChatMessage join_, received_;
};

}  // namespace

void PingCallback(Round& round, const Channels& channels) {
  auto stub = ChatService::NewStub(channels.Shared());
  Latch ended(round.width);
  std::vector<std::unique_ptr<Pinger>> pingers;
  for (int i = 0; i < round.width; i++) pingers.push_back(std::make_unique<Pinger>(round, *stub, round.Share(i), ended));
  ended.Wait();
}

void UnaryCallback(Round& round, const Channels& channels) {
  auto stub = weir::bench::BenchService::NewStub(channels.Shared());
  Latch ended(round.width);
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < round.width; i++) callers.push_back(std::make_unique<Caller>(round, *stub, round.Share(i), ended));
  ended.Wait();
}

void Connections(Round& round, const Channels& channels) {
  Latch ended(round.width);
  std::vector<std::unique_ptr<ChatService::Stub>> stubs;
  std::vector<std::unique_ptr<Pinger>> pingers;
  for (int i = 0; i < round.width; i++) {
    stubs.push_back(ChatService::NewStub(channels.Open()));
    pingers.push_back(std::make_unique<Pinger>(round, *stubs.back(), round.Share(i), ended));
  }
  ended.Wait();
}

void Fan(Round& round, const Channels& channels) {
  auto stub = ChatService::NewStub(channels.Shared());
  std::string room = "fan-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  Latch joined(round.width), ended(round.width);
  std::vector<std::unique_ptr<Member>> members;
  for (int i = 0; i < round.width; i++) members.push_back(std::make_unique<Member>(round, *stub, room, i == 0, joined, ended));
  joined.Wait();
  members[0]->Send();
  ended.Wait();
}
