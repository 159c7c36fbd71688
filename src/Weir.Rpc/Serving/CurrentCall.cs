namespace Weir.Rpc.Serving;

/// <summary>The call that the present code helps to answer: in the flow of its handler, on servers that are asked to keep it there.</summary>
internal sealed class CurrentCall
{
    private static readonly AsyncLocal<CurrentCall?> Flow = new();
    private volatile ServerCall? _call;

    private CurrentCall(ServerCall call) => _call = call;

    /// <summary>The call; null outside of one, and in what goes on after it has ended.</summary>
    public static ServerCall? Value => Flow.Value?._call;

    /// <summary>From here on, in this flow and in what it starts, this is the call.</summary>
    public static CurrentCall Begin(ServerCall call) => Flow.Value = new CurrentCall(call);

    /// <summary>The call has ended.</summary>
    public void End() => _call = null;
}
