using System.Diagnostics;
using System.Globalization;
using Grpc.Testing;
using Weir.Rpc;

namespace Weir.Interop.Client;

/// <summary>Many large unary calls one after another, each within a time.</summary>
/// <param name="Iterations">How many calls.</param>
/// <param name="MaxFailures">How many of them may fail or be late.</param>
/// <param name="MaxLatency">After that a call is late.</param>
/// <param name="OverallTimeout">All calls must be done by then.</param>
/// <param name="MinTimeBetween">From the begin of a call to the begin of the next.</param>
/// <param name="RequestBytes">The size of a request's payload.</param>
/// <param name="ResponseBytes">The size of a response's payload.</param>
internal sealed record Soak(int Iterations, int MaxFailures, TimeSpan MaxLatency, TimeSpan OverallTimeout, TimeSpan MinTimeBetween, int RequestBytes, int ResponseBytes)
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
        var (done, failures, slowest) = (0, 0, TimeSpan.Zero);
        for (; done < Iterations && !overall.IsCancellationRequested; done++)
        {
            var begin = Stopwatch.GetTimestamp();
            var failure = await FailureAsync(call, overall.Token);
            var latency = Stopwatch.GetElapsedTime(begin);
            if (latency > slowest)
                slowest = latency;
            if (failure is null && latency > MaxLatency)
                failure = "late";
            if (failure is not null)
            {
                failures++;
                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"iteration {done}, {latency.TotalMilliseconds:F1} ms: {failure}"));
            }

            if (MinTimeBetween > latency)
                await Task.Delay(MinTimeBetween - latency, stop);
        }

        Expect.Equal(Iterations, done, $"calls within {OverallTimeout}");
        if (failures > MaxFailures)
            throw new CaseFailedException($"{failures} of {done} calls failed, {MaxFailures} may; the slowest took {slowest.TotalMilliseconds:F1} ms");
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
}
