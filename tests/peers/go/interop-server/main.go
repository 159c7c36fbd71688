// The server of gRPC's interop tests on grpc-go as Debian has it, with the official flags; prints "listening PORT".
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/testdata"

	pb "weir/interop"
)

const (
	initialKey  = "x-grpc-test-echo-initial"
	trailingKey = "x-grpc-test-echo-trailing-bin"
)

type server struct {
	pb.UnimplementedTestServiceServer
}

func (server) EmptyCall(context.Context, *pb.Empty) (*pb.Empty, error) {
	return &pb.Empty{}, nil
}

func (server) UnaryCall(ctx context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	header, trailer := echoed(ctx)
	if err := grpc.SendHeader(ctx, header); err != nil {
		return nil, err
	}
	if err := grpc.SetTrailer(ctx, trailer); err != nil {
		return nil, err
	}
	if err := checkCompression(ctx, in.GetExpectCompressed()); err != nil {
		return nil, err
	}
	if err := wanted(in.GetResponseStatus()); err != nil {
		return nil, err
	}
	return &pb.SimpleResponse{Payload: zeros(in.GetResponseSize())}, nil
}

func (server) CacheableUnaryCall(ctx context.Context, _ *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	if err := grpc.SendHeader(ctx, metadata.Pairs("cache-control", "max-age=60, public")); err != nil {
		return nil, err
	}
	return &pb.SimpleResponse{Payload: &pb.Payload{Body: []byte(strconv.FormatInt(time.Now().UnixNano(), 10))}}, nil
}

func (server) StreamingOutputCall(in *pb.StreamingOutputCallRequest, stream pb.TestService_StreamingOutputCallServer) error {
	return answer(in, stream)
}

func (server) StreamingInputCall(stream pb.TestService_StreamingInputCallServer) error {
	size := 0
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: int32(size)})
		}
		if err != nil {
			return err
		}
		if err := checkCompression(stream.Context(), in.GetExpectCompressed()); err != nil {
			return err
		}
		size += len(in.GetPayload().GetBody())
	}
}

func (server) FullDuplexCall(stream pb.TestService_FullDuplexCallServer) error {
	header, trailer := echoed(stream.Context())
	if err := stream.SendHeader(header); err != nil {
		return err
	}
	stream.SetTrailer(trailer)
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := answer(in, stream); err != nil {
			return err
		}
	}
}

func answer(in *pb.StreamingOutputCallRequest, stream interface {
	Send(*pb.StreamingOutputCallResponse) error
}) error {
	if err := wanted(in.GetResponseStatus()); err != nil {
		return err
	}
	for _, parameters := range in.GetResponseParameters() {
		time.Sleep(time.Duration(parameters.GetIntervalUs()) * time.Microsecond)
		if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: zeros(parameters.GetSize())}); err != nil {
			return err
		}
	}
	return nil
}

func echoed(ctx context.Context) (header, trailer metadata.MD) {
	received, _ := metadata.FromIncomingContext(ctx)
	header, trailer = metadata.MD{}, metadata.MD{}
	header.Set(initialKey, received.Get(initialKey)...)
	trailer.Set(trailingKey, received.Get(trailingKey)...)
	return header, trailer
}

func wanted(s *pb.EchoStatus) error {
	return status.Error(codes.Code(s.GetCode()), s.GetMessage())
}

func zeros(size int32) *pb.Payload {
	return &pb.Payload{Body: make([]byte, size)}
}

func main() {
	port := flag.Int("port", 10000, "where to listen; 0 for any free port")
	useTLS := flag.Bool("use_tls", false, "serve with TLS")
	certFile := flag.String("tls_cert_file", testdata.Path("server1.pem"), "the server's certificate")
	keyFile := flag.String("tls_key_file", testdata.Path("server1.key"), "its private key")
	flag.Parse()
	options := []grpc.ServerOption{grpc.StatsHandler(compressionWatcher{})}
	if *useTLS {
		creds, err := credentials.NewServerTLSFromFile(*certFile, *keyFile)
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(creds))
	}
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer(options...)
	pb.RegisterTestServiceServer(s, server{})
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(s.Serve(listener))
}
