using System.Collections.Concurrent;
using Weir.Classic;
using Weir.Rpc;

namespace Weir.Bench;

/// <summary>The calls of the bench's own contract.</summary>
internal sealed class BenchCalls : BenchService.Server
{
    // One of each size for all calls: what a call of its own would hold is the application's, and not what is measured.
    private readonly ConcurrentDictionary<int, FileChunk> _chunks = new();

    // Nothing to wait for: that the client keeps up is awaited by whoever enumerates.
#pragma warning disable CS1998
    public override async IAsyncEnumerable<FileChunk> Download(DownloadRequest request, ServerCall call)
#pragma warning restore CS1998
    {
        var chunk = _chunks.GetOrAdd(request.ChunkBytes, Payload.Chunk);
        for (var i = 0L; i < request.Chunks; i++)
            yield return chunk;
    }

    public override ValueTask<ChatMessage> Echo(ChatMessage request, ServerCall call) => ValueTask.FromResult(request);
}
