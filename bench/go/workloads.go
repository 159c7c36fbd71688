package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"weir/bench"
	"weir/classic"
)

const (
	chunkBytes = 64 << 10
	largeBytes = 4 << 20
)

// round is one measured run: what to do, and the sums of what its streams did.
type round struct {
	streams   classic.StreamServiceClient
	chat      classic.ChatServiceClient
	bench     bench.BenchServiceClient
	dial      func() (*grpc.ClientConn, error) // a connection of its own
	count     int                              // messages over all streams
	width     int                              // streams at a time
	start     time.Time
	messages  int64 // atomic
	bytes     int64 // atomic: payload octets of the messages counted
	firstNano int64 // atomic: from start to the first answer on any stream; 0 before
	remark    string // what the workload adds to the round's line
}

var workloads = map[string]func(*round) error{
	"list": list, "create": create, "upload": upload, "download": download, "large": large, "unary": unary,
	"ping": ping, "conns": conns, "fan": fan,
}

func newRound(connection *grpc.ClientConn, dial func() (*grpc.ClientConn, error), count, width int) *round {
	return &round{
		streams: classic.NewStreamServiceClient(connection), chat: classic.NewChatServiceClient(connection),
		bench: bench.NewBenchServiceClient(connection), dial: dial, count: count, width: width,
	}
}

func (r *round) totals() (messages, bytes, firstNano int64) {
	return atomic.LoadInt64(&r.messages), atomic.LoadInt64(&r.bytes), atomic.LoadInt64(&r.firstNano)
}

func (r *round) done(messages, size int) {
	atomic.AddInt64(&r.messages, int64(messages))
	atomic.AddInt64(&r.bytes, int64(messages)*int64(size))
}

func (r *round) answered() {
	if atomic.LoadInt64(&r.firstNano) == 0 {
		atomic.CompareAndSwapInt64(&r.firstNano, 0, int64(time.Since(r.start)))
	}
}

// spread runs body once a stream, all at once, with the stream's share of the messages.
func (r *round) spread(body func(ctx context.Context, share int) error) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	results := make(chan error, r.width)
	for i := 0; i < r.width; i++ {
		share := r.count / r.width
		if i < r.count%r.width {
			share++
		}
		go func() { results <- body(ctx, share) }()
	}
	for i := 0; i < r.width; i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}

func list(r *round) error {
	return r.spread(r.listOne)
}

func unary(r *round) error {
	message := chatMessage("echo")
	return r.spread(func(ctx context.Context, share int) error {
		for i := 0; i < share; i++ {
			if _, err := r.bench.Echo(ctx, message); err != nil {
				return err
			}
			r.answered()
		}
		r.done(share, proto.Size(message))
		return nil
	})
}

func download(r *round) error { return r.downloadChunks(chunkBytes) }

func large(r *round) error { return r.downloadChunks(largeBytes) }

func (r *round) downloadChunks(size int) error {
	return r.spread(func(ctx context.Context, share int) error {
		call, err := r.bench.Download(ctx, &bench.DownloadRequest{Chunks: int64(share), ChunkBytes: int32(size)})
		if err != nil {
			return err
		}
		total := int64(0)
		for {
			chunk, err := call.Recv()
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			r.answered()
			total += int64(len(chunk.Data))
		}
		if want := int64(share) * int64(size); total != want {
			return fmt.Errorf("got %d bytes, asked for %d", total, want)
		}
		r.done(share, size)
		return nil
	})
}

func (r *round) listOne(ctx context.Context, users int) error {
	call, err := r.streams.GetUserList(ctx, &classic.GetUserListRequest{PageSize: int32(users)})
	if err != nil {
		return err
	}
	received, size := 0, 0
	for {
		user, err := call.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if received == 0 {
			r.answered()
			size = proto.Size(user)
		}
		received++
	}
	if received != users {
		return fmt.Errorf("got %d users, asked for %d", received, users)
	}
	r.done(received, size)
	return nil
}

