using System.Runtime.CompilerServices;

namespace Weir.Rpc.Tests.Support;

/// <summary>Bounded waits that say what they waited for.</summary>
internal static class Within
{
    /// <summary>Ends a wait for what never comes; no test that passes takes so long, however slow the machine.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task<T> SoonAsync<T>(this Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await ((Task)task).SoonAsync(what);
        return await task;
    }

    public static async Task SoonAsync(this Task task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        using var stop = new CancellationTokenSource();
        if (await Task.WhenAny(task, Task.Delay(Limit, stop.Token)) != task)
        {
            throw new TimeoutException($"not within {Limit.TotalSeconds} s: {what}");
        }

        await stop.CancelAsync();
        await task;
    }

    public static Task SoonAsync(this ValueTask task, [CallerArgumentExpression(nameof(task))] string what = "") => task.AsTask().SoonAsync(what);

    public static Task<T> SoonAsync<T>(this ValueTask<T> task, [CallerArgumentExpression(nameof(task))] string what = "") => task.AsTask().SoonAsync(what);

    public static Task<T> SoonAsync<T>(this UnaryCall<T> call, [CallerArgumentExpression(nameof(call))] string what = "") => call.AsTask().SoonAsync(what);

    /// <summary>Completes when the token fires.</summary>
    public static Task FiredAsync(this CancellationToken token)
    {
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        token.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), fired);
        return fired.Task;
    }

    /// <summary>Everything an enumeration gives.</summary>
    public static async Task<List<T>> ToListAsync<T>(this IAsyncEnumerable<T> source)
    {
        List<T> items = [];
        await foreach (var item in source)
        {
            items.Add(item);
        }

        return items;
    }

    /// <summary>The status that a call fails with.</summary>
    public static async Task<RpcException> FailsAsync(this Task task, StatusCode code, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => task.SoonAsync(what));
        Assert.Equal((code, error.Message), (error.StatusCode, error.Message));
        return error;
    }
}
