using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench;

/// <summary>Users out of nothing and into nothing, files that are only counted.</summary>
internal sealed class BenchStreams : StreamService.Server
{
    private readonly User _user = Payload.User();

    // Nothing to wait for: that the client keeps up is awaited by whoever enumerates.
#pragma warning disable CS1998
    public override async IAsyncEnumerable<User> GetUserList(GetUserListRequest request, ServerCall call)
#pragma warning restore CS1998
    {
        for (var i = 0; i < request.PageSize; i++)
            yield return _user;
    }

    public override async ValueTask<CreateUsersResponse> CreateUsers(IAsyncEnumerable<User> requests, ServerCall call)
    {
        var created = 0L;
        await foreach (var _ in requests)
            created++;
        return new CreateUsersResponse { Created = created };
    }

    public override async ValueTask<UploadResponse> UploadFile(IAsyncEnumerable<FileChunk> requests, ServerCall call)
    {
        var total = 0L;
        await foreach (var chunk in requests)
            total += chunk.Data.Length;
        return new UploadResponse { FileId = "bench", TotalSize = total };
    }
}
