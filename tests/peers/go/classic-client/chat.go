package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"weir/classic"
)

// chat ROOM USER: joins, prints "joined", sends each line of standard input and prints what others say as "user: content".
// The end of the input half-closes the call; the case ends with the server's stream.
func chat(ctx context.Context, c *client, arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("chat needs ROOM and USER")
	}
	room, user := arguments[0], arguments[1]
	call, err := c.chat.Chat(ctx)
	if err != nil {
		return err
	}
	if err := call.Send(&classic.ChatMessage{UserId: user, RoomId: room}); err != nil {
		return err
	}
	if _, err := call.Header(); err != nil {
		return err
	}
	fmt.Println("joined")

	sent := make(chan error, 1)
	go func() { sent <- sendLines(call, room, user) }()
	for {
		message, err := call.Recv()
		if err == io.EOF {
			return <-sent
		}
		if err != nil {
			return err
		}
		if message.RoomId != room {
			return fmt.Errorf("got a message of room %q in room %q", message.RoomId, room)
		}
		if message.UserId == user {
			return fmt.Errorf("got an own message back: %q", message.Content)
		}
		fmt.Printf("%s: %s\n", message.UserId, message.Content)
	}
}

func sendLines(call classic.ChatService_ChatClient, room, user string) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		message := &classic.ChatMessage{UserId: user, Content: lines.Text(), Timestamp: time.Now().Unix(), RoomId: room}
		if err := call.Send(message); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return call.CloseSend()
}
