package main

import (
	"sync/atomic"
	"time"

	"github.com/golang/protobuf/ptypes"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"weir/classic"
)

const (
	tickInterval = 20 * time.Millisecond
	ticks        = 5
)

type prices struct {
	left int64 // calls that clients have left
}

type priceSender interface {
	grpc.ServerStream
	Send(*classic.StockPrice) error
}

func (p *prices) send(symbol string, stream priceSender) error {
	switch symbol {
	case "":
		return status.Error(codes.InvalidArgument, "Symbol fehlt: „“ 取引 100 %")
	case "DETAILS":
		return refuseWithDetails()
	case "SILENT":
		if err := stream.SendHeader(nil); err != nil {
			return err
		}
		<-stream.Context().Done()
		return p.leave(stream)
	case "CANCELLED":
		return stream.Send(price(symbol, float64(atomic.LoadInt64(&p.left))))
	}
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for i := 0; symbol == "FOREVER" || i < ticks; i++ {
		if err := stream.Send(price(symbol, 100+float64(i))); err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-stream.Context().Done():
			return p.leave(stream)
		}
	}
	return nil
}

func refuseWithDetails() error {
	refusal, err := status.New(codes.InvalidArgument, "no such symbol: ").WithDetails(
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "symbol", Description: "größer als 取引"}}},
		&errdetails.RetryInfo{RetryDelay: ptypes.DurationProto(1500 * time.Millisecond)},
		&errdetails.ErrorInfo{Reason: "NO_SYMBOL", Domain: "weir.test", Metadata: map[string]string{"symbol": "DETAILS"}})
	if err != nil {
		return err
	}
	return refusal.Err()
}

func (p *prices) leave(stream grpc.ServerStream) error {
	atomic.AddInt64(&p.left, 1)
	return status.FromContextError(stream.Context().Err()).Err()
}

func price(symbol string, value float64) *classic.StockPrice {
	return &classic.StockPrice{Symbol: symbol, Price: value, Timestamp: time.Now().Unix()}
}

type stockService struct {
	classic.UnimplementedStockServiceServer
	prices *prices
}

func (s *stockService) GetRealTimePrices(request *classic.StockRequest, stream classic.StockService_GetRealTimePricesServer) error {
	return s.prices.send(request.Symbol, stream)
}
