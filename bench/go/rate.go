package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sort"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"
	"weir/classic"
)

// schedule says when each ping of an open loop is due and how long after that its answer came: a stall counts for every ping that it holds up.
// Pings go to the streams in turn; the k-th answer of a stream belongs to its k-th ping.
type schedule struct {
	start     time.Time
	perSecond int
	latencies []time.Duration // by ping; each written by the one goroutine that takes its answer
}

func (s *schedule) due(ping int) time.Duration {
	return time.Duration(float64(ping) * float64(time.Second) / float64(s.perSecond))
}

// waitFor gives its core to whoever wants it, without going to sleep: a sleep is too coarse.
func (s *schedule) waitFor(ping int) {
	for time.Since(s.start) < s.due(ping) {
		runtime.Gosched()
		syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
	}
}

// report gives the rate that was kept and the percentiles of the latencies.
func (s *schedule) report() string {
	last := time.Duration(0)
	for ping, latency := range s.latencies {
		if at := s.due(ping) + latency; at > last {
			last = at
		}
	}
	sort.Slice(s.latencies, func(i, j int) bool { return s.latencies[i] < s.latencies[j] })
	at := func(share float64) int64 {
		return s.latencies[int(math.Ceil(share*float64(len(s.latencies))))-1].Microseconds()
	}
	return fmt.Sprintf(" kept=%.0f/s p50=%dus p99=%dus p99.9=%dus max=%dus", float64(len(s.latencies))/last.Seconds(), at(0.5), at(0.99), at(0.999), at(1))
}

// rate sends pings at a fixed rate, each when its time has come whether or not earlier ones are answered. Every stream has been opened by a ping of
// its own before, which does not count.
func rate(perSecond int) func(*round) error {
	return func(r *round) error {
		message := chatMessage("echo")
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		calls := make([]classic.ChatService_ChatClient, r.width)
		for i := range calls {
			call, err := r.chat.Chat(ctx)
			if err != nil {
				return err
			}
			if err := call.Send(message); err != nil {
				return err
			}
			if _, err := call.Recv(); err != nil {
				return err
			}
			calls[i] = call
		}
		r.answered()
		plan := &schedule{start: time.Now(), perSecond: perSecond, latencies: make([]time.Duration, r.count)}
		results := make(chan error, r.width+1)
		for i, call := range calls {
			go func(first int, call classic.ChatService_ChatClient) {
				for ping := first; ping < r.count; ping += r.width {
					if _, err := call.Recv(); err != nil {
						results <- err
						return
					}
					plan.latencies[ping] = time.Since(plan.start) - plan.due(ping)
				}
				results <- finish(call)
			}(i, call)
		}
		go func() {
			for ping := 0; ping < r.count; ping++ {
				plan.waitFor(ping)
				if err := calls[ping%r.width].Send(message); err != nil {
					results <- err
					return
				}
			}
			results <- nil
		}()
		for i := 0; i < cap(results); i++ {
			if err := <-results; err != nil {
				return err
			}
		}
		r.done(r.count, proto.Size(message))
		r.remark = plan.report()
		return nil
	}
}
