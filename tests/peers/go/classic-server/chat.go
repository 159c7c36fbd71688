package main

import (
	"io"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"weir/classic"
)

// member is one open call in a room; the queue's only reader is the call's own sender.
type member struct {
	queue chan *classic.ChatMessage
}

type chatService struct {
	classic.UnimplementedChatServiceServer
	mutex sync.Mutex
	rooms map[string]map[*member]bool // guarded by mutex
}

func (s *chatService) Chat(stream classic.ChatService_ChatServer) error {
	message, err := stream.Recv()
	if err == io.EOF {
		return status.Error(codes.InvalidArgument, "the first message joins a room: there was none")
	}
	if err != nil {
		return err
	}
	room := message.RoomId
	self := &member{queue: make(chan *classic.ChatMessage, 256)}
	s.join(room, self)
	sent := make(chan error, 1)
	go func() { sent <- sendAll(stream, self.queue) }()
	for err == nil {
		if message.Content != "" {
			s.broadcast(room, self, message)
		}
		message, err = stream.Recv()
	}
	s.leave(room, self)
	if err != io.EOF {
		return err
	}
	return <-sent
}

func sendAll(stream classic.ChatService_ChatServer, queue <-chan *classic.ChatMessage) error {
	err := stream.SendHeader(metadata.MD{})
	for message := range queue {
		if err == nil {
			err = stream.Send(message)
		}
	}
	return err
}

func (s *chatService) join(room string, self *member) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.rooms[room] == nil {
		s.rooms[room] = map[*member]bool{}
	}
	s.rooms[room][self] = true
}

func (s *chatService) leave(room string, self *member) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.rooms[room], self)
	close(self.queue)
}

// broadcast drops a message for a member whose queue is full, so that one slow member delays nobody.
func (s *chatService) broadcast(room string, from *member, message *classic.ChatMessage) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for to := range s.rooms[room] {
		if (to == from) != (room == "echo") {
			continue
		}
		select {
		case to.queue <- message:
		default:
		}
	}
}
