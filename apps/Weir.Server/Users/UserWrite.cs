using Weir.V1;

namespace Weir.Server.Users;

/// <summary>One transaction that adds users. Until it is disposed no other is begun; what has not been committed then is undone. For one thread at a
/// time.</summary>
internal sealed class UserWrite(UserInsert insert, SemaphoreSlim writer) : IDisposable
{
    /// <summary>Adds a batch and returns the indexes of the users whose e-mail is taken.</summary>
    public List<int> Add(List<User> batch) => insert.Add(batch);

    /// <summary>On return everything that was added is on disk.</summary>
    public void Commit() => insert.Commit();

    /// <summary>Once.</summary>
    public void Dispose()
    {
        try
        {
            insert.End();
        }
        finally
        {
            writer.Release();
        }
    }
}
