// What a client does in each mode.
#pragma once

#include <grpcpp/grpcpp.h>

#include "round.h"

// The one channel of all workloads, and new ones for the mode conns.
class Channels {
 public:
  explicit Channels(std::string address) : address_(std::move(address)), shared_(Open()) {}

  const std::shared_ptr<grpc::Channel>& Shared() const { return shared_; }

  // A channel with a connection of its own.
  std::shared_ptr<grpc::Channel> Open() const {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(2 * kLargeBytes);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments);
  }

 private:
  const std::string address_;
  const std::shared_ptr<grpc::Channel> shared_;
};

using Workload = std::function<void(Round&, const Channels&)>;

// bulk.cc: the sync API.
void List(Round&, const Channels&);
void Create(Round&, const Channels&);
void Upload(Round&, const Channels&);
void Download(Round&, const Channels&);
void Large(Round&, const Channels&);
void PingSync(Round&, const Channels&);
void UnarySync(Round&, const Channels&);

// many.cc: the callback API.
void PingCallback(Round&, const Channels&);
void UnaryCallback(Round&, const Channels&);
void Connections(Round&, const Channels&);
void Fan(Round&, const Channels&);

// rate.cc: the callback API.
void Rate(Round&, const Channels&, int per_second);
