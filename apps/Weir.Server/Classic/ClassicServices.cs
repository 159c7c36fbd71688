using Weir.Rpc;
using Weir.Server.Chat;
using Weir.Server.Files;
using Weir.Server.Stocks;
using Weir.Server.Users;
using Weir.V1;

namespace Weir.Server.Classic;

/// <summary>The classic StreamService: the handlers' calls under their old paths.</summary>
internal sealed class ClassicStreams(UsersHandler users, StocksHandler stocks, FilesHandler files) : StreamService.Server
{
    public override IAsyncEnumerable<User> GetUserList(GetUserListRequest request, ServerCall call) => users.GetUserList(request, call);

    public override IAsyncEnumerable<StockPrice> GetStockPrices(StockRequest request, ServerCall call) => stocks.GetStockPrices(request, call);

    public override ValueTask<UploadResponse> UploadFile(IAsyncEnumerable<FileChunk> requests, ServerCall call) => files.UploadFile(requests, call);

    public override ValueTask<CreateUsersResponse> CreateUsers(IAsyncEnumerable<User> requests, ServerCall call) => users.CreateUsers(requests, call);
}

/// <summary>The classic StockService.</summary>
internal sealed class ClassicStocks(StocksHandler stocks) : StockService.Server
{
    public override IAsyncEnumerable<StockPrice> GetRealTimePrices(StockRequest request, ServerCall call) => stocks.GetRealTimePrices(request, call);
}

/// <summary>The classic ChatService: the same rooms, without the notices that only weir.v1 knows.</summary>
internal sealed class ClassicChat(ChatHandler chat) : ChatService.Server
{
    public override IAsyncEnumerable<ChatMessage> Chat(IAsyncEnumerable<ChatMessage> requests, ServerCall call) => chat.Chat(requests, call, ChatDialect.Classic);
}

internal static class ClassicSetup
{
    /// <summary>Adds the classic services; needs the handlers.</summary>
    public static IServiceCollection AddClassic(this IServiceCollection services) =>
        services.AddSingleton<ClassicStreams>().AddSingleton<ClassicStocks>().AddSingleton<ClassicChat>();
}
