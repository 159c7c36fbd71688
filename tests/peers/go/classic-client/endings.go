package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"weir/classic"
)

// invalid: an empty symbol is an InvalidArgument that says why.
func invalid(ctx context.Context, c *client, _ []string) error {
	call, err := c.stocks.GetRealTimePrices(ctx, &classic.StockRequest{})
	if err != nil {
		return err
	}
	_, err = call.Recv()
	if status.Code(err) != codes.InvalidArgument {
		return fmt.Errorf("ended with %v, want InvalidArgument", err)
	}
	message := status.Convert(err).Message()
	if message == "" {
		return fmt.Errorf("the status has no message")
	}
	fmt.Printf("refused: %s\n", message)
	return nil
}

// deadline: a stream that does not end in time ends with DeadlineExceeded.
func deadline(ctx context.Context, c *client, _ []string) error {
	limited, stop := context.WithTimeout(ctx, 500*time.Millisecond)
	defer stop()
	return expectEnd(limited, c, codes.DeadlineExceeded)
}

// cancel: leaving a stream ends it with Canceled, and the connection serves the next call.
func cancel(ctx context.Context, c *client, _ []string) error {
	cancelled, stop := context.WithCancel(ctx)
	timer := time.AfterFunc(300*time.Millisecond, stop)
	defer timer.Stop()
	if err := expectEnd(cancelled, c, codes.Canceled); err != nil {
		return err
	}
	_, err := users(ctx, c)
	return err
}

func expectEnd(ctx context.Context, c *client, want codes.Code) error {
	call, err := c.stocks.GetRealTimePrices(ctx, &classic.StockRequest{Symbol: "FOREVER"})
	if err != nil {
		return err
	}
	for {
		_, err := call.Recv()
		if err == nil {
			continue
		}
		if status.Code(err) != want {
			return fmt.Errorf("ended with %v, want %v", err, want)
		}
		fmt.Printf("ended with %v\n", want)
		return nil
	}
}

// unimplemented: an unknown method and an unknown service are both Unimplemented.
func unimplemented(ctx context.Context, c *client, _ []string) error {
	for _, path := range []string{"/StreamService/NoSuchMethod", "/no.such.Service/Method"} {
		description := &grpc.StreamDesc{ServerStreams: true}
		call, err := c.connection.NewStream(ctx, description, path)
		if err != nil {
			return err
		}
		if err := call.SendMsg(&classic.StockRequest{Symbol: "AAPL"}); err != nil {
			return err
		}
		if err := call.RecvMsg(&classic.StockPrice{}); status.Code(err) != codes.Unimplemented {
			return fmt.Errorf("%s ended with %v, want Unimplemented", path, err)
		}
	}
	fmt.Println("unknown methods refused")
	return nil
}

// parallel: 20 lists and 20 uploads at the same time on the one connection.
func parallel(ctx context.Context, c *client, _ []string) error {
	const each = 20
	results := make(chan error, 2*each)
	for i := 0; i < each; i++ {
		go func() {
			_, err := users(ctx, c)
			results <- err
		}()
		go func() { results <- send(ctx, c, 300_000, chunkBytes) }()
	}
	for i := 0; i < cap(results); i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}
