using System.Diagnostics;
using Weir.Client;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Bench.UsersAtOnce;

/// <summary>The same users as a stream and as one message of all, out of and into the server's SQLite file. What has passed in a stream is let go.</summary>
internal sealed class UsersClient(RpcChannel channel, int users, bool asStream)
{
    private const int Rounds = 7; // the last five count; those before warm both ends up
    private const int PageRows = 1_000;

    public static RpcChannel Connect(int port) => RpcChannel.ForAddress(
        $"http://127.0.0.1:{port}",
        new RpcChannelOptions { MaxReceiveMessageBytes = UsersServer.MaxMessageBytes, MaxSendMessageBytes = UsersServer.MaxMessageBytes });

    /// <summary>Runs the rounds of a list or an import; a line each.</summary>
    public async Task RunAsync(bool create)
    {
        for (var i = 0; i < Rounds; i++)
        {
            var (first, all) = create ? await CreateAsync() : await ListAsync();
            Console.WriteLine($"users {(create ? "create" : "list")} n={users} first={first.TotalMilliseconds:F1}ms all={all.TotalMilliseconds:F1}ms");
        }
    }

    private async Task<(TimeSpan First, TimeSpan All)> ListAsync()
    {
        var request = new GetUserListRequest { PageSize = PageRows, Limit = users };
        var start = Stopwatch.GetTimestamp();
        var first = TimeSpan.Zero;
        var received = 0;
        if (asStream)
        {
            await foreach (var _ in new UserService.Client(channel).GetUserList(request))
            {
                if (received++ == 0)
                    first = Stopwatch.GetElapsedTime(start);
            }
        }
        else
        {
            var table = await new AllUsersService.Client(channel).GetAll(request);
            first = Stopwatch.GetElapsedTime(start);
            received = table.Users.Count;
        }

        return received == users ? (first, Stopwatch.GetElapsedTime(start)) : throw new InvalidDataException($"{received} users came, {users} were asked for");
    }

    private async Task<(TimeSpan First, TimeSpan All)> CreateAsync()
    {
        var round = Guid.NewGuid().ToString("N")[..8]; // no e-mail is there already
        var source = Enumerable.Range(0, users).Select(index => NewUser(round, index));
        var start = Stopwatch.GetTimestamp();
        CreateUsersResponse answer;
        if (asStream)
            answer = await new UserImport(channel).RunAsync(source.ToAsyncEnumerable());
        else
            answer = await new AllUsersService.Client(channel).CreateAll(new UserTable { Users = { source } });
        var all = Stopwatch.GetElapsedTime(start);
        return answer.Created == users ? (all, all) : throw new InvalidDataException($"{answer.Created} users were created, {users} were sent: {answer.Errors.FirstOrDefault()}");
    }

    // E-mails come in no order, as people's do: the index over them is written all over.
    private static User NewUser(string round, int index)
    {
        var mixed = (uint)index * 2_654_435_761;
        return new User { Name = $"Augusta Lovelace {index}", Email = $"{mixed:x8}.{round}@example.org" };
    }
}
