using Weir.V1;

namespace Weir.Server.Users;

/// <summary>One CreateUsers call: checks rows, writes the good ones, counts and reports the others.</summary>
internal sealed class UserImport(UserStore store)
{
    private readonly List<User> _good = [];
    private readonly List<long> _positions = []; // of the rows in _good
    private readonly List<RowError> _errors = []; // of the current batch
    private long _received;

    /// <summary>What to answer once every row was added.</summary>
    public CreateUsersResponse Response { get; } = new();

    /// <summary>Adds the rows that follow those of the last call; on return the good ones are on disk.</summary>
    public async Task AddAsync(List<User> rows, CancellationToken cancellationToken)
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
            var taken = await store.CreateAsync(_good, cancellationToken);
            Response.Created += _good.Count - taken.Count;
            foreach (var index in taken)
                Skip(_positions[index], "The e-mail is already taken.", _good[index]);
        }

        Report();
        _good.Clear();
        _positions.Clear();
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
