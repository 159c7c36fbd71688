using System.Diagnostics;
using System.Globalization;
using Grpc.Testing;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>Many large unary calls, each within a time.</summary>
/// <param name="Iterations">How many calls.</param>
/// <param name="MaxFailures">How many of them may fail or be late.</param>
/// <param name="MaxLatency">After that a call is late.</param>
/// <param name="OverallTimeout">All calls must be done by then.</param>
/// <param name="MinTimeBetween">From the begin of a call to the begin of the next.</param>
/// <param name="RequestBytes">The size of a request's payload.</param>
/// <param name="ResponseBytes">The size of a response's payload.</param>
/// <param name="Threads">How many calls are made at a time; each has an even share of the iterations.</param>
internal sealed record Soak(
    int Iterations, int MaxFailures, TimeSpan MaxLatency, TimeSpan OverallTimeout, TimeSpan MinTimeBetween, int RequestBytes, int ResponseBytes, int Threads)
{
    /// <summary>All calls on one channel.</summary>
    public Task RunAsync(CallInvoker channel, CancellationToken stop) => RepeatAsync(late => CallAsync(channel, late), stop);

    /// <summary>Each call on a channel of its own.</summary>
    public Task RunAsync(Func<RpcChannel> connect, CancellationToken stop) => RepeatAsync(
        async late =>
        {
            await using var channel = connect();
            await CallAsync(channel, late);
        },
        stop);

    private async Task RepeatAsync(Func<CancellationToken, Task> call, CancellationToken stop)
    {
        using var overall = CancellationTokenSource.CreateLinkedTokenSource(stop);
        overall.CancelAfter(OverallTimeout);
        var total = new Outcome();
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => RunShareAsync(call, ShareOf(thread), total, overall.Token, stop)));

        Expect.Equal(Iterations, total.Done, $"calls within {OverallTimeout}");
        if (total.Failures > MaxFailures)
            throw new CaseFailedException($"{total.Failures} of {total.Done} calls failed, {MaxFailures} may; the slowest took {total.Slowest.TotalMilliseconds:F1} ms");
    }

    private int ShareOf(int thread) => (Iterations / Threads) + (thread < Iterations % Threads ? 1 : 0);

    private async Task RunShareAsync(Func<CancellationToken, Task> call, int share, Outcome total, CancellationToken overall, CancellationToken stop)
    {
        for (var i = 0; i < share && !overall.IsCancellationRequested; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            var failure = await FailureAsync(call, overall);
            var latency = Stopwatch.GetElapsedTime(begin);
            if (failure is null && latency > MaxLatency)
                failure = "late";
            var number = total.Add(latency, failure is not null);
            if (failure is not null)
                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"iteration {number}, {latency.TotalMilliseconds:F1} ms: {failure}"));
            if (MinTimeBetween > latency)
                await Task.Delay(MinTimeBetween - latency, stop);
        }
    }

    private static async Task<string?> FailureAsync(Func<CancellationToken, Task> call, CancellationToken stop)
    {
        try
        {
            await call(stop);
            return null;
        }
        catch (Exception error) when (error is RpcException or CaseFailedException)
        {
            return error.Message;
        }
    }

    private async Task CallAsync(CallInvoker channel, CancellationToken stop)
    {
        var response = await new TestService.Client(channel).UnaryCall(Payloads.Unary(RequestBytes, ResponseBytes), cancellationToken: stop);
        Payloads.Check(response.Payload, ResponseBytes);
    }

    /// <summary>What all threads have seen. Safe for all of them.</summary>
    private sealed class Outcome
    {
        private readonly Lock _gate = new();

        public int Done { get; private set; }

        public int Failures { get; private set; }

        public TimeSpan Slowest { get; private set; }

        /// <summary>Counts a call and gives its number, from 0.</summary>
        public int Add(TimeSpan latency, bool failed)
        {
            lock (_gate)
            {
                Slowest = latency > Slowest ? latency : Slowest;
                Failures += failed ? 1 : 0;
                return Done++;
            }
        }
    }
}
