// The server of gRPC's interop tests on Debian's gRPC for C++, with the official flags; prints "listening PORT".
#include <chrono>
#include <iostream>
#include <optional>
#include <thread>
#include <vector>

#include "flags.h"
#include "interop.h"

using grpc::ServerContext;
using grpc::Status;
using namespace grpc::testing;

namespace {

void Echo(ServerContext* context) {
  const auto& received = context->client_metadata();
  if (const auto found = received.find(kInitialKey); found != received.end())
    context->AddInitialMetadata(kInitialKey, {found->second.data(), found->second.size()});
  if (const auto found = received.find(kTrailingKey); found != received.end())
    context->AddTrailingMetadata(kTrailingKey, {found->second.data(), found->second.size()});
}

template <typename Request>
std::optional<Status> Refusal(const ServerContext& context, const Request& request) {
  if (!request.has_expect_compressed()) return {};
  const bool compressed = InteropServerContextInspector::LastMessageWasCompressed(context);
  if (compressed == request.expect_compressed().value()) return {};
  return Status(grpc::INVALID_ARGUMENT, compressed ? "came compressed" : "came uncompressed");
}

template <typename Request>
std::optional<Status> Wanted(const Request& request) {
  if (request.response_status().code() == 0) return {};
  return Status(static_cast<grpc::StatusCode>(request.response_status().code()), request.response_status().message());
}

class Service final : public TestService::Service {
  Status EmptyCall(ServerContext*, const Empty*, Empty*) override { return Status::OK; }

  Status UnaryCall(ServerContext* context, const SimpleRequest* request, SimpleResponse* response) override {
    Echo(context);
    context->set_compression_algorithm(request->response_compressed().value() ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
    if (const auto refusal = Refusal(*context, *request)) return *refusal;
    if (const auto wanted = Wanted(*request)) return *wanted;
    response->mutable_payload()->set_body(std::string(request->response_size(), '\0'));
    return Status::OK;
  }

  Status CacheableUnaryCall(ServerContext* context, const SimpleRequest*, SimpleResponse* response) override {
    context->AddInitialMetadata("cache-control", "max-age=60, public");
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    response->mutable_payload()->set_body(std::to_string(std::chrono::nanoseconds(now).count()));
    return Status::OK;
  }

  Status StreamingOutputCall(ServerContext* context, const StreamingOutputCallRequest* request,
                             grpc::ServerWriter<StreamingOutputCallResponse>* writer) override {
    for (const auto& wanted : request->response_parameters())
      if (wanted.compressed().value()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    return Answer(*request, writer);
  }

  Status StreamingInputCall(ServerContext* context, grpc::ServerReader<StreamingInputCallRequest>* reader,
                            StreamingInputCallResponse* response) override {
    StreamingInputCallRequest request;
    size_t bytes = 0;
    while (reader->Read(&request)) {
      if (const auto refusal = Refusal(*context, request)) return *refusal;
      bytes += request.payload().body().size();
    }
    response->set_aggregated_payload_size(static_cast<int32_t>(bytes));
    return Status::OK;
  }

  Status FullDuplexCall(ServerContext* context,
                        grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) override {
    Echo(context);
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      const Status status = Answer(request, stream);
      if (!status.ok()) return status;
    }
    return Status::OK;
  }

  Status HalfDuplexCall(ServerContext*,
                        grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) override {
    std::vector<StreamingOutputCallRequest> requests;
    for (StreamingOutputCallRequest request; stream->Read(&request);) requests.push_back(request);
    for (const auto& request : requests) {
      const Status status = Answer(request, stream);
      if (!status.ok()) return status;
    }
    return Status::OK;
  }

  template <typename Writer>
  static Status Answer(const StreamingOutputCallRequest& request, Writer* writer) {
    if (const auto wanted = Wanted(request)) return *wanted;
    for (const auto& wanted : request.response_parameters()) {
      std::this_thread::sleep_for(std::chrono::microseconds(wanted.interval_us()));
      StreamingOutputCallResponse response;
      response.mutable_payload()->set_body(std::string(wanted.size(), '\0'));
      grpc::WriteOptions options;
      if (!wanted.compressed().value()) options.set_no_compression();
      if (!writer->Write(response, options)) return Status(grpc::CANCELLED, "the client left");
    }
    return Status::OK;
  }
};

std::shared_ptr<grpc::ServerCredentials> Credentials(const Flags& flags) {
  if (!flags.IsSet("use_tls")) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({
      ReadFile(flags.Text("tls_key_file", std::string(kTestData) + "server1.key")),
      ReadFile(flags.Text("tls_cert_file", std::string(kTestData) + "server1.pem")),
  });
  return grpc::SslServerCredentials(options);
}

}  // namespace

int main(int argc, char** argv) {
  const Flags flags(argc, argv);
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort("[::]:" + flags.Text("port", "10000"), Credentials(flags), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  std::cout << "listening " << port << std::endl;
  server->Wait();
}
