package main

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // registers it
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	pb "weir/interop"
)

// The library tells a handler nothing of compression, but statistics have the length of each message on the wire.
type compressionWatcher struct{}

type lastMessageKey struct{}

func (compressionWatcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, lastMessageKey{}, new(int32))
}

func (compressionWatcher) HandleRPC(ctx context.Context, event stats.RPCStats) {
	in, ok := event.(*stats.InPayload)
	if !ok {
		return
	}
	var compressed int32
	if in.WireLength < in.Length {
		compressed = 1
	}
	atomic.StoreInt32(ctx.Value(lastMessageKey{}).(*int32), compressed)
}

func (compressionWatcher) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return ctx
}

func (compressionWatcher) HandleConn(context.Context, stats.ConnStats) {}

// Whether the message that was received last came as the client says.
func checkCompression(ctx context.Context, expected *pb.BoolValue) error {
	compressed := atomic.LoadInt32(ctx.Value(lastMessageKey{}).(*int32)) == 1
	if expected != nil && expected.Value != compressed {
		return status.Errorf(codes.InvalidArgument, "compressed: %v expected, got %v", expected.Value, compressed)
	}
	return nil
}
