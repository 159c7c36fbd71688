using Weir.V1;

namespace Weir.Server.Users;

/// <summary>One CreateUsers call: checks rows, writes the good ones, counts and reports the others. A transaction writes each page that it changes once, so it
/// takes many batches. For one thread at a time.</summary>
internal sealed class UserImport(UserStore store, TimeProvider time) : IDisposable
{
    private readonly List<User> _good = [];
    private readonly List<long> _positions = []; // of the rows in _good
    private readonly List<RowError> _errors = []; // of the current batch
    private UserWrite? _write; // open from a batch to the commit
    private long _began; // timestamp of its begin
    private int _written; // rows in it
    private long _received;

    /// <summary>What to answer once every row was added.</summary>
    public CreateUsersResponse Response { get; } = new();

    /// <summary>Adds the rows that follow those of the last call. On return they are on disk, unless <paramref name="more"/> says that others come at once:
    /// then they may wait for those. When it throws, what is not on disk is undone with the import's disposal.</summary>
    public async Task AddAsync(List<User> rows, bool more, CancellationToken cancellationToken)
    {
        foreach (var row in rows)
        {
            _received++;
            if (UserRules.FindFault(row) is { } fault)
                Skip(_received, fault, row);
            else
                Keep(row);
        }

        if (_good.Count > 0)
        {
            if (_write is null)
            {
                _write = await store.BeginAsync(cancellationToken);
                _began = time.GetTimestamp();
            }

            var taken = _write.Add(_good);
            _written += _good.Count;
            Response.Created += _good.Count - taken.Count;
            foreach (var index in taken)
                Skip(_positions[index], "The e-mail is already taken.", _good[index]);
        }

        Report();
        _good.Clear();
        _positions.Clear();
        if (!more || _written >= UserLimits.MaxTransactionRows || time.GetElapsedTime(_began) >= UserLimits.MaxTransactionAge)
            Commit();
    }

    /// <summary>On return every row that was added is on disk.</summary>
    public void Commit()
    {
        _write?.Commit();
        Dispose();
    }

    public void Dispose()
    {
        _write?.Dispose();
        _write = null;
        _written = 0;
    }

    private void Keep(User row)
    {
        _good.Add(row);
        _positions.Add(_received);
    }

    private void Skip(long position, string reason, User row)
    {
        Response.Skipped++;
        if (Response.Errors.Count < UserLimits.MaxReportedErrors)
            _errors.Add(new RowError { Position = position, Reason = reason, Email = row.Email });
    }

    // Duplicates are known only after the write; sorted, the first hundred are the first in the stream.
    private void Report()
    {
        _errors.Sort((left, right) => left.Position.CompareTo(right.Position));
        Response.Errors.Add(_errors.Take(UserLimits.MaxReportedErrors - Response.Errors.Count));
        _errors.Clear();
    }
}
