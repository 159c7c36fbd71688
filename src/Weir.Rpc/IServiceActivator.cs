namespace Weir.Rpc;

/// <summary>Makes and releases the service object of one call. Used by any number of threads.</summary>
public interface IServiceActivator<TService>
    where TService : class
{
    /// <summary>The object that handles <paramref name="call"/>. <paramref name="state"/> is handed back on release.</summary>
    TService Create(ServerCall call, out object? state);

    /// <summary>Called once after the call has ended.</summary>
    ValueTask ReleaseAsync(TService service, object? state);
}
