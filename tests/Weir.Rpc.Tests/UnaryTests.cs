using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

public sealed class UnaryTests
{
    [Fact]
    public async Task A_unary_call_gives_the_handlers_answer()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, call) => ValueTask.FromResult($"{request} {call.Method} {call.Peer}");
        Assert.Equal("hello /test.Service/Unary pipe", await host.Unary("hello").SoonAsync());
    }

    [Fact]
    public async Task Many_calls_share_one_connection()
    {
        await using var host = new TestHost();
        host.Service.OnUnary = async (request, _) =>
        {
            await Task.Yield();
            return request;
        };
        var calls = Enumerable.Range(0, 1000).Select(i => host.Unary($"{i}").AsTask()).ToArray();
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i}"), await Task.WhenAll(calls).SoonAsync());
        Assert.InRange(host.Connections, 1, 4);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1018)]
    [InlineData(1019)]
    [InlineData(1020)]
    [InlineData(65_536)]
    [InlineData(1_500_000)]
    [InlineData(4_194_304)]
    public async Task A_message_of_any_size_up_to_the_limit_passes_both_ways(int size)
    {
        await using var host = new TestHost();
        host.Service.OnUnary = (request, _) => ValueTask.FromResult(request);
        var message = new string('x', size);
        Assert.Equal(message, await host.Unary(message).SoonAsync());
    }
}