func create(r *round) error {
	return r.spread(func(ctx context.Context, share int) error {
		call, err := r.streams.CreateUsers(ctx)
		if err != nil {
			return err
		}
		user := benchUser()
		for i := 0; i < share; i++ {
			if err := call.Send(user); err != nil {
				return err
			}
		}
		answer, err := call.CloseAndRecv()
		if err != nil {
			return err
		}
		r.answered()
		if answer.Created != int64(share) {
			return fmt.Errorf("the server counts %d users, %d were sent", answer.Created, share)
		}
		r.done(share, proto.Size(user))
		return nil
	})
}

func upload(r *round) error {
	return r.spread(func(ctx context.Context, share int) error {
		call, err := r.streams.UploadFile(ctx)
		if err != nil {
			return err
		}
		chunk := &classic.FileChunk{FileName: "bench.bin", Data: make([]byte, chunkBytes)}
		for i := 0; i < share; i++ {
			if err := call.Send(chunk); err != nil {
				return err
			}
		}
		answer, err := call.CloseAndRecv()
		if err != nil {
			return err
		}
		r.answered()
		if want := int64(share) * chunkBytes; answer.TotalSize != want {
			return fmt.Errorf("the server counts %d bytes, %d were sent", answer.TotalSize, want)
		}
		r.done(share, chunkBytes)
		return nil
	})
}

func ping(r *round) error {
	return r.spread(func(ctx context.Context, share int) error { return r.pingOne(ctx, r.chat, share) })
}

// conns: a connection a stream, opened and closed within the round.
func conns(r *round) error {
	return r.spread(func(ctx context.Context, share int) error {
		connection, err := r.dial()
		if err != nil {
			return err
		}
		defer connection.Close()
		return r.pingOne(ctx, classic.NewChatServiceClient(connection), share)
	})
}

func (r *round) pingOne(ctx context.Context, chat classic.ChatServiceClient, count int) error {
	message := chatMessage("echo")
	call, err := chat.Chat(ctx)
	if err != nil {
		return err
	}
	for i := 0; i < count; i++ {
		if err := call.Send(message); err != nil {
			return err
		}
		if _, err := call.Recv(); err != nil {
			return err
		}
		r.answered()
	}
	r.done(count, proto.Size(message))
	return finish(call)
}

// fan: every stream joins one room, then one publisher sends count messages to all of them.
func fan(r *round) error {
	room := fmt.Sprintf("fan-%d", time.Now().UnixNano())
	message := chatMessage(room)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	calls := make([]classic.ChatService_ChatClient, r.width)
	for i := range calls {
		call, err := r.chat.Chat(ctx)
		if err != nil {
			return err
		}
		if err := call.Send(&classic.ChatMessage{UserId: message.UserId, RoomId: room}); err != nil {
			return err
		}
		calls[i] = call
	}
	for _, call := range calls {
		if _, err := call.Header(); err != nil {
			return err
		}
	}
	results := make(chan error, r.width+1)
	for _, call := range calls {
		go func(call classic.ChatService_ChatClient) { results <- r.receive(call, r.count, proto.Size(message)) }(call)
	}
	go func() {
		for i := 0; i < r.count; i++ {
			if err := calls[0].Send(message); err != nil {
				results <- err
				return
			}
		}
		results <- nil
	}()
	for i := 0; i < cap(results); i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	for _, call := range calls {
		if err := finish(call); err != nil {
			return err
		}
	}
	return nil
}

func (r *round) receive(call classic.ChatService_ChatClient, count, size int) error {
	for i := 0; i < count; i++ {
		if _, err := call.Recv(); err != nil {
			return fmt.Errorf("after %d of %d messages: %v", i, count, err)
		}
		r.answered()
	}
	r.done(count, size)
	return nil
}

// finish half-closes a duplex call and takes its end.
func finish(call classic.ChatService_ChatClient) error {
	if err := call.CloseSend(); err != nil {
		return err
	}
	if message, err := call.Recv(); err != io.EOF {
		return fmt.Errorf("expected the stream's end, got %v, %v", message, err)
	}
	return nil
}

func chatMessage(room string) *classic.ChatMessage {
	return &classic.ChatMessage{UserId: "bench", Content: strings.Repeat("x", 16), Timestamp: 1_700_000_000, RoomId: room}
}
