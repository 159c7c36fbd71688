package main

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/stats"

	pb "weir/interop"
)

// With its own encoding a call also says that it accepts it; without, this version of the library accepts none.
var compressed = grpc.UseCompressor(gzip.Name)

// Counts the messages of a call that come compressed, in the context's counter: shorter on the wire than they are.
type compressionWatcher struct{}

type counterKey struct{}

func counting() (context.Context, *int32) {
	counter := new(int32)
	return context.WithValue(context.Background(), counterKey{}, counter), counter
}

func (compressionWatcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (compressionWatcher) HandleRPC(ctx context.Context, event stats.RPCStats) {
	in, ok := event.(*stats.InPayload)
	counter, counts := ctx.Value(counterKey{}).(*int32)
	if ok && counts && in.WireLength < in.Length {
		atomic.AddInt32(counter, 1)
	}
}

func (compressionWatcher) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return ctx
}

func (compressionWatcher) HandleConn(context.Context, stats.ConnStats) {}

func clientCompressedUnary(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	request := func(expected bool) *pb.SimpleRequest {
		return &pb.SimpleRequest{ResponseSize: largeResponse, Payload: zeros(largeRequest), ExpectCompressed: &pb.BoolValue{Value: expected}}
	}
	_, err := service.UnaryCall(context.Background(), request(true))
	if err := ended(err, codes.InvalidArgument); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	response, err := service.UnaryCall(context.Background(), request(true), compressed)
	if err != nil {
		return err
	}
	if err := check(response.GetPayload(), largeResponse); err != nil {
		return err
	}
	response, err = service.UnaryCall(context.Background(), request(false))
	if err != nil {
		return err
	}
	return check(response.GetPayload(), largeResponse)
}

func serverCompressedUnary(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	for wanted, name := range map[int32]bool{1: true, 0: false} {
		ctx, counter := counting()
		response, err := service.UnaryCall(ctx, &pb.SimpleRequest{
			ResponseSize: largeResponse, Payload: zeros(largeRequest), ResponseCompressed: &pb.BoolValue{Value: name},
		}, compressed)
		if err != nil {
			return err
		}
		if err := check(response.GetPayload(), largeResponse); err != nil {
			return err
		}
		if got := atomic.LoadInt32(counter); got != wanted {
			return fmt.Errorf("%d compressed responses expected, got %d", wanted, got)
		}
	}
	return nil
}

func serverCompressedStreaming(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx, counter := counting()
	stream, err := service.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{
		{Size: 31415, Compressed: &pb.BoolValue{Value: true}},
		{Size: 92653, Compressed: &pb.BoolValue{Value: false}},
	}}, compressed)
	if err != nil {
		return err
	}
	for _, size := range []int{31415, 92653} {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := check(response.GetPayload(), size); err != nil {
			return err
		}
		if got := atomic.LoadInt32(counter); got != 1 {
			return fmt.Errorf("1 compressed response expected after the one of %d bytes, got %d", size, got)
		}
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("the end of the stream expected, got %v", err)
	}
	return nil
}
