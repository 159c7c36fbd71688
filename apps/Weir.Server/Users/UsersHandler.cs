using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using Weir.Rpc;
using Weir.V1;

namespace Weir.Server.Users;

/// <summary>The user calls: users as streams out of and into the database.</summary>
internal sealed class UsersHandler(UserStore store, TimeProvider time) : UserService.Server
{
    /// <summary>Two pages are in memory at a time: one is sent while the next is read. Between rows and between pages the call looks whether its client is
    /// still there.</summary>
    public override IAsyncEnumerable<User> GetUserList(GetUserListRequest request, ServerCall call) => ListAsync(request, call.CancellationToken);

    /// <summary>Rows are written in batches, each while the next one arrives; batches that follow one another at once share a transaction. When the client
    /// leaves midway, whole batches of what it sent stay.</summary>
    public override async ValueTask<CreateUsersResponse> CreateUsers(IAsyncEnumerable<User> requests, ServerCall call)
    {
        try
        {
            return await ImportAsync(requests, call);
        }
        catch (SqliteException error) when (error.SqliteErrorCode == raw.SQLITE_FULL)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "the server's disk is full"), innerException: error);
        }
    }

    private async Task<CreateUsersResponse> ImportAsync(IAsyncEnumerable<User> requests, ServerCall call)
    {
        using var import = new UserImport(store, time);
        var writing = Task.CompletedTask;
        try
        {
            await foreach (var rows in requests.BatchAsync(UserLimits.MaxBatchRows, UserLimits.MaxBatchAge, time, call.CancellationToken))
            {
                await writing;
                writing = Task.Run(() => import.AddAsync(rows, more: rows.Count == UserLimits.MaxBatchRows, call.CancellationToken), CancellationToken.None);
            }
        }
        finally
        {
            await writing; // also when the stream fails: no batch outlives its call
            import.Commit();
        }

        return import.Response;
    }

    private async IAsyncEnumerable<User> ListAsync(GetUserListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var rows = request.PageSize <= 0 ? UserLimits.DefaultPageRows : Math.Min(request.PageSize, UserLimits.MaxPageRows);
        var left = request.Limit <= 0 ? int.MaxValue : request.Limit;
        List<User> page = [], next = [];
        using var pages = store.OpenPages(request.AfterId, request.EmailPrefix);
        var more = pages.TryRead(page, Math.Min(Math.Min(rows, UserLimits.FirstPageRows), left), cancellationToken);
        // Behind the first page even a small one is read by another thread: only when this one has to wait do the first users leave.
        var ahead = true;
        var reading = Task.FromResult(false);
        try
        {
            while (more)
            {
                left -= page.Count;
                var fetch = Math.Min(rows, left);
                if (fetch == 0)
                    reading = Task.FromResult(false);
                else if (ahead)
                    reading = Task.Run(() => pages.TryRead(next, fetch, cancellationToken), CancellationToken.None);
                else
                    reading = Task.FromResult(pages.TryRead(next, fetch, cancellationToken));
                foreach (var user in page)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return user;
                }

                cancellationToken.ThrowIfCancellationRequested();
                more = await reading;
                (page, next) = (next, page);
                ahead = rows >= UserLimits.ReadAheadRows;
            }
        }
        finally
        {
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // the pages are closed after their last reader
        }
    }
}
