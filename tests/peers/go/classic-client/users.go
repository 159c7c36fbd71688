package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"weir/classic"
)

// list [AT_LEAST]: every user once, ids ascending, names and e-mails filled in.
func list(ctx context.Context, c *client, arguments []string) error {
	atLeast, err := number(arguments, 1)
	if err != nil {
		return err
	}
	seen, err := users(ctx, c)
	if err != nil {
		return err
	}
	if len(seen) < atLeast {
		return fmt.Errorf("got %d users, want at least %d", len(seen), atLeast)
	}
	fmt.Printf("%d users\n", len(seen))
	return nil
}

// create [COUNT]: sends that many new users, and finds each of them in the list afterwards.
func create(ctx context.Context, c *client, arguments []string) error {
	count, err := number(arguments, 250)
	if err != nil {
		return err
	}
	call, err := c.streams.CreateUsers(ctx)
	if err != nil {
		return err
	}
	mark := fmt.Sprintf("go-%d-%d", os.Getpid(), time.Now().UnixNano())
	wanted := make(map[string]string, count)
	for i := 0; i < count; i++ {
		user := &classic.User{Name: fmt.Sprintf("Zoë %d", i), Email: fmt.Sprintf("%s-%d@example.com", mark, i)}
		wanted[user.Email] = user.Name
		if err := call.Send(user); err != nil {
			return fmt.Errorf("user %d: %v", i, err)
		}
	}
	answer, err := call.CloseAndRecv()
	if err != nil {
		return err
	}
	if answer.Created != int64(count) {
		return fmt.Errorf("created %d, want %d", answer.Created, count)
	}
	seen, err := users(ctx, c)
	if err != nil {
		return err
	}
	for _, user := range seen {
		if name, ok := wanted[user.Email]; ok && name == user.Name {
			delete(wanted, user.Email)
		}
	}
	if len(wanted) != 0 {
		return fmt.Errorf("%d of %d created users are not in the list", len(wanted), count)
	}
	fmt.Printf("created %d\n", count)
	return nil
}

func users(ctx context.Context, c *client) ([]*classic.User, error) {
	call, err := c.streams.GetUserList(ctx, &classic.GetUserListRequest{PageSize: 7})
	if err != nil {
		return nil, err
	}
	var seen []*classic.User
	var last int32
	for {
		user, err := call.Recv()
		if err == io.EOF {
			return seen, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %d users: %v", len(seen), err)
		}
		if user.Id <= last {
			return nil, fmt.Errorf("user %d follows user %d: ids must ascend", user.Id, last)
		}
		if user.Name == "" || !strings.Contains(user.Email, "@") {
			return nil, fmt.Errorf("user %d has name %q and e-mail %q", user.Id, user.Name, user.Email)
		}
		last = user.Id
		seen = append(seen, user)
	}
}

func number(arguments []string, fallback int) (int, error) {
	if len(arguments) == 0 {
		return fallback, nil
	}
	return strconv.Atoi(arguments[0])
}
