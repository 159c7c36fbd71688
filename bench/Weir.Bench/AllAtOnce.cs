using System.Diagnostics;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench;

/// <summary>The same users as a stream and as one message of all. What a stream's reader has seen it lets go.</summary>
internal static class AllAtOnce
{
    private const int WarmUps = 3;

    /// <summary>The line of a run after some that only warm up; the peak of this process is the runner's to take.</summary>
    public static async Task<string> RunAsync(RpcChannel channel, int users, bool asStream)
    {
        for (var i = 0; i < WarmUps; i++)
            await ReadAsync(channel, users, asStream);
        var (first, all) = await ReadAsync(channel, users, asStream);
        return $"{(asStream ? "stream" : "message")} n={users} first={first.TotalMilliseconds:F1}ms all={all.TotalMilliseconds:F1}ms";
    }

    private static async Task<(TimeSpan First, TimeSpan All)> ReadAsync(RpcChannel channel, int users, bool asStream)
    {
        var start = Stopwatch.GetTimestamp();
        var first = TimeSpan.Zero;
        var received = 0;
        if (asStream)
        {
            await foreach (var _ in new StreamService.Client(channel).GetUserList(new GetUserListRequest { PageSize = users }))
            {
                if (received++ == 0)
                    first = Stopwatch.GetElapsedTime(start);
            }
        }
        else
        {
            var list = await new BenchService.Client(channel).GetAllUsers(new GetUserListRequest { PageSize = users });
            first = Stopwatch.GetElapsedTime(start);
            received = list.Users.Count;
        }

        if (received != users)
            throw new InvalidDataException($"{received} users came, {users} were asked for");
        return (first, Stopwatch.GetElapsedTime(start));
    }
}
