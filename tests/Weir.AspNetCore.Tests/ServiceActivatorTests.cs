using Microsoft.Extensions.DependencyInjection;
using Weir.Rpc;

namespace Weir.AspNetCore.Tests;

public sealed class ServiceActivatorTests
{
    private readonly ServiceCollection _services = [];

    [Fact]
    public async Task A_singleton_is_one_object_for_all_calls_and_is_not_disposed()
    {
        _services.AddSingleton<Dependency>().AddSingleton<Service>();
        await using var provider = _services.BuildServiceProvider();
        var activator = CreateActivator(provider);
        var (first, second) = (activator.Create(null!, out var firstState), activator.Create(null!, out var secondState));
        await activator.ReleaseAsync(first, firstState);
        await activator.ReleaseAsync(second, secondState);
        Assert.Same(first, second);
        Assert.False(first.Disposed);
    }

    [Theory]
    [InlineData(ServiceLifetime.Scoped)]
    [InlineData(ServiceLifetime.Transient)]
    [InlineData(null)] // not registered
    public async Task Any_other_service_has_a_scope_a_call_that_is_disposed_after_it(ServiceLifetime? lifetime)
    {
        _services.AddScoped<Dependency>();
        if (lifetime is { } registered)
            ((IServiceCollection)_services).Add(new ServiceDescriptor(typeof(Service), typeof(Service), registered));
        await using var provider = _services.BuildServiceProvider(validateScopes: true);
        var activator = CreateActivator(provider);
        var (first, second) = (activator.Create(null!, out var firstState), activator.Create(null!, out var secondState));
        Assert.NotSame(first, second);
        Assert.NotSame(first.Dependency, second.Dependency);
        await activator.ReleaseAsync(first, firstState);
        Assert.Equal((true, true, false, false), (first.Disposed, first.Dependency.Disposed, second.Disposed, second.Dependency.Disposed));
        await activator.ReleaseAsync(second, secondState);
    }

    [Fact]
    public async Task A_service_that_cannot_be_made_leaves_no_scope_behind()
    {
        Dependency? made = null;
        _services.AddScoped(_ => made = new Dependency()).AddScoped<Service>(provider =>
        {
            provider.GetRequiredService<Dependency>();
            throw new InvalidDataException();
        });
        await using var provider = _services.BuildServiceProvider();
        Assert.Throws<InvalidDataException>(() => CreateActivator(provider).Create(null!, out _));
        Assert.True(made!.Disposed);
    }

    private IServiceActivator<Service> CreateActivator(ServiceProvider provider) => new RegisteredServices(_services).CreateActivator<Service>(provider);

    internal sealed class Dependency : IDisposable
    {
        public bool Disposed { get; private set; }

        public void Dispose() => Disposed = true;
    }

    internal sealed class Service(Dependency dependency) : IAsyncDisposable
    {
        public Dependency Dependency { get; } = dependency;

        public bool Disposed { get; private set; }

        public ValueTask DisposeAsync()
        {
            Disposed = true;
            return ValueTask.CompletedTask;
        }
    }
}
