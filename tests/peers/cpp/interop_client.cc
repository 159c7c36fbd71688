// The client of gRPC's interop tests on Debian's gRPC for C++, with the official flags. Exit code: 0 passed, 1 failed, 2 no such case.
#include <chrono>
#include <functional>
#include <iostream>
#include <map>

#include "flags.h"
#include "interop.h"

using grpc::ClientContext;
using grpc::Status;
using namespace grpc::testing;

namespace {

constexpr int kLargeRequest = 271828, kLargeResponse = 314159;
constexpr int kRequests[] = {27182, 8, 1828, 45904};
constexpr int kResponses[] = {31415, 9, 2653, 58979};
constexpr char kInitialValue[] = "test_initial_metadata_value";
constexpr char kTrailingValue[] = "\xab\xab\xab";
constexpr char kNotCached[] = "no proxy has kept the first response: gRPC sends its calls with POST, whose answers caches do not keep";
constexpr auto kSoakLatency = std::chrono::seconds(1);

using Duplex = grpc::ClientReaderWriter<StreamingOutputCallRequest, StreamingOutputCallResponse>;

void Expect(bool is, const std::string& what) {
  if (!is) throw std::runtime_error(what);
}

void ExpectEnd(const Status& status, grpc::StatusCode code) {
  Expect(status.error_code() == code, "status " + std::to_string(code) + " expected, got " + std::to_string(status.error_code()) + " " +
                                          status.error_message());
}

void ExpectEnd(const Status& status, const EchoStatus& wanted) {
  ExpectEnd(status, static_cast<grpc::StatusCode>(wanted.code()));
  Expect(status.error_message() == wanted.message(), "message '" + status.error_message() + "'");
}

void Check(const Payload& payload, size_t size) {
  Expect(payload.body() == std::string(size, '\0'), std::to_string(size) + " zeros expected, got a payload of " +
                                                        std::to_string(payload.body().size()) + " bytes");
}

SimpleRequest LargeRequest() {
  SimpleRequest request;
  request.set_response_size(kLargeResponse);
  request.mutable_payload()->set_body(std::string(kLargeRequest, '\0'));
  return request;
}

StreamingOutputCallRequest Request(int size, std::initializer_list<int> responses) {
  StreamingOutputCallRequest request;
  request.mutable_payload()->set_body(std::string(size, '\0'));
  for (const int response : responses) request.add_response_parameters()->set_size(response);
  return request;
}

void Exchange(Duplex& stream, int size, int response_size) {
  StreamingOutputCallResponse response;
  Expect(stream.Write(Request(size, {response_size})), "the request could not be sent");
  Expect(stream.Read(&response), "a response to each request expected");
  Check(response.payload(), response_size);
}

void Finish(Duplex& stream) {
  StreamingOutputCallResponse response;
  Expect(stream.WritesDone(), "the end could not be sent");
  Expect(!stream.Read(&response), "no response expected after the last request");
  ExpectEnd(stream.Finish(), grpc::OK);
}

class Client {
 public:
  explicit Client(const Flags& flags) : flags_(flags), channel_(Connect()), service_(TestService::NewStub(channel_)) {}

  const std::map<std::string, std::function<void()>> cases = {
      {"empty_unary", [this] { EmptyUnary(); }},
      {"cacheable_unary", [this] { CacheableUnary(); }},
      {"large_unary", [this] { LargeUnary(*service_); }},
      {"client_compressed_unary", [this] { ClientCompressedUnary(); }},
      {"server_compressed_unary", [this] { ServerCompressedUnary(); }},
      {"client_streaming", [this] { ClientStreaming(); }},
      {"client_compressed_streaming", [this] { ClientCompressedStreaming(); }},
      {"server_streaming", [this] { ServerStreaming(); }},
      {"server_compressed_streaming", [this] { ServerCompressedStreaming(); }},
      {"ping_pong", [this] { PingPong(); }},
      {"empty_stream", [this] { EmptyStream(); }},
      {"custom_metadata", [this] { CustomMetadata(); }},
      {"status_code_and_message", [this] { StatusCodeAndMessage(); }},
      {"special_status_message", [this] { SpecialStatusMessage(); }},
      {"unimplemented_method", [this] { UnimplementedMethod(); }},
      {"unimplemented_service", [this] { UnimplementedServiceCall(); }},
      {"cancel_after_begin", [this] { CancelAfterBegin(); }},
      {"cancel_after_first_response", [this] { CancelAfterFirstResponse(); }},
      {"timeout_on_sleeping_server", [this] { TimeoutOnSleepingServer(); }},
      {"rpc_soak", [this] { Soak([this] { LargeUnary(*service_); }); }},
      {"channel_soak", [this] { Soak([this] { LargeUnary(*TestService::NewStub(Connect())); }); }},
  };

