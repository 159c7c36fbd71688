// classic-client runs one case of the classic contract against a server and exits with 1 and a sentence when anything is wrong.
//
//	classic-client ADDR CASE [ARGUMENTS]
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"google.golang.org/grpc"
	"weir/classic"
)

// caseTimeout bounds a whole case, so that a hanging server fails it with a message.
const caseTimeout = 60 * time.Second

type client struct {
	connection *grpc.ClientConn
	streams    classic.StreamServiceClient
	stocks     classic.StockServiceClient
	chat       classic.ChatServiceClient
}

var cases = map[string]func(context.Context, *client, []string) error{
	"list":          list,
	"create":        create,
	"stocks":        stocks,
	"realtime":      realtime,
	"upload":        upload,
	"large":         large,
	"gap":           gap,
	"chat":          chat,
	"invalid":       invalid,
	"details":       details,
	"deadline":      deadline,
	"cancel":        cancel,
	"unimplemented": unimplemented,
	"parallel":      parallel,
}

func main() {
	if len(os.Args) < 3 || cases[os.Args[2]] == nil {
		names := make([]string, 0, len(cases))
		for name := range cases {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintf(os.Stderr, "usage: classic-client ADDR CASE [ARGUMENTS]; CASE is one of %s\n", strings.Join(names, ", "))
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[2], err)
		os.Exit(1)
	}
}

func run(address, name string, arguments []string) error {
	ctx, stop := context.WithTimeout(context.Background(), caseTimeout)
	defer stop()
	connection, err := grpc.DialContext(ctx, address, grpc.WithInsecure(), grpc.WithBlock())
	if err != nil {
		return fmt.Errorf("cannot connect to %s: %v", address, err)
	}
	defer connection.Close()
	return cases[name](ctx, &client{
		connection: connection,
		streams:    classic.NewStreamServiceClient(connection),
		stocks:     classic.NewStockServiceClient(connection),
		chat:       classic.NewChatServiceClient(connection),
	}, arguments)
}
