namespace Weir.Rpc;

/// <summary>A client's call as its interceptors see it; all of them share it. Not safe for use by several threads at once, but for what says otherwise.</summary>
public sealed class OutgoingCall
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<Action<Metadata>>? _headersChanges; // under _lock

    internal OutgoingCall(string serviceName, string methodName, string path, MethodKind kind, in CallOptions options, DateTimeOffset? deadline, CancellationToken cancellationToken)
    {
        ServiceName = serviceName;
        MethodName = methodName;
        Path = path;
        Kind = kind;
        Options = options;
        Deadline = deadline;
        RequestHeaders = Metadata.Copy(options.Headers);
        CancellationToken = cancellationToken;
    }

    /// <summary>The service's full name: "weir.v1.Users".</summary>
    public string ServiceName { get; }

    /// <summary>The method's name: "GetUserList".</summary>
    public string MethodName { get; }

    /// <summary>The path: "/weir.v1.Users/GetUserList".</summary>
    public string Path { get; }

    /// <summary>Which of the four kinds.</summary>
    public MethodKind Kind { get; }

    /// <summary>The metadata to send with the request: a copy of what the caller gave, to be changed before the next is enumerated.</summary>
    public Metadata RequestHeaders { get; }

    /// <summary>The instant after which the call ends with DeadlineExceeded, from the caller's deadline and timeout; null for none. To be changed before
    /// the next is enumerated. The caller's own holds for the time in the interceptors as well.</summary>
    public DateTimeOffset? Deadline { get; set; }

    /// <summary>Fires when the caller cancels or leaves the call, and at the caller's deadline. Safe for use by any number of threads.</summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>The trailers that the caller will see: those that came, once the next has ended with OK; may be changed. Those of an error are
    /// the <see cref="RpcException"/>'s.</summary>
    public Metadata Trailers { get; private set; } = [];

    /// <summary>The other options of the caller.</summary>
    internal CallOptions Options { get; }

    /// <summary>The response's headers as the caller sees them.</summary>
    internal Task<Metadata> ResponseHeaders => _headers.Task;

    /// <summary>Has a look at the response's headers when they come, before the caller sees them, and may change them. The last interceptor to ask is told
    /// first; the headers of an error without a message are not told (they are its trailers). What it throws ends the call.</summary>
    public void OnResponseHeaders(Action<Metadata> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_lock)
        {
            (_headersChanges ??= []).Add(change);
        }
    }

    /// <summary>The headers are here; the first ones are those that count.</summary>
    internal void SetResponseHeaders(Metadata headers)
    {
        Action<Metadata>[] changes;
        lock (_lock)
        {
            changes = _headersChanges?.ToArray() ?? [];
            _headersChanges = null;
        }

        for (var i = changes.Length - 1; i >= 0; i--)
        {
            changes[i](headers);
        }

        _headers.TrySetResult(headers);
    }

    /// <summary>A call behind the interceptors has ended with OK.</summary>
    internal void SetTrailers(Metadata trailers) => Trailers = trailers;

    /// <summary>The call has ended.</summary>
    internal void End(Exception? failure)
    {
        if (failure is null)
        {
            _headers.TrySetResult([]);
        }
        else if (_headers.TrySetException(failure))
        {
            _ = _headers.Task.Exception; // the call's own end tells it as well: not unobserved
        }
    }
}
