using System.IO.Pipelines;

namespace Weir.Http2.Tests.Wire;

/// <summary>A connection in memory: what one end writes, the other reads.</summary>
internal static class DuplexPipePair
{
    /// <param name="options">Buffer sizes and schedulers of both directions; without it, a writer waits at 64 KiB unread.</param>
    public static (IDuplexPipe First, IDuplexPipe Second) Create(PipeOptions? options = null)
    {
        options ??= new PipeOptions(useSynchronizationContext: false);
        var forth = new Pipe(options);
        var back = new Pipe(options);
        return (new End(back.Reader, forth.Writer), new End(forth.Reader, back.Writer));
    }

    sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
