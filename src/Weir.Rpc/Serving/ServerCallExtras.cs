namespace Weir.Rpc.Serving;

/// <summary>What only some calls of a server have: items, changes to the response's headers, objects to dispose of. Safe for use by any number of
/// threads, but for the items.</summary>
internal sealed class ServerCallExtras
{
    private readonly Lock _lock = new();
    private List<Action<Metadata>>? _headersChanges; // under _lock
    private List<IAsyncDisposable>? _disposables;    // under _lock

    /// <summary>Held by whoever sends the response's headers, while the changes run and until the headers are out.</summary>
    public Lock HeadersLock { get; } = new();

    /// <summary>What interceptors and handlers tell one another.</summary>
    public Dictionary<object, object?> Items { get; } = [];

    /// <summary>Whether somebody wants to see the response's headers.</summary>
    public bool HasHeadersChanges
    {
        get
        {
            lock (_lock)
            {
                return _headersChanges is not null;
            }
        }
    }

    public void AddHeadersChange(Action<Metadata> change)
    {
        lock (_lock)
        {
            (_headersChanges ??= []).Add(change);
        }
    }

    public void AddDisposable(IAsyncDisposable disposable)
    {
        lock (_lock)
        {
            (_disposables ??= []).Add(disposable);
        }
    }

    /// <summary>The headers after all changes, the last registered first. The object that the caller gave stays as it is.</summary>
    public Metadata? Change(Metadata? headers)
    {
        Action<Metadata>[] changes;
        lock (_lock)
        {
            if (_headersChanges is null)
            {
                return headers;
            }

            changes = [.. _headersChanges];
            _headersChanges = null;
        }

        var changed = Metadata.Copy(headers);
        for (var i = changes.Length - 1; i >= 0; i--)
        {
            changes[i](changed);
        }

        return changed;
    }

    /// <summary>Disposes of what was registered, the last first; each failure goes to <paramref name="onFailed"/>.</summary>
    public async ValueTask DisposeAllAsync(Action<Exception> onFailed)
    {
        IAsyncDisposable[] disposables;
        lock (_lock)
        {
            disposables = _disposables?.ToArray() ?? [];
            _disposables = null;
        }

        for (var i = disposables.Length - 1; i >= 0; i--)
        {
            try
            {
                await disposables[i].DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception error) // the call has its status; the others are still to be disposed of
            {
                onFailed(error);
            }
        }
    }
}
