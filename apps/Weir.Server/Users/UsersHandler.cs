using System.Runtime.CompilerServices;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Users;

/// <summary>The user calls: users as streams out of and into the database.</summary>
internal sealed class UsersHandler(UserStore store, TimeProvider time) : UserService.Server
{
    /// <summary>One page is in memory at a time. Between rows and between pages the call looks whether its client is still there.</summary>
    public override IAsyncEnumerable<User> GetUserList(GetUserListRequest request, ServerCall call) => ListAsync(request, call.CancellationToken);

    /// <summary>Rows are written in batches, each while the next one arrives. When the client leaves midway, whole batches of what it sent stay.</summary>
    public override async ValueTask<CreateUsersResponse> CreateUsers(IAsyncEnumerable<User> requests, ServerCall call)
    {
        var import = new UserImport(store);
        var writing = Task.CompletedTask;
        try
        {
            await foreach (var rows in requests.BatchAsync(UserLimits.MaxBatchRows, UserLimits.MaxBatchAge, time, call.CancellationToken))
            {
                await writing;
                writing = Task.Run(() => import.AddAsync(rows, call.CancellationToken), CancellationToken.None);
            }
        }
        finally
        {
            await writing; // also when the stream fails: no batch outlives its call
        }

        return import.Response;
    }

    private async IAsyncEnumerable<User> ListAsync(GetUserListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var rows = request.PageSize <= 0 ? UserLimits.DefaultPageRows : Math.Min(request.PageSize, UserLimits.MaxPageRows);
        var left = request.Limit <= 0 ? int.MaxValue : request.Limit;
        var fetch = Math.Min(rows, UserLimits.FirstPageRows);
        var page = new List<User>(fetch);
        using var pages = store.OpenPages(request.AfterId, request.EmailPrefix);
        while (left > 0 && pages.TryRead(page, Math.Min(fetch, left), cancellationToken))
        {
            fetch = rows;
            left -= page.Count;
            foreach (var user in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return user;
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
