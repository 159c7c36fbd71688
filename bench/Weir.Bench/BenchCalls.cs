using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench;

/// <summary>The calls of the bench's own contract.</summary>
internal sealed class BenchCalls : BenchService.Server
{
    // Nothing to wait for: that the client keeps up is awaited by whoever enumerates.
#pragma warning disable CS1998
    public override async IAsyncEnumerable<FileChunk> Download(DownloadRequest request, ServerCall call)
#pragma warning restore CS1998
    {
        var chunk = Payload.Chunk(request.ChunkBytes);
        for (var i = 0L; i < request.Chunks; i++)
            yield return chunk;
    }

    public override ValueTask<ChatMessage> Echo(ChatMessage request, ServerCall call) => ValueTask.FromResult(request);

    /// <summary>A message of its own for each user, as from a database.</summary>
    public override ValueTask<UserList> GetAllUsers(GetUserListRequest request, ServerCall call)
    {
        var list = new UserList();
        for (var i = 0; i < request.PageSize; i++)
            list.Users.Add(Payload.User());
        return ValueTask.FromResult(list);
    }
}
