// bench-go measures streaming RPC with grpc-go on the bench contract (protos/classic.proto, bench/bench.proto), with the same arguments and the same
// output as bench/Weir.Bench, so that any client runs against any server.
//
//	bench-go server PORT
//	bench-go MODE PORT N STREAMS     N "-": a round for each line of standard input, which is its N
//	bench-go rate PORT N STREAMS PER_SECOND
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/grpc"
)

// The settings at which grpc-go is fastest here; a peer that runs badly set proves nothing.
const (
	streamWindowBytes     = 4 << 20
	connectionWindowBytes = 8 << 20
	bufferBytes           = 128 << 10
	maxMessageBytes       = 2 * largeBytes
	gcPercent             = 400
)

const (
	rounds   = 3
	maxCount = 1 << 30
)

func main() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 2 && arguments[0] == "server" {
		return serve(arguments[1])
	}
	if len(arguments) == 5 && arguments[0] == "rate" {
		perSecond, err := between1And(arguments[4], maxCount)
		if err != nil {
			return fmt.Errorf("PER_SECOND: %v", err)
		}
		workloads["rate"] = rate(perSecond)
		arguments = arguments[:4]
	}
	if len(arguments) != 4 || workloads[arguments[0]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bench-go server PORT | bench-go list|create|upload|download|large|unary|ping|conns|fan PORT N STREAMS | bench-go rate PORT N STREAMS PER_SECOND")
		os.Exit(2)
	}
	count := 0
	if arguments[2] != "-" {
		var err error
		if count, err = between1And(arguments[2], maxCount); err != nil {
			return fmt.Errorf("N: %v", err)
		}
	}
	streams, err := between1And(arguments[3], 100_000)
	if err != nil {
		return fmt.Errorf("STREAMS: %v", err)
	}
	dial := func() (*grpc.ClientConn, error) { return dial(arguments[1]) }
	connection, err := dial()
	if err != nil {
		return err
	}
	defer connection.Close()
	input := bufio.NewScanner(os.Stdin)
	for round := 0; round < rounds || arguments[2] == "-"; round++ {
		if arguments[2] == "-" {
			if !input.Scan() {
				break
			}
			if count, err = between1And(input.Text(), maxCount); err != nil {
				return fmt.Errorf("N: %v", err)
			}
		}
		if err := measure(newRound(connection, dial, count, streams), arguments[0]); err != nil {
			return err
		}
	}
	return nil
}

func dial(port string) (*grpc.ClientConn, error) {
	return grpc.Dial("127.0.0.1:"+port, grpc.WithInsecure(), grpc.WithBlock(),
		grpc.WithInitialWindowSize(streamWindowBytes), grpc.WithInitialConnWindowSize(connectionWindowBytes),
		grpc.WithReadBufferSize(bufferBytes), grpc.WithWriteBufferSize(bufferBytes),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes)))
}

// measure runs one round and prints its line.
func measure(round *round, mode string) error {
	cpu, start := processCPU(), time.Now()
	round.start = start
	if err := workloads[mode](round); err != nil {
		return fmt.Errorf("%s: %v", mode, err)
	}
	wall := time.Since(start).Seconds()
	messages, bytes, first := round.totals()
	fmt.Printf("%s streams=%d n=%d %.2fs %.0f msg/s %.0f MB/s ttf=%.1fms clientcpu=%.2f%s\n", mode, round.width, messages, wall,
		float64(messages)/wall, float64(bytes)/wall/1e6, float64(first)/1e6, (processCPU()-cpu)/wall, round.remark)
	return nil
}

// processCPU is the user and system time of this process, in seconds.
func processCPU() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func between1And(text string, most int) (int, error) {
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 || value > most {
		return 0, fmt.Errorf("%q is not a number from 1 to %d", text, most)
	}
	return value, nil
}
