// bench-cpp measures streaming RPC with gRPC C++ on the bench contract, with the same arguments and the same output as
// bench/Weir.Bench, so that any client runs against any server.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <malloc.h>

#include "server.h"
#include "workloads.h"

namespace {

constexpr int kRounds = 3;
constexpr int kSyncStreams = 2;  // up to here a thread a stream is faster than callbacks

const char kUsage[] = R"(usage: bench-cpp server PORT
       bench-cpp MODE PORT N STREAMS
       bench-cpp rate PORT N STREAMS PER_SECOND

MODE and the API that it uses:
  list, create, upload, download, large   sync, a thread a stream, buffer hint on writes (client and server)
  ping, unary                             client: sync with 1 or 2 streams, callbacks with more; server: callbacks
  conns, fan, rate                        callbacks (client and server)
N is the number of messages in all; three rounds, or with "-" a round for each line of standard input, which is its N. The allocator keeps freed memory (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD).
)";

Workload Find(const std::string& mode, int streams) {
  if (mode == "list") return List;
  if (mode == "create") return Create;
  if (mode == "upload") return Upload;
  if (mode == "download") return Download;
  if (mode == "large") return Large;
  if (mode == "ping") return streams <= kSyncStreams ? PingSync : PingCallback;
  if (mode == "unary") return streams <= kSyncStreams ? UnarySync : UnaryCallback;
  if (mode == "conns") return Connections;
  if (mode == "fan") return Fan;
  return nullptr;
}

// 0: not a number from 1 to most.
int Number(const char* text, int most) {
  char* end;
  long value = std::strtol(text, &end, 10);
  return *end == '\0' && value >= 1 && value <= most ? static_cast<int>(value) : 0;
}

int Usage() {
  std::fputs(kUsage, stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  // Without these every 64 KiB block or larger is mapped, touched and unmapped again.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);

  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  int port = argc > 2 ? Number(argv[2], 65535) : 0;
  if (port == 0) return Usage();
  if (argc == 3 && std::strcmp(argv[1], "server") == 0) {
    Serve(port);
    return 0;
  }
  int per_second = argc == 6 && std::strcmp(argv[1], "rate") == 0 ? Number(argv[5], 1 << 30) : 0;
  if (per_second > 0) argc = 5;
  bool reads = argc == 5 && std::strcmp(argv[3], "-") == 0;
  int count = reads ? 1 : argc == 5 ? Number(argv[3], 1 << 30) : 0, streams = argc == 5 ? Number(argv[4], 100000) : 0;
  Workload workload = Find(argv[1], streams);
  if (per_second > 0) workload = [per_second](Round& round, const Channels& channels) { Rate(round, channels, per_second); };
  if (count == 0 || streams == 0 || workload == nullptr) return Usage();

  Channels channels("127.0.0.1:" + std::to_string(port));
  char line[32];
  for (int i = 0; reads || i < kRounds; i++) {
    if (reads) {
      if (std::fgets(line, sizeof line, stdin) == nullptr) break;
      line[std::strcspn(line, "\n")] = '\0';
      if ((count = Number(line, 1 << 30)) == 0) return Usage();
    }
    Round round(count, streams);
    workload(round, channels);
    round.Report(argv[1]);
  }
  return 0;
}
