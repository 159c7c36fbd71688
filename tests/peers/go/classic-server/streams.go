package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"weir/classic"
)

// seededUsers are there from the start.
const seededUsers = 1000

type userStore struct {
	mutex sync.Mutex
	users []*classic.User
}

func newUserStore() *userStore {
	store := &userStore{}
	for i := 1; i <= seededUsers; i++ {
		store.add(&classic.User{Name: fmt.Sprintf("User %d", i), Email: fmt.Sprintf("user%d@example.com", i)})
	}
	return store
}

func (s *userStore) add(user *classic.User) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.users = append(s.users, &classic.User{Id: int32(len(s.users) + 1), Name: user.Name, Email: user.Email})
}

func (s *userStore) page(from, size int) []*classic.User {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	to := from + size
	if to > len(s.users) {
		to = len(s.users)
	}
	return s.users[from:to:to]
}

type streamService struct {
	classic.UnimplementedStreamServiceServer
	prices *prices
	users  *userStore
	files  int64
}

func (s *streamService) GetUserList(request *classic.GetUserListRequest, stream classic.StreamService_GetUserListServer) error {
	size := int(request.PageSize)
	if size <= 0 {
		size = 10
	}
	for from := 0; ; {
		page := s.users.page(from, size)
		if len(page) == 0 {
			return nil
		}
		for _, user := range page {
			if err := stream.Send(user); err != nil {
				return err
			}
		}
		from += len(page)
	}
}

func (s *streamService) CreateUsers(stream classic.StreamService_CreateUsersServer) error {
	var created int64
	for {
		user, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&classic.CreateUsersResponse{Created: created})
		}
		if err != nil {
			return err
		}
		s.users.add(user)
		created++
	}
}

func (s *streamService) UploadFile(stream classic.StreamService_UploadFileServer) error {
	var total int64
	var name string
	first, expected := int32(0), int32(0)
	for count := 0; ; count++ {
		chunk, err := stream.Recv()
		if err == io.EOF {
			id := fmt.Sprintf("file-%d", atomic.AddInt64(&s.files, 1))
			return stream.SendAndClose(&classic.UploadResponse{FileId: id, TotalSize: total, Message: "stored " + name})
		}
		if err != nil {
			return err
		}
		switch {
		case count == 0:
			first, name = chunk.ChunkNumber, chunk.FileName
		case count == 1 && first == 0 && chunk.ChunkNumber == 0:
			first = -1 // all zero: not numbered
		}
		if first >= 0 && count > 0 && chunk.ChunkNumber != expected {
			return status.Errorf(codes.InvalidArgument, "chunk %d expected, got %d", expected, chunk.ChunkNumber)
		}
		expected = chunk.ChunkNumber + 1
		total += int64(len(chunk.Data))
	}
}

func (s *streamService) GetStockPrices(request *classic.StockRequest, stream classic.StreamService_GetStockPricesServer) error {
	return s.prices.send(request.Symbol, stream)
}