 private:
  std::shared_ptr<grpc::Channel> Connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a channel has a connection of its own
    const auto target = flags_.Text("server_host", "localhost") + ":" + flags_.Text("server_port", "10000");
    if (!flags_.IsSet("use_tls")) return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
    grpc::SslCredentialsOptions options;
    if (flags_.IsSet("use_test_ca")) options.pem_root_certs = ReadFile(flags_.Text("ca_file", std::string(kTestData) + "ca.pem"));
    if (const auto name = flags_.Text("server_host_override", ""); !name.empty()) arguments.SetSslTargetNameOverride(name);
    return grpc::CreateCustomChannel(target, grpc::SslCredentials(options), arguments);
  }

  // Without a proxy that keeps responses, all that can be seen is that the server allows it.
  void CacheableUnary() {
    SimpleRequest request;
    request.mutable_payload()->set_body(std::to_string(std::chrono::system_clock::now().time_since_epoch().count()));
    std::string bodies[2];
    for (auto& body : bodies) {
      ClientContext context;
      context.AddMetadata("x-user-ip", "1.2.3.4");
      SimpleResponse response;
      ExpectEnd(service_->CacheableUnaryCall(&context, request, &response), grpc::OK);
      const auto& headers = context.GetServerInitialMetadata();
      const auto control = headers.find("cache-control");
      Expect(control != headers.end() && control->second.find("max-age=") != grpc::string_ref::npos, "no max-age in cache-control");
      body = response.payload().body();
    }
    if (bodies[0] != bodies[1]) std::cout << kNotCached << std::endl;
  }

  void EmptyUnary() {
    ClientContext context;
    Empty response;
    ExpectEnd(service_->EmptyCall(&context, Empty(), &response), grpc::OK);
  }

  static void LargeUnary(TestService::Stub& service) {
    ClientContext context;
    SimpleResponse response;
    ExpectEnd(service.UnaryCall(&context, LargeRequest(), &response), grpc::OK);
    Check(response.payload(), kLargeResponse);
  }

