using Microsoft.Extensions.DependencyInjection;
using Weir.AspNetCore.Tests.Shapes;
using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

/// <summary>Interceptors from dependency injection.</summary>
public sealed class InterceptorTests
{
    [Theory]
    [InlineData(ServiceLifetime.Scoped)]
    [InlineData(null)] // not registered
    public async Task A_scoped_interceptor_shares_the_scope_of_its_call_with_the_service(ServiceLifetime? lifetime)
    {
        var seen = new Seen();
        await using var app = await RpcApp.StartAsync(
            builder =>
            {
                builder.Services.AddSingleton(seen).AddScoped<Visitor>();
                if (lifetime is not null)
                    builder.Services.AddScoped<Greeter>();
            },
            app => app.MapRpc<Board>(own => own.Add<Greeter>()));
        var client = new DrawingService(app.Channel);
        await client.DrawAsync().Soon();
        await client.DrawAsync().Soon();
        await app.StopAsync();
        Assert.Equal(["in", "handler sees the interceptor's visitor: True", "disposed", "in", "handler sees the interceptor's visitor: True", "disposed"], seen.Order);
    }

    [Fact]
    public async Task The_hosts_interceptors_come_before_the_services_and_a_singleton_is_one_object()
    {
        var seen = new Seen();
        await using var app = await RpcApp.StartAsync(
            builder => builder.AddWeir(options => options.Interceptors.Add<Counter>().Add(new Named("second", seen))).Services.AddSingleton(seen).AddScoped<Visitor>().AddSingleton<Counter>(),
            app => app.MapRpc<Board>(own => own.Add(new Named("third", seen))));
        var client = new DrawingService(app.Channel);
        await client.DrawAsync().Soon();
        await client.DrawAsync().Soon();
        Assert.Equal(["1", "second", "third", "2", "second", "third"], seen.Order.Where(text => text.Length < 7));
    }

    private sealed class DrawingService(CallInvoker invoker)
    {
        private readonly Weir.AspNetCore.Tests.Drawing.Drawing.Client _client = new(invoker);

        public Task<Plain> DrawAsync() => _client.Draw(new Shape()).AsTask();
    }

    internal sealed class Seen
    {
        public List<string> Order { get; } = [];
    }

    internal sealed class Visitor(Seen seen) : IDisposable
    {
        public bool IsGreeted { get; set; }

        public void Dispose() => seen.Order.Add("disposed");
    }

    internal sealed class Board(Visitor visitor, Seen seen) : Weir.AspNetCore.Tests.Drawing.Drawing.Server
    {
        public override ValueTask<Plain> Draw(Shape request, ServerCall call)
        {
            seen.Order.Add($"handler sees the interceptor's visitor: {visitor.IsGreeted}");
            return ValueTask.FromResult(new Plain());
        }
    }

    internal sealed class Greeter(Visitor visitor, Seen seen) : ServerInterceptor
    {
        public override IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
            ServerCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next)
        {
            seen.Order.Add("in");
            visitor.IsGreeted = true;
            return next(requests);
        }
    }

    internal sealed class Counter(Seen seen) : ServerInterceptor
    {
        private int _calls;

        public override IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
            ServerCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next)
        {
            seen.Order.Add($"{++_calls}");
            return next(requests);
        }
    }

    internal sealed class Named(string name, Seen seen) : ServerInterceptor
    {
        public override IAsyncEnumerable<TResponse> Invoke<TRequest, TResponse>(
            ServerCall call, IAsyncEnumerable<TRequest> requests, Func<IAsyncEnumerable<TRequest>, IAsyncEnumerable<TResponse>> next)
        {
            seen.Order.Add(name);
            return next(requests);
        }
    }
}
