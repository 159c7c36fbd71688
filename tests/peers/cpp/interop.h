// What the client and the server of gRPC's interop tests share.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <grpcpp/grpcpp.h>

#include "grpc/testing/test.grpc.pb.h"

constexpr char kTestData[] = "/usr/share/gocode/src/google.golang.org/grpc/testdata/";
constexpr char kInitialKey[] = "x-grpc-test-echo-initial";
constexpr char kTrailingKey[] = "x-grpc-test-echo-trailing-bin";

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The library exports this for its own tests and declares it in no public header.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace grpc::testing {

inline bool WasCompressed(grpc_call* call) {
  constexpr uint32_t kCompressed = 0x80000000u, kWasCompressed = 0x40000000u;
  return (grpc_call_test_only_get_message_flags(call) & (kCompressed | kWasCompressed)) != 0;
}

// The contexts call these two friends: they show whether the last received message came compressed.
class InteropClientContextInspector {
 public:
  static bool LastMessageWasCompressed(const ClientContext& context) { return WasCompressed(context.call_); }
};

class InteropServerContextInspector {
 public:
  static bool LastMessageWasCompressed(const ServerContextBase& context) { return WasCompressed(context.call_.call); }
};

}  // namespace grpc::testing
