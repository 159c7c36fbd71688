// The client of gRPC's interop tests on grpc-go as Debian has it, with the official flags. Exit code: 0 passed, 1 failed, 2 no such case.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/testdata"

	pb "weir/interop"
)

var cases = map[string]func(pb.TestServiceClient, *grpc.ClientConn) error{
	"empty_unary":                 emptyUnary,
	"cacheable_unary":             cacheableUnary,
	"large_unary":                 largeUnary,
	"client_streaming":            clientStreaming,
	"client_compressed_unary":     clientCompressedUnary,
	"server_streaming":            serverStreaming,
	"server_compressed_unary":     serverCompressedUnary,
	"server_compressed_streaming": serverCompressedStreaming,
	"ping_pong":                   pingPong,
	"empty_stream":                emptyStream,
	"custom_metadata":             customMetadata,
	"status_code_and_message":     statusCodeAndMessage,
	"special_status_message":      specialStatusMessage,
	"unimplemented_method":        unimplementedMethod,
	"unimplemented_service":       unimplementedService,
	"cancel_after_begin":          cancelAfterBegin,
	"cancel_after_first_response": cancelAfterFirstResponse,
	"timeout_on_sleeping_server":  timeoutOnSleepingServer,
	"rpc_soak":                    rpcSoak,
	"channel_soak":                channelSoak,
}

var (
	serverHost     = flag.String("server_host", "localhost", "the server's name or address")
	serverPort     = flag.Int("server_port", 10000, "its port")
	testCase       = flag.String("test_case", "large_unary", "the case to run")
	useTLS         = flag.Bool("use_tls", false, "connect with TLS")
	useTestCA      = flag.Bool("use_test_ca", false, "trust only the authorities of -ca_file")
	caFile         = flag.String("ca_file", testdata.Path("ca.pem"), "certificate authorities")
	hostOverride   = flag.String("server_host_override", "", "the name that the server's certificate must have")
	soakIterations = flag.Int("soak_iterations", 10, "how many calls a soak makes")
)

func connect() (*grpc.ClientConn, error) {
	option := grpc.WithInsecure()
	if *useTLS {
		creds := credentials.NewClientTLSFromCert(nil, *hostOverride)
		if *useTestCA {
			var err error
			if creds, err = credentials.NewClientTLSFromFile(*caFile, *hostOverride); err != nil {
				return nil, err
			}
		}
		option = grpc.WithTransportCredentials(creds)
	}
	return grpc.Dial(net.JoinHostPort(*serverHost, strconv.Itoa(*serverPort)), option, grpc.WithBlock(), grpc.WithStatsHandler(compressionWatcher{}))
}

func main() {
	flag.Parse()
	run, known := cases[*testCase]
	if !known {
		fmt.Fprintf(os.Stderr, "%s: this client does not have the case\n", *testCase)
		os.Exit(2)
	}
	conn, err := connect()
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if err := run(pb.NewTestServiceClient(conn), conn); err != nil {
		log.Fatalf("%s: %v", *testCase, err)
	}
}
