package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "weir/interop"
)

const (
	largeRequest  = 271828
	largeResponse = 314159
	soakLatency   = time.Second
	notCached     = "no proxy has kept the first response: gRPC sends its calls with POST, whose answers caches do not keep"

	initialKey    = "x-grpc-test-echo-initial"
	initialValue  = "test_initial_metadata_value"
	trailingKey   = "x-grpc-test-echo-trailing-bin"
	trailingValue = "\xab\xab\xab"
)

func zeros(size int) *pb.Payload {
	return &pb.Payload{Body: make([]byte, size)}
}

func check(payload *pb.Payload, size int) error {
	if !bytes.Equal(payload.GetBody(), make([]byte, size)) {
		return fmt.Errorf("%d zeros expected, got a payload of %d bytes", size, len(payload.GetBody()))
	}
	return nil
}

// Whether a call ended with a code.
func ended(err error, want codes.Code) error {
	if status.Code(err) != want {
		return fmt.Errorf("%v expected, got %v", want, err)
	}
	return nil
}

func emptyUnary(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	_, err := service.EmptyCall(context.Background(), &pb.Empty{})
	return err
}

// Without a proxy that keeps responses, all that can be seen is that the server allows it.
func cacheableUnary(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx := metadata.AppendToOutgoingContext(context.Background(), "x-user-ip", "1.2.3.4")
	request := &pb.SimpleRequest{Payload: &pb.Payload{Body: []byte(time.Now().String())}}
	var bodies [2][]byte
	for i := range bodies {
		var header metadata.MD
		response, err := service.CacheableUnaryCall(ctx, request, grpc.Header(&header))
		if err != nil {
			return err
		}
		if control := strings.Join(header.Get("cache-control"), ","); !strings.Contains(control, "max-age=") {
			return fmt.Errorf("max-age in cache-control expected, got %q", control)
		}
		bodies[i] = response.GetPayload().GetBody()
	}
	if !bytes.Equal(bodies[0], bodies[1]) {
		fmt.Println(notCached)
	}
	return nil
}

func largeUnary(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	response, err := service.UnaryCall(context.Background(), &pb.SimpleRequest{ResponseSize: largeResponse, Payload: zeros(largeRequest)})
	if err != nil {
		return err
	}
	return check(response.GetPayload(), largeResponse)
}

func customMetadata(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx := metadata.AppendToOutgoingContext(context.Background(), initialKey, initialValue, trailingKey, trailingValue)
	var header, trailer metadata.MD
	request := &pb.SimpleRequest{ResponseSize: 1, Payload: zeros(1)}
	if _, err := service.UnaryCall(ctx, request, grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
		return err
	}
	if err := checkMetadata(header, trailer); err != nil {
		return fmt.Errorf("unary: %w", err)
	}
	stream, err := service.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	if err := exchange(stream, 1, 1); err != nil {
		return err
	}
	if err := finish(stream); err != nil {
		return err
	}
	if header, err = stream.Header(); err != nil {
		return err
	}
	return checkMetadata(header, stream.Trailer())
}

func checkMetadata(header, trailer metadata.MD) error {
	if got := header.Get(initialKey); len(got) != 1 || got[0] != initialValue {
		return fmt.Errorf("header %s: %q", initialKey, got)
	}
	if got := trailer.Get(trailingKey); len(got) != 1 || got[0] != trailingValue {
		return fmt.Errorf("trailer %s: %q", trailingKey, got)
	}
	return nil
}

func unimplementedMethod(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	_, err := service.UnimplementedCall(context.Background(), &pb.Empty{})
	return ended(err, codes.Unimplemented)
}

func unimplementedService(_ pb.TestServiceClient, conn *grpc.ClientConn) error {
	_, err := pb.NewUnimplementedServiceClient(conn).UnimplementedCall(context.Background(), &pb.Empty{})
	return ended(err, codes.Unimplemented)
}

func rpcSoak(service pb.TestServiceClient, conn *grpc.ClientConn) error {
	for i := 0; i < *soakIterations; i++ {
		begin := time.Now()
		if err := largeUnary(service, conn); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
		if took := time.Since(begin); took > soakLatency {
			return fmt.Errorf("call %d took %v, %v is allowed", i, took, soakLatency)
		}
	}
	return nil
}

func channelSoak(pb.TestServiceClient, *grpc.ClientConn) error {
	for i := 0; i < *soakIterations; i++ {
		conn, err := connect()
		if err != nil {
			return err
		}
		err = largeUnary(pb.NewTestServiceClient(conn), conn)
		conn.Close()
		if err != nil {
			return fmt.Errorf("channel %d: %w", i, err)
		}
	}
	return nil
}
