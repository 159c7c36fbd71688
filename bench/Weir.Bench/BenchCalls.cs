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
}
