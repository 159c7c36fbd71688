// classic-server serves the classic contract from memory, for Weir's client to be tested against.
//
//	classic-server ADDR
//
// ADDR may end in :0 for any free port; "listening PORT" on standard output says that it is ready. Metadata named echo or echo-bin
// comes back in the headers and in the trailers of every call. Besides the contract:
// the symbol "" is refused with InvalidArgument and a message that is not ASCII, DETAILS with details of google.rpc and a message that
// ends with a blank, FOREVER never ends, SILENT sends nothing but headers until
// the client leaves, every other symbol has five prices. The room "echo" gives a message back to its sender. The symbol CANCELLED
// answers with how many calls clients have left so far, as its price.
package main

import (
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // registers it
	"google.golang.org/grpc/metadata"
	"weir/classic"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: classic-server ADDR")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer(grpc.StreamInterceptor(echoMetadata))
	prices := &prices{}
	classic.RegisterStreamServiceServer(server, &streamService{prices: prices, users: newUserStore()})
	classic.RegisterStockServiceServer(server, &stockService{prices: prices})
	classic.RegisterChatServiceServer(server, &chatService{rooms: map[string]map[*member]bool{}})
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func echoMetadata(service interface{}, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	received, _ := metadata.FromIncomingContext(stream.Context())
	echoed := metadata.MD{}
	for _, key := range []string{"echo", "echo-bin"} {
		if values := received.Get(key); len(values) > 0 {
			echoed.Set(key, values...)
		}
	}
	if err := stream.SetHeader(echoed); err != nil {
		return err
	}
	stream.SetTrailer(echoed)
	return handler(service, stream)
}