  // A unary call that says whether the server is to expect a compressed message, sent compressed or not.
  Status UnaryExpecting(bool expected, bool compressed) {
    ClientContext context;
    context.set_compression_algorithm(compressed ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
    SimpleRequest request = LargeRequest();
    request.mutable_expect_compressed()->set_value(expected);
    SimpleResponse response;
    const Status status = service_->UnaryCall(&context, request, &response);
    if (status.ok()) Check(response.payload(), kLargeResponse);
    return status;
  }

  void ClientCompressedUnary() {
    ExpectEnd(UnaryExpecting(true, false), grpc::INVALID_ARGUMENT);
    ExpectEnd(UnaryExpecting(true, true), grpc::OK);
    ExpectEnd(UnaryExpecting(false, false), grpc::OK);
  }

  void ServerCompressedUnary() {
    for (const bool compressed : {true, false}) {
      ClientContext context;
      SimpleRequest request = LargeRequest();
      request.mutable_response_compressed()->set_value(compressed);
      SimpleResponse response;
      ExpectEnd(service_->UnaryCall(&context, request, &response), grpc::OK);
      Check(response.payload(), kLargeResponse);
      Expect(InteropClientContextInspector::LastMessageWasCompressed(context) == compressed,
             compressed ? "the response came uncompressed" : "the response came compressed");
    }
  }

  void ClientStreaming() {
    ClientContext context;
    StreamingInputCallResponse response;
    const auto stream = service_->StreamingInputCall(&context, &response);
    int sum = 0;
    for (const int size : kRequests) {
      StreamingInputCallRequest request;
      request.mutable_payload()->set_body(std::string(size, '\0'));
      Expect(stream->Write(request), "a request could not be sent");
      sum += size;
    }
    stream->WritesDone();
    ExpectEnd(stream->Finish(), grpc::OK);
    Expect(response.aggregated_payload_size() == sum, "aggregated size " + std::to_string(response.aggregated_payload_size()));
  }

  static StreamingInputCallRequest InputExpecting(bool compressed, int size) {
    StreamingInputCallRequest request;
    request.mutable_expect_compressed()->set_value(compressed);
    request.mutable_payload()->set_body(std::string(size, '\0'));
    return request;
  }

  void ClientCompressedStreaming() {
    {
      ClientContext context;
      StreamingInputCallResponse response;
      const auto stream = service_->StreamingInputCall(&context, &response);
      stream->Write(InputExpecting(true, kRequests[0]));
      stream->WritesDone();
      ExpectEnd(stream->Finish(), grpc::INVALID_ARGUMENT);
    }
    ClientContext context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    StreamingInputCallResponse response;
    const auto stream = service_->StreamingInputCall(&context, &response);
    Expect(stream->Write(InputExpecting(true, kRequests[0])), "the compressed request could not be sent");
    Expect(stream->Write(InputExpecting(false, kRequests[3]), grpc::WriteOptions().set_no_compression()), "the plain request could not be sent");
    stream->WritesDone();
    ExpectEnd(stream->Finish(), grpc::OK);
    Expect(response.aggregated_payload_size() == kRequests[0] + kRequests[3],
           "aggregated size " + std::to_string(response.aggregated_payload_size()));
  }

  void ServerStreaming() {
    ClientContext context;
    const auto stream = service_->StreamingOutputCall(&context, Request(0, {kResponses[0], kResponses[1], kResponses[2], kResponses[3]}));
    StreamingOutputCallResponse response;
    for (const int size : kResponses) {
      Expect(stream->Read(&response), "a response is missing");
      Check(response.payload(), size);
    }
    Expect(!stream->Read(&response), "one response too many");
    ExpectEnd(stream->Finish(), grpc::OK);
  }

  void ServerCompressedStreaming() {
    constexpr std::pair<bool, int> kWanted[] = {{true, 31415}, {false, 92653}};
    StreamingOutputCallRequest request;
    for (const auto& [compressed, size] : kWanted) {
      auto* parameters = request.add_response_parameters();
      parameters->mutable_compressed()->set_value(compressed);
      parameters->set_size(size);
    }
    ClientContext context;
    const auto stream = service_->StreamingOutputCall(&context, request);
    StreamingOutputCallResponse response;
    for (const auto& [compressed, size] : kWanted) {
      Expect(stream->Read(&response), "a response is missing");
      Check(response.payload(), size);
      Expect(InteropClientContextInspector::LastMessageWasCompressed(context) == compressed,
             compressed ? "a response came uncompressed" : "a response came compressed");
    }
    Expect(!stream->Read(&response), "one response too many");
    ExpectEnd(stream->Finish(), grpc::OK);
  }

  void PingPong() {
    ClientContext context;
    const auto stream = service_->FullDuplexCall(&context);
    for (int i = 0; i < 4; i++) Exchange(*stream, kRequests[i], kResponses[i]);
    Finish(*stream);
  }

  void EmptyStream() {
    ClientContext context;
    Finish(*service_->FullDuplexCall(&context));
  }

  static void AddMetadata(ClientContext& context) {
    context.AddMetadata(kInitialKey, kInitialValue);
    context.AddMetadata(kTrailingKey, kTrailingValue);
  }

  static void CheckMetadata(const ClientContext& context) {
    const auto initial = context.GetServerInitialMetadata().find(kInitialKey);
    Expect(initial != context.GetServerInitialMetadata().end() && initial->second == kInitialValue, "the header did not come back");
    const auto trailing = context.GetServerTrailingMetadata().find(kTrailingKey);
    Expect(trailing != context.GetServerTrailingMetadata().end() && trailing->second == kTrailingValue, "the trailer did not come back");
  }

  void CustomMetadata() {
    ClientContext unary;
    AddMetadata(unary);
    SimpleResponse response;
    ExpectEnd(service_->UnaryCall(&unary, LargeRequest(), &response), grpc::OK);
    Check(response.payload(), kLargeResponse);
    CheckMetadata(unary);

    ClientContext duplex;
    AddMetadata(duplex);
    const auto stream = service_->FullDuplexCall(&duplex);
    Exchange(*stream, kLargeRequest, kLargeResponse);
    Finish(*stream);
    CheckMetadata(duplex);
  }

  static EchoStatus Echo(const std::string& message) {
    EchoStatus status;
    status.set_code(grpc::UNKNOWN);
    status.set_message(message);
    return status;
  }

  void UnaryEnds(const EchoStatus& wanted) {
    ClientContext context;
    SimpleRequest request;
    *request.mutable_response_status() = wanted;
    SimpleResponse response;
    ExpectEnd(service_->UnaryCall(&context, request, &response), wanted);
  }

  void StatusCodeAndMessage() {
    const EchoStatus wanted = Echo("test status message");
    UnaryEnds(wanted);
    ClientContext context;
    const auto stream = service_->FullDuplexCall(&context);
    StreamingOutputCallRequest request;
    *request.mutable_response_status() = wanted;
    Expect(stream->Write(request), "the request could not be sent");
    stream->WritesDone();
    StreamingOutputCallResponse response;
    Expect(!stream->Read(&response), "no response expected");
    ExpectEnd(stream->Finish(), wanted);
  }

  void SpecialStatusMessage() {
    UnaryEnds(Echo("\t\ntest with whitespace\r\nand Unicode BMP \xE2\x98\xBA and non-BMP \xF0\x9F\x98\x88\t\n"));
  }

  void UnimplementedMethod() {
    ClientContext context;
    Empty response;
    ExpectEnd(service_->UnimplementedCall(&context, Empty(), &response), grpc::UNIMPLEMENTED);
  }

  void UnimplementedServiceCall() {
    ClientContext context;
    Empty response;
    ExpectEnd(UnimplementedService::NewStub(channel_)->UnimplementedCall(&context, Empty(), &response), grpc::UNIMPLEMENTED);
  }

  void CancelAfterBegin() {
    ClientContext context;
    StreamingInputCallResponse response;
    const auto stream = service_->StreamingInputCall(&context, &response);
    context.TryCancel();
    ExpectEnd(stream->Finish(), grpc::CANCELLED);
  }

  void CancelAfterFirstResponse() {
    ClientContext context;
    const auto stream = service_->FullDuplexCall(&context);
    Exchange(*stream, kRequests[0], kResponses[0]);
    context.TryCancel();
    ExpectEnd(stream->Finish(), grpc::CANCELLED);
  }

  void TimeoutOnSleepingServer() {
    ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
    const auto stream = service_->FullDuplexCall(&context);
    stream->Write(Request(kRequests[0], {}));
    StreamingOutputCallResponse response;
    while (stream->Read(&response)) {
    }
    ExpectEnd(stream->Finish(), grpc::DEADLINE_EXCEEDED);
  }

  void Soak(const std::function<void()>& call) const {
    const int iterations = flags_.Number("soak_iterations", 10);
    for (int i = 0; i < iterations; i++) {
      const auto begin = std::chrono::steady_clock::now();
      call();
      Expect(std::chrono::steady_clock::now() - begin <= kSoakLatency, "call " + std::to_string(i) + " took more than a second");
    }
  }

  const Flags& flags_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<TestService::Stub> service_;
};

}  // namespace

int main(int argc, char** argv) {
  const Flags flags(argc, argv);
  const std::string name = flags.Text("test_case", "large_unary");
  try {
    Client client(flags);
    const auto found = client.cases.find(name);
    if (found == client.cases.end()) {
      std::cerr << name << ": this client does not have the case" << std::endl;
      return 2;
    }
    found->second();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << std::endl;
    return 1;
  }
}
