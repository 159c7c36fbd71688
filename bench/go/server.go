package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"weir/bench"
	"weir/classic"
)

// memberQueueMessages is how far a room member may lag before the publisher waits for it.
const memberQueueMessages = 4096

func serve(port string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxConcurrentStreams(math.MaxUint32),
		grpc.InitialWindowSize(streamWindowBytes), grpc.InitialConnWindowSize(connectionWindowBytes),
		grpc.ReadBufferSize(bufferBytes), grpc.WriteBufferSize(bufferBytes))
	classic.RegisterStreamServiceServer(server, &streamService{user: benchUser()})
	bench.RegisterBenchServiceServer(server, benchService{})
	classic.RegisterChatServiceServer(server, &chatService{rooms: map[string]*room{}})
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	return server.Serve(listener)
}

// benchUser is 38 bytes when serialised: the message that list and create send.
func benchUser() *classic.User {
	return &classic.User{Id: 12345, Name: "Augusta Lovelace", Email: "ada@example.com"}
}

type streamService struct {
	classic.UnimplementedStreamServiceServer
	user *classic.User
}

// GetUserList sends page_size users.
func (s *streamService) GetUserList(request *classic.GetUserListRequest, stream classic.StreamService_GetUserListServer) error {
	for i := int32(0); i < request.PageSize; i++ {
		if err := stream.Send(s.user); err != nil {
			return err
		}
	}
	return nil
}

func (s *streamService) CreateUsers(stream classic.StreamService_CreateUsersServer) error {
	for created := int64(0); ; created++ {
		if _, err := stream.Recv(); err == io.EOF {
			return stream.SendAndClose(&classic.CreateUsersResponse{Created: created})
		} else if err != nil {
			return err
		}
	}
}

func (s *streamService) UploadFile(stream classic.StreamService_UploadFileServer) error {
	for total := int64(0); ; {
		chunk, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&classic.UploadResponse{FileId: "bench", TotalSize: total})
		}
		if err != nil {
			return err
		}
		total += int64(len(chunk.Data))
	}
}

type benchService struct {
	bench.UnimplementedBenchServiceServer
}

func (benchService) Download(request *bench.DownloadRequest, stream bench.BenchService_DownloadServer) error {
	chunk := &classic.FileChunk{FileName: "bench.bin", Data: make([]byte, request.ChunkBytes)}
	for i := int64(0); i < request.Chunks; i++ {
		if err := stream.Send(chunk); err != nil {
			return err
		}
	}
	return nil
}

func (benchService) Echo(_ context.Context, message *classic.ChatMessage) (*classic.ChatMessage, error) {
	return message, nil
}

type chatService struct {
	classic.UnimplementedChatServiceServer
	mutex sync.Mutex
	rooms map[string]*room // guarded by mutex
}

type room struct {
	mutex   sync.RWMutex
	members map[*member]struct{} // guarded by mutex
}

type member struct {
	queue chan *classic.ChatMessage
	done  <-chan struct{}
}

// Chat echoes in the room "echo"; in any other room every message with content goes to all members, the sender included.
// The headers say that the call has joined its room.
func (s *chatService) Chat(stream classic.ChatService_ChatServer) error {
	message, err := stream.Recv()
	if err != nil {
		return ending(err)
	}
	if message.RoomId == "echo" {
		return echo(stream, message)
	}
	self := &member{queue: make(chan *classic.ChatMessage, memberQueueMessages), done: stream.Context().Done()}
	room := s.join(message.RoomId, self)
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		room.leave(self)
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- self.sendAll(stream) }()
	for err == nil {
		if message.Content != "" {
			room.broadcast(message)
		}
		message, err = stream.Recv()
	}
	room.leave(self)
	close(self.queue)
	if sendError := <-sent; sendError != nil {
		return sendError
	}
	return ending(err)
}

func echo(stream classic.ChatService_ChatServer, message *classic.ChatMessage) error {
	for {
		if err := stream.Send(message); err != nil {
			return err
		}
		var err error
		if message, err = stream.Recv(); err != nil {
			return ending(err)
		}
	}
}

// ending turns the normal end of a stream into the OK status.
func ending(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

func (m *member) sendAll(stream classic.ChatService_ChatServer) error {
	var failure error
	for message := range m.queue {
		if failure == nil {
			failure = stream.Send(message)
		}
	}
	return failure
}

func (s *chatService) join(name string, self *member) *room {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	joined := s.rooms[name]
	if joined == nil {
		joined = &room{members: map[*member]struct{}{}}
		s.rooms[name] = joined
	}
	joined.mutex.Lock()
	defer joined.mutex.Unlock()
	joined.members[self] = struct{}{}
	return joined
}

func (r *room) leave(self *member) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.members, self)
}

func (r *room) broadcast(message *classic.ChatMessage) {
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	for to := range r.members {
		select {
		case to.queue <- message:
		case <-to.done:
		}
	}
}
