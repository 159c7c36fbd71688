// The server of the bench contract: bulk calls on the sync API with the buffer hint, Chat and Echo on the callback API.
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include <grpcpp/grpcpp.h>

#include "round.h"
#include "server.h"

namespace {

using Message = std::shared_ptr<const ChatMessage>;

const auto kBuffered = grpc::WriteOptions().set_buffer_hint();

// The first message goes without the hint, since one that goes with the headers would wait for ever; so does the last, to take along
// all before it.
template <class Item>
grpc::Status WriteAll(grpc::ServerWriter<Item>& writer, const Item& item, int64_t count) {
  for (int64_t i = 1; i <= count; i++) {
    if (!writer.Write(item, i > 1 && i < count ? kBuffered : grpc::WriteOptions()))
      return grpc::Status(grpc::StatusCode::CANCELLED, "the client has left");
  }
  return grpc::Status::OK;
}

class Streams final : public StreamService::Service {
  grpc::Status GetUserList(grpc::ServerContext*, const GetUserListRequest* request, grpc::ServerWriter<User>* writer) override {
    return WriteAll(*writer, BenchUser(), request->page_size());
  }

  grpc::Status CreateUsers(grpc::ServerContext*, grpc::ServerReader<User>* reader, CreateUsersResponse* answer) override {
    User user;
    int64_t created = 0;
    while (reader->Read(&user)) created++;
    answer->set_created(created);
    return grpc::Status::OK;
  }

  grpc::Status UploadFile(grpc::ServerContext*, grpc::ServerReader<FileChunk>* reader, UploadResponse* answer) override {
    FileChunk chunk;
    int64_t total = 0;
    while (reader->Read(&chunk)) total += chunk.data().size();
    answer->set_file_id("bench");
    answer->set_total_size(total);
    return grpc::Status::OK;
  }
};

class Calls final : public weir::bench::BenchService::WithCallbackMethod_Echo<weir::bench::BenchService::Service> {
  grpc::Status Download(grpc::ServerContext*, const weir::bench::DownloadRequest* request,
                        grpc::ServerWriter<FileChunk>* writer) override {
    return WriteAll(*writer, BenchChunk(request->chunk_bytes()), request->chunks());
  }

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const ChatMessage* request, ChatMessage* answer) override {
    *answer = *request;
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class Talk;

// The members of one room. A publisher is not read on while more than kMostOutstanding deliveries wait.
class Room {
 public:
  void Join(Talk* member);
  void Leave(Talk* member);
  // True: the publisher may read on. False: Delivered will let it.
  bool Broadcast(const Message& message, Talk* publisher);
  void Delivered();

 private:
  static constexpr int kMostOutstanding = 1 << 18;

  std::mutex mutex_;
  std::set<Talk*> members_;
  int outstanding_ = 0;
  Talk* waiting_ = nullptr;
};

class Rooms {
 public:
  std::shared_ptr<Room> Find(const std::string& name) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto& room = rooms_[name];
    if (!room) room = std::make_shared<Room>();
    return room;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Room>> rooms_;
};

// One call of Chat: the room "echo" gives each message back; in any other room a message with content goes to all members.
class Talk final : public grpc::ServerBidiReactor<ChatMessage, ChatMessage> {
 public:
  explicit Talk(Rooms& rooms) : rooms_(rooms) { StartRead(&received_); }

  void ReadOn() { StartRead(&received_); }

  void Send(Message message) {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(message));
    if (queue_.size() == 1 && !finished_) WriteFirst();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End();
    if (received_.room_id() == "echo") {
      echo_ = true;
      StartWrite(&received_);
      return;
    }
    if (!room_) {
      room_ = rooms_.Find(received_.room_id());
      room_->Join(this);
      StartSendInitialMetadata();  // says that the call has joined
    }
    if (received_.content().empty() || room_->Broadcast(std::make_shared<ChatMessage>(received_), this)) ReadOn();
  }

  void OnWriteDone(bool ok) override {
    if (echo_) return ReadOn();
    room_->Delivered();
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.pop_front();
    if (!queue_.empty() && ok && !finished_) WriteFirst();
  }

  void OnDone() override {
    for (size_t i = 0; i < queue_.size(); i++) room_->Delivered();  // those that never went out
    delete this;
  }

 private:
  // Under mutex_.
  void WriteFirst() { StartWrite(queue_.front().get()); }

  void End() {
    if (room_) room_->Leave(this);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      finished_ = true;
    }
    Finish(grpc::Status::OK);
  }

  Rooms& rooms_;
  std::shared_ptr<Room> room_;
  ChatMessage received_;
  bool echo_ = false;
  std::mutex mutex_;
  std::deque<Message> queue_;  // guarded by mutex_; its first is being written
  bool finished_ = false;      // guarded by mutex_
};

void Room::Join(Talk* member) {
  std::lock_guard<std::mutex> lock(mutex_);
  members_.insert(member);
}

void Room::Leave(Talk* member) {
  std::lock_guard<std::mutex> lock(mutex_);
  members_.erase(member);
}

bool Room::Broadcast(const Message& message, Talk* publisher) {
  std::lock_guard<std::mutex> lock(mutex_);
  outstanding_ += static_cast<int>(members_.size());
  for (Talk* member : members_) member->Send(message);
  if (outstanding_ <= kMostOutstanding) return true;
  waiting_ = publisher;
  return false;
}

void Room::Delivered() {
  Talk* go = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (--outstanding_ <= kMostOutstanding / 2) std::swap(go, waiting_);
  }
  if (go) go->ReadOn();
}

class Chats final : public ChatService::CallbackService {
  grpc::ServerBidiReactor<ChatMessage, ChatMessage>* Chat(grpc::CallbackServerContext*) override { return new Talk(rooms_); }

  Rooms rooms_;
};

}  // namespace

void Serve(int port) {
  Streams streams;
  Calls calls;
  Chats chats;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(2 * kLargeBytes);
  builder.RegisterService(&streams);
  builder.RegisterService(&calls);
  builder.RegisterService(&chats);
  auto server = builder.BuildAndStart();
  if (!server) Fail("no server on port " + std::to_string(port));
  std::printf("listening %d\n", port);
  std::fflush(stdout);
  server->Wait();
}
