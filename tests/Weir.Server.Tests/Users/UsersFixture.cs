using Weir.Server.Hosting;
using Weir.Server.Storage;
using Weir.Server.Users;
using Weir.V1;

namespace Weir.Server.Tests.Users;

/// <summary>The user calls over a database of their own.</summary>
internal sealed class UsersFixture : IDisposable
{
    private readonly TempFolder _folder = new();

    public UsersFixture(TimeProvider? time = null, string? folder = null)
    {
        Folder = folder ?? _folder.Path;
        Database = new Database(new DataFolder(Folder));
        Store = new UserStore(Database);
        Handler = new UsersHandler(Store, time ?? TimeProvider.System);
    }

    public string Folder { get; }

    public Database Database { get; }

    public UserStore Store { get; }

    public UsersHandler Handler { get; }

    public static User NewUser(int number) => new() { Name = $"User {number}", Email = $"user{number}@example.org" };

    /// <summary>Fills the table with users 1 to <paramref name="count"/>, faster than the call does.</summary>
    public void Fill(int count)
    {
        using var connection = Database.Open();
        connection.Execute($"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO users (name, email) SELECT 'User ' || i, 'user' || i || '@example.org' FROM n
            """);
    }

    public async Task<CreateUsersResponse> CreateAsync(params User[] users)
    {
        using var call = new TestCall();
        return await Handler.CreateUsers(users.ToAsyncEnumerable(), call);
    }

    public async Task<List<User>> ListAsync(GetUserListRequest request)
    {
        using var call = new TestCall();
        return await Handler.GetUserList(request, call).ToListAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        Store.Dispose();
        Database.Dispose();
        _folder.Dispose();
    }
}
