using Weir.V1;

namespace Weir.Client;

/// <summary>Creates many users in one call. Safe for use by any number of threads.</summary>
public sealed class UserImport
{
    // How many rows go between two reports.
    private const int ReportEvery = 256;

    private readonly UserService.Client _users;

    /// <summary>Uses a channel, which stays the caller's.</summary>
    public UserImport(CallInvoker channel) => _users = new UserService.Client(channel);

    /// <summary>Sends users as they come; the server's pace is the source's pace, so memory does not grow. A broken connection is not
    /// tried again, for the source cannot go back; running it once more is safe, since the server refuses an e-mail that it has.</summary>
    /// <param name="users">Read once, one at a time; each may be reused once the next is asked for.</param>
    /// <param name="progress">Told how many rows were sent: every 256, and at the end. Called on the import's flow of control.</param>
    /// <param name="cancellationToken">Ends the import; rows that arrived may have been created.</param>
    /// <returns>What was created and skipped, with the first 100 errors.</returns>
    /// <exception cref="RpcException">The call failed; rows that arrived may have been created.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> fired.</exception>
    public async Task<CreateUsersResponse> RunAsync(IAsyncEnumerable<User> users, IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(users);
        var call = _users.CreateUsers(cancellationToken: cancellationToken);
        await using var _ = call.ConfigureAwait(false);
        try
        {
            long sent = 0;
            await foreach (var user in users.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                await call.SendAsync(user, cancellationToken).ConfigureAwait(false);
                if (++sent % ReportEvery == 0)
                    progress?.Report(sent);
            }

            progress?.Report(sent);
            return await call.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
