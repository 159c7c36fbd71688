// Workloads of few streams with much on them: the sync API, a thread a stream, writes with the buffer hint.
#include "workloads.h"

namespace {

const auto kBuffered = grpc::WriteOptions().set_buffer_hint();

// Writes count times the same message; only the end of the stream flushes what is left.
template <class Writer, class Message>
void WriteAll(Writer& writer, const Message& message, int count) {
  for (int i = 0; i < count; i++) {
    if (!writer.Write(message, kBuffered)) return;  // Finish tells why
  }
  writer.WritesDone();
}

}  // namespace

void List(Round& round, const Channels& channels) {
  auto stub = StreamService::NewStub(channels.Shared());
  round.Spread([&](int share) {
    grpc::ClientContext context;
    GetUserListRequest request;
    request.set_page_size(share);
    auto call = stub->GetUserList(&context, request);
    User user;
    int received = 0;
    while (call->Read(&user)) {
      if (received++ == 0) round.Answered();
    }
    ExpectOk(call->Finish());
    Expect("users received", share, received);
    round.Done(received, user.ByteSizeLong());
  });
}

void Create(Round& round, const Channels& channels) {
  auto stub = StreamService::NewStub(channels.Shared());
  round.Spread([&](int share) {
    grpc::ClientContext context;
    CreateUsersResponse answer;
    auto call = stub->CreateUsers(&context, &answer);
    User user = BenchUser();
    WriteAll(*call, user, share);
    ExpectOk(call->Finish());
    round.Answered();
    Expect("users counted by the server", share, answer.created());
    round.Done(share, user.ByteSizeLong());
  });
}

void Upload(Round& round, const Channels& channels) {
  auto stub = StreamService::NewStub(channels.Shared());
  round.Spread([&](int share) {
    grpc::ClientContext context;
    UploadResponse answer;
    auto call = stub->UploadFile(&context, &answer);
    WriteAll(*call, BenchChunk(kChunkBytes), share);
    ExpectOk(call->Finish());
    round.Answered();
    Expect("bytes counted by the server", int64_t{share} * kChunkBytes, answer.total_size());
    round.Done(share, kChunkBytes);
  });
}

static void DownloadChunks(Round& round, const Channels& channels, int chunk_bytes) {
  auto stub = weir::bench::BenchService::NewStub(channels.Shared());
  round.Spread([&](int share) {
    grpc::ClientContext context;
    weir::bench::DownloadRequest request;
    request.set_chunks(share);
    request.set_chunk_bytes(chunk_bytes);
    auto call = stub->Download(&context, request);
    FileChunk chunk;
    int64_t total = 0;
    while (call->Read(&chunk)) {
      round.Answered();
      total += chunk.data().size();
    }
    ExpectOk(call->Finish());
    Expect("bytes received", int64_t{share} * chunk_bytes, total);
    round.Done(share, chunk_bytes);
  });
}

void Download(Round& round, const Channels& channels) { DownloadChunks(round, channels, kChunkBytes); }

void Large(Round& round, const Channels& channels) { DownloadChunks(round, channels, kLargeBytes); }

void PingSync(Round& round, const Channels& channels) {
  auto stub = ChatService::NewStub(channels.Shared());
  round.Spread([&](int share) {
    grpc::ClientContext context;
    auto call = stub->Chat(&context);
    ChatMessage message = BenchMessage("echo"), answer;
    int answers = 0;
    while (answers < share && call->Write(message) && call->Read(&answer)) {
      answers++;
      round.Answered();
    }
    call->WritesDone();
    ExpectOk(call->Finish());
    Expect("answers", share, answers);
    round.Done(share, message.ByteSizeLong());
  });
}

void UnarySync(Round& round, const Channels& channels) {
  auto stub = weir::bench::BenchService::NewStub(channels.Shared());
  round.Spread([&](int share) {
    ChatMessage message = BenchMessage("echo"), answer;
    for (int i = 0; i < share; i++) {
      grpc::ClientContext context;
      ExpectOk(stub->Echo(&context, message, &answer));
      round.Answered();
    }
    round.Done(share, message.ByteSizeLong());
  });
}
