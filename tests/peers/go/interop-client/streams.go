package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "weir/interop"
)

var (
	requestSizes  = []int{27182, 8, 1828, 45904}
	responseSizes = []int{31415, 9, 2653, 58979}
)

func request(size int, responses ...int) *pb.StreamingOutputCallRequest {
	r := &pb.StreamingOutputCallRequest{Payload: zeros(size)}
	for _, response := range responses {
		r.ResponseParameters = append(r.ResponseParameters, &pb.ResponseParameters{Size: int32(response)})
	}
	return r
}

// Sends one request and takes its one response.
func exchange(stream pb.TestService_FullDuplexCallClient, size, response int) error {
	if err := stream.Send(request(size, response)); err != nil {
		return err
	}
	got, err := stream.Recv()
	if err != nil {
		return err
	}
	return check(got.GetPayload(), response)
}

// Says that no request follows; no response may follow either.
func finish(stream pb.TestService_FullDuplexCallClient) error {
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("the end of the stream expected, got %v", err)
	}
	return nil
}

func clientStreaming(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	stream, err := service.StreamingInputCall(context.Background())
	if err != nil {
		return err
	}
	sum := 0
	for _, size := range requestSizes {
		if err := stream.Send(&pb.StreamingInputCallRequest{Payload: zeros(size)}); err != nil {
			return err
		}
		sum += size
	}
	response, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	if int(response.GetAggregatedPayloadSize()) != sum {
		return fmt.Errorf("%d bytes expected, got %d", sum, response.GetAggregatedPayloadSize())
	}
	return nil
}

func serverStreaming(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	stream, err := service.StreamingOutputCall(context.Background(), request(0, responseSizes...))
	if err != nil {
		return err
	}
	for _, size := range responseSizes {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := check(response.GetPayload(), size); err != nil {
			return err
		}
	}
	if _, err := stream.Recv(); err != io.EOF {
		return fmt.Errorf("the end of the stream expected, got %v", err)
	}
	return nil
}

func pingPong(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	stream, err := service.FullDuplexCall(context.Background())
	if err != nil {
		return err
	}
	for i, size := range requestSizes {
		if err := exchange(stream, size, responseSizes[i]); err != nil {
			return err
		}
	}
	return finish(stream)
}

func emptyStream(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	stream, err := service.FullDuplexCall(context.Background())
	if err != nil {
		return err
	}
	return finish(stream)
}

func statusCodeAndMessage(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	want := &pb.EchoStatus{Code: int32(codes.Unknown), Message: "test status message"}
	if err := unaryEnds(service, want); err != nil {
		return err
	}
	stream, err := service.FullDuplexCall(context.Background())
	if err != nil {
		return err
	}
	if err := stream.Send(&pb.StreamingOutputCallRequest{ResponseStatus: want}); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	_, err = stream.Recv()
	return same(err, want)
}

func specialStatusMessage(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	return unaryEnds(service, &pb.EchoStatus{
		Code:    int32(codes.Unknown),
		Message: "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n",
	})
}

func unaryEnds(service pb.TestServiceClient, want *pb.EchoStatus) error {
	_, err := service.UnaryCall(context.Background(), &pb.SimpleRequest{ResponseStatus: want})
	return same(err, want)
}

func same(err error, want *pb.EchoStatus) error {
	if got, _ := status.FromError(err); int32(got.Code()) != want.Code || got.Message() != want.Message {
		return fmt.Errorf("%v expected, got %v", want, err)
	}
	return nil
}

func cancelAfterBegin(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := service.StreamingInputCall(ctx)
	cancel()
	if err != nil {
		return err
	}
	_, err = stream.CloseAndRecv()
	return ended(err, codes.Canceled)
}

func cancelAfterFirstResponse(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := service.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	if err := exchange(stream, requestSizes[0], responseSizes[0]); err != nil {
		return err
	}
	cancel()
	_, err = stream.Recv()
	return ended(err, codes.Canceled)
}

func timeoutOnSleepingServer(service pb.TestServiceClient, _ *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	stream, err := service.FullDuplexCall(ctx)
	if err != nil {
		return ended(err, codes.DeadlineExceeded)
	}
	if err := stream.Send(request(requestSizes[0])); err != nil && !errors.Is(err, io.EOF) {
		return ended(err, codes.DeadlineExceeded)
	}
	_, err = stream.Recv()
	return ended(err, codes.DeadlineExceeded)
}
