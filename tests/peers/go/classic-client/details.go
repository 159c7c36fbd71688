package main

import (
	"context"
	"fmt"
	"time"

	"github.com/golang/protobuf/ptypes"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"weir/classic"
)

// details: the symbol DETAILS is an InvalidArgument with a BadRequest, a RetryInfo and an ErrorInfo. Only servers made for it have that symbol.
func details(ctx context.Context, c *client, _ []string) error {
	call, err := c.stocks.GetRealTimePrices(ctx, &classic.StockRequest{Symbol: "DETAILS"})
	if err != nil {
		return err
	}
	_, err = call.Recv()
	refusal := status.Convert(err)
	if refusal.Code() != codes.InvalidArgument || refusal.Message() != "no such symbol: " {
		return fmt.Errorf("ended with %v, want InvalidArgument, \"no such symbol: \"", err)
	}
	all := refusal.Details()
	if len(all) != 3 {
		return fmt.Errorf("%d details, want 3: %v", len(all), all)
	}
	bad, ok := all[0].(*errdetails.BadRequest)
	if !ok || len(bad.FieldViolations) != 1 || bad.FieldViolations[0].Field != "symbol" || bad.FieldViolations[0].Description != "größer als 取引" {
		return fmt.Errorf("the first detail is %T %v", all[0], all[0])
	}
	retry, ok := all[1].(*errdetails.RetryInfo)
	if !ok {
		return fmt.Errorf("the second detail is %T", all[1])
	}
	if delay, err := ptypes.Duration(retry.RetryDelay); err != nil || delay != 1500*time.Millisecond {
		return fmt.Errorf("retry after %v, want 1.5 s", retry.RetryDelay)
	}
	info, ok := all[2].(*errdetails.ErrorInfo)
	if !ok || info.Reason != "NO_SYMBOL" || info.Domain != "weir.test" || info.Metadata["symbol"] != "DETAILS" {
		return fmt.Errorf("the third detail is %T %v", all[2], all[2])
	}
	fmt.Println("refused with details")
	return nil
}
