package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"weir/classic"
)

const chunkBytes = 64 * 1024

// upload [BYTES]: a file in numbered chunks of 64 KiB, the last one shorter.
func upload(ctx context.Context, c *client, arguments []string) error {
	size, err := number(arguments, 5*1024*1024+321)
	if err != nil {
		return err
	}
	return send(ctx, c, size, chunkBytes)
}

// large: one chunk of 3 MiB, under the usual limit of 4 MiB but over every default window.
func large(ctx context.Context, c *client, _ []string) error {
	return send(ctx, c, 3*1024*1024, 3*1024*1024)
}

func send(ctx context.Context, c *client, size, chunk int) error {
	call, err := c.streams.UploadFile(ctx)
	if err != nil {
		return err
	}
	for number, offset := int32(0), 0; offset < size; number++ {
		data := make([]byte, min(chunk, size-offset))
		for i := range data {
			data[i] = byte(offset + i)
		}
		if err := call.Send(&classic.FileChunk{FileName: "go ✓.bin", Data: data, ChunkNumber: number}); err != nil {
			return fmt.Errorf("chunk %d: %v", number, err)
		}
		offset += len(data)
	}
	answer, err := call.CloseAndRecv()
	if err != nil {
		return err
	}
	if answer.TotalSize != int64(size) {
		return fmt.Errorf("the server counts %d bytes, %d were sent", answer.TotalSize, size)
	}
	if answer.FileId == "" {
		return fmt.Errorf("the answer has no file_id")
	}
	fmt.Printf("uploaded %d bytes\n", size)
	return nil
}

// gap: chunk 7 after chunk 1 is an InvalidArgument that names the expected and the actual number.
func gap(ctx context.Context, c *client, _ []string) error {
	call, err := c.streams.UploadFile(ctx)
	if err != nil {
		return err
	}
	for _, number := range []int32{0, 1, 7} {
		if err := call.Send(&classic.FileChunk{FileName: "gap.bin", Data: []byte("x"), ChunkNumber: number}); err != nil && err != io.EOF {
			return fmt.Errorf("chunk %d: %v", number, err)
		}
	}
	_, err = call.CloseAndRecv()
	if status.Code(err) != codes.InvalidArgument {
		return fmt.Errorf("ended with %v, want InvalidArgument", err)
	}
	if message := status.Convert(err).Message(); !strings.Contains(message, "2") || !strings.Contains(message, "7") {
		return fmt.Errorf("the message %q does not name chunk 2 and chunk 7", message)
	}
	fmt.Println("gap refused")
	return nil
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
