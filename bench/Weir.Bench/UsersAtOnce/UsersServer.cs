using Microsoft.Extensions.Hosting;
using Weir.AspNetCore;
using Weir.Rpc;
using Weir.Server;
using Weir.Server.Users;
using Weir.V1;

namespace Weir.Bench.UsersAtOnce;

/// <summary>Weir's own server over a folder with its SQLite file, and beside its user calls the same without streaming.</summary>
internal static class UsersServer
{
    /// <summary>Room for the users of one run in one message.</summary>
    public const int MaxMessageBytes = 256 * 1024 * 1024;

    /// <summary>Serves on 127.0.0.1 until Ctrl-C or SIGTERM.</summary>
    public static async Task RunAsync(int port, string folder)
    {
        await using var app = WeirServer.BuildWith(["--urls", $"http://127.0.0.1:{port}", "--data", folder], builder => builder.AddWeir(options =>
        {
            options.Rpc.MaxReceiveMessageBytes = MaxMessageBytes;
            options.Rpc.MaxSendMessageBytes = MaxMessageBytes;
        }));
        app.MapRpc<AllUsers>();
        await app.StartAsync();
        Console.WriteLine($"listening {port}");
        await app.WaitForShutdownAsync();
    }

    private sealed class AllUsers(UserStore store, TimeProvider time) : AllUsersService.Server
    {
        public override ValueTask<UserTable> GetAll(GetUserListRequest request, ServerCall call)
        {
            var table = new UserTable();
            var page = new List<User>();
            using var pages = store.OpenPages(request.AfterId, request.EmailPrefix);
            while (table.Users.Count < request.Limit && pages.TryRead(page, Math.Min(request.PageSize, request.Limit - table.Users.Count), call.CancellationToken))
                table.Users.AddRange(page);
            return ValueTask.FromResult(table);
        }

        public override async ValueTask<CreateUsersResponse> CreateAll(UserTable request, ServerCall call)
        {
            using var import = new Server.Users.UserImport(store, time);
            await import.AddAsync([.. request.Users], more: false, call.CancellationToken);
            return import.Response;
        }
    }
}
