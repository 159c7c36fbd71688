using System.IO.Pipelines;

namespace Weir.Rpc.Tests.Support;

/// <summary>Two transports in memory that are each other's peer.</summary>
internal sealed class PipePair
{
    public PipePair()
    {
        var options = new PipeOptions(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024, useSynchronizationContext: false);
        var up = new Pipe(options);
        var down = new Pipe(options);
        Client = new End(down.Reader, up.Writer);
        Server = new End(up.Reader, down.Writer);
    }

    public End Client { get; }

    public End Server { get; }

    internal sealed class End(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input { get; } = input;

        public PipeWriter Output { get; } = output;
    }
}
