using Google.Protobuf.Reflection;
using Grpc.Reflection.V1;
using Microsoft.Extensions.DependencyInjection;
using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

public sealed class ReflectionTests
{
    private static readonly Method<ServerReflectionRequest, ServerReflectionResponse> Alpha = new(
        MethodKind.DuplexStreaming,
        "grpc.reflection.v1alpha.ServerReflection",
        "ServerReflectionInfo",
        ServerReflection.Methods.ServerReflectionInfo.Requests,
        ServerReflection.Methods.ServerReflectionInfo.Responses);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Services_are_listed_by_name_whether_they_were_mapped_before_or_after()
    {
        var answer = Assert.Single(await AskAsync(new ServerReflectionRequest { ListServices = "*", Host = "me" }));
        Assert.Equal(
            ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "test.Bare", "test.drawing.Drawing"],
            answer.ListServicesResponse.Service.Select(service => service.Name));
        Assert.Equal(("me", "*"), (answer.ValidHost, answer.OriginalRequest.ListServices));
    }

    [Theory]
    [InlineData("test.drawing.Drawing")]
    [InlineData("test.drawing.Drawing.Draw")]
    [InlineData("test.drawing.Pen")]
    [InlineData("test.drawing.Pen.width")]
    public async Task A_symbol_gives_its_file_and_what_that_imports(string symbol) =>
        Assert.Equal(["drawing.proto", "shapes.proto"], FilesOf(Assert.Single(await AskAsync(Symbol(symbol)))));

    [Theory]
    [InlineData("test.shapes.Shape")]
    [InlineData("test.shapes.Shape.unit")]
    [InlineData("test.shapes.Shape.Corner")]
    [InlineData("test.shapes.Shape.Corner.x")]
    [InlineData("test.shapes.Shape.Unit")]
    [InlineData("test.shapes.colour")]
    public async Task Symbols_of_imported_files_are_found_as_well(string symbol) =>
        Assert.Equal(["shapes.proto"], FilesOf(Assert.Single(await AskAsync(Symbol(symbol)))));

    [Fact]
    public async Task A_stream_gets_an_import_once_and_what_it_asks_for_each_time()
    {
        var answers = await AskAsync(new() { FileByFilename = "drawing.proto" }, new() { FileByFilename = "drawing.proto" }, new() { FileByFilename = "shapes.proto" });
        Assert.Equal([["drawing.proto", "shapes.proto"], ["drawing.proto"], ["shapes.proto"]], answers.Select(FilesOf));
    }

    [Fact]
    public async Task An_extension_gives_its_file_and_its_message_all_numbers()
    {
        var answers = await AskAsync(
            Extension("test.shapes.Shape", 100),
            Extension("test.shapes.Shape", 101),
            new() { AllExtensionNumbersOfType = "test.shapes.Shape" },
            new() { AllExtensionNumbersOfType = "test.shapes.Plain" });
        Assert.Equal([["drawing.proto", "shapes.proto"], ["shapes.proto"]], answers.Take(2).Select(FilesOf));
        Assert.Equal("test.shapes.Shape", answers[2].AllExtensionNumbersResponse.BaseTypeName);
        Assert.Equal([100, 101], answers[2].AllExtensionNumbersResponse.ExtensionNumber);
        Assert.Empty(answers[3].AllExtensionNumbersResponse.ExtensionNumber);
    }

    [Fact]
    public async Task What_is_not_found_is_an_answer_and_the_stream_goes_on()
    {
        var answers = await AskAsync(
            new() { FileByFilename = "none.proto" },
            Symbol("test.None"),
            Extension("test.shapes.Shape", 199),
            Extension("test.None", 1),
            new() { AllExtensionNumbersOfType = "test.None" },
            Symbol("test.shapes.Plain"));
        Assert.Equal(
            [
                (5, "file \"none.proto\" is not found here"),
                (5, "symbol \"test.None\" is not found here"),
                (5, "extension 199 of message \"test.shapes.Shape\" is not found here"),
                (5, "extension 1 of message \"test.None\" is not found here"),
                (5, "message \"test.None\" is not found here"),
            ],
            answers.Take(5).Select(answer => (answer.ErrorResponse.ErrorCode, answer.ErrorResponse.ErrorMessage)));
        Assert.Equal(["shapes.proto"], FilesOf(answers[5]));
    }

    [Fact]
    public async Task A_request_for_nothing_is_InvalidArgument() =>
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => AskAsync(new ServerReflectionRequest()))).StatusCode);

    [Fact]
    public async Task V1alpha_answers_the_same()
    {
        await using var app = await StartAsync();
        await using var call = app.Channel.DuplexStreaming(Alpha, default, Stop);
        Assert.Equal(["drawing.proto", "shapes.proto"], FilesOf(Assert.Single(await ExchangeAsync(call, Symbol("test.drawing.Drawing")))));
    }

    private static ServerReflectionRequest Symbol(string name) => new() { FileContainingSymbol = name };

    private static ServerReflectionRequest Extension(string type, int number) =>
        new() { FileContainingExtension = new() { ContainingType = type, ExtensionNumber = number } };

    private static string[] FilesOf(ServerReflectionResponse answer) =>
        [.. answer.FileDescriptorResponse.FileDescriptorProto.Select(file => FileDescriptorProto.Parser.ParseFrom(file).Name)];

    private static Task<RpcApp> StartAsync() => RpcApp.StartAsync(
        builder => builder.Services.AddRpcHealth(),
        app => app.MapRpcHealth().MapRpcReflection().MapRpc<Board>().MapRpc<BareService>());

    private static async Task<List<ServerReflectionResponse>> AskAsync(params ServerReflectionRequest[] requests)
    {
        await using var app = await StartAsync();
        await using var call = new ServerReflection.Client(app.Channel).ServerReflectionInfo(cancellationToken: Stop);
        return await ExchangeAsync(call, requests);
    }

    private static async Task<List<ServerReflectionResponse>> ExchangeAsync(
        DuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call, params ServerReflectionRequest[] requests)
    {
        foreach (var request in requests)
            await call.SendAsync(request, Stop);
        await call.CompleteAsync(Stop);
        return await call.Responses.ToListAsync(Stop).AsTask().Soon();
    }

    private sealed class Board : Weir.AspNetCore.Tests.Drawing.Drawing.Server;

    /// <summary>A service that comes from no .proto.</summary>
    private sealed class BareService : IRpcService
    {
        static void IRpcService.Bind(ServiceBinder binder) => binder.Unary<BareService, ServerReflectionRequest, ServerReflectionResponse>(
            new Method<ServerReflectionRequest, ServerReflectionResponse>(MethodKind.Unary, "test.Bare", "Ask", Alpha.Requests, Alpha.Responses),
            static (_, _, _) => new(new ServerReflectionResponse()));
    }
}
