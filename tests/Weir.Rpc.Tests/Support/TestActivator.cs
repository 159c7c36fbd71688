namespace Weir.Rpc.Tests.Support;

/// <summary>Gives every call the same service object and counts releases.</summary>
internal sealed class TestActivator<TService>(TService service) : IServiceActivator<TService>
    where TService : class
{
    private int _created;
    private int _released;

    public int Created => Volatile.Read(ref _created);

    public int Released => Volatile.Read(ref _released);

    public Exception? ReleaseFailure { get; set; }

    public TService Create(ServerCall call, out object? state)
    {
        state = this;
        Interlocked.Increment(ref _created);
        return service;
    }

    public ValueTask ReleaseAsync(TService released, object? state)
    {
        Assert.Same(this, state);
        Assert.Same(service, released);
        Interlocked.Increment(ref _released);
        return ReleaseFailure is null ? default : ValueTask.FromException(ReleaseFailure);
    }
}
