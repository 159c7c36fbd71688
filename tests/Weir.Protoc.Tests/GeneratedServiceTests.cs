using Golden.Kinds;
using Weir.Rpc;

namespace Weir.Protoc.Tests;

/// <summary>The services that this project's own build has generated, at work.</summary>
public sealed class GeneratedServiceTests
{
    private sealed class OneMethod : Counter.Server
    {
        public override ValueTask<Count> Get(CountRequest request, ServerCall call) => new(new Count { Value = request.Name.Length });
    }

    [Fact]
    public async Task A_derived_service_binds_all_methods_and_its_override_answers()
    {
        var binder = Bind<OneMethod>();

        Assert.Equal(
            [
                "Unary /golden.kinds.Counter/Get",
                "ClientStreaming /golden.kinds.Counter/Add",
                "ServerStreaming /golden.kinds.Counter/Watch",
                "DuplexStreaming /golden.kinds.Counter/Exchange",
                "Unary /golden.kinds.Counter/Bare",
            ],
            binder.Bound.Keys);
        var answer = await (Task<Count>)binder.Bound["Unary /golden.kinds.Counter/Get"](new OneMethod(), new CountRequest { Name = "four" });
        Assert.Equal(4, answer.Value);
    }

    [Fact]
    public void A_service_hands_its_own_descriptor_to_the_binder()
    {
        Assert.Equal("golden.kinds.Counter", Counter.Descriptor.FullName);
        Assert.Same(Counter.Descriptor, Bind<OneMethod>().Described);
        Assert.Equal(["Unpackaged", "event", "Nothing"], [Unpackaged.Descriptor.FullName, @event.Descriptor.FullName, Nothing.Descriptor.FullName]);
    }

    [Theory]
    [InlineData("Unary", "Bare")]
    [InlineData("ClientStreaming", "Add")]
    [InlineData("ServerStreaming", "Watch")]
    [InlineData("DuplexStreaming", "Exchange")]
    public void A_method_that_is_not_overridden_is_Unimplemented_and_named(string kind, string name)
    {
        var handler = Bind<OneMethod>().Bound[$"{kind} /golden.kinds.Counter/{name}"];
        object request = kind is "ClientStreaming" or "DuplexStreaming" ? AsyncEnumerable.Empty<Count>() : new CountRequest();

        var error = Assert.Throws<RpcException>(() => handler(new OneMethod(), request));

        Assert.Equal(new Status(StatusCode.Unimplemented, $"golden.kinds.Counter/{name} is not implemented."), error.Status);
    }

    [Fact]
    public void A_client_calls_its_invoker_with_the_method_and_what_it_was_given()
    {
        var invoker = new RecordingInvoker();
        var client = new Counter.Client(invoker);
        var options = new CallOptions { Timeout = TimeSpan.FromSeconds(3) };
        using var stop = new CancellationTokenSource();
        var request = new CountRequest();

        client.Get(request, options, stop.Token);
        client.Add(options, stop.Token);
        client.Watch(request, options, stop.Token);
        client.Exchange(options, stop.Token);

        Assert.Equal(
            [
                ("Unary /golden.kinds.Counter/Get", request, options, stop.Token),
                ("ClientStreaming /golden.kinds.Counter/Add", null, options, stop.Token),
                ("ServerStreaming /golden.kinds.Counter/Watch", request, options, stop.Token),
                ("DuplexStreaming /golden.kinds.Counter/Exchange", null, options, stop.Token),
            ],
            invoker.Calls);
    }

    [Fact]
    public void A_client_needs_an_invoker() => Assert.Throws<ArgumentNullException>("invoker", () => new Counter.Client(null!));

    [Fact]
    public void A_method_with_a_name_that_is_taken_keeps_its_own_on_the_wire()
    {
        Assert.Equal("/golden.clashes.Clashes/Server", Golden.Clashes.Clashes.Methods.Server__.Path);
        Assert.Equal("/golden.clashes.Clashes/Server_", Golden.Clashes.Clashes.Methods.Server_.Path);
        Assert.Equal("/golden.clashes.Clashes/Client", Golden.Clashes.Clashes.Methods.Client_.Path);
        Assert.Equal("/golden.clashes.Clashes/class", Golden.Clashes.Clashes.Methods.@class.Path);
    }

    [Fact]
    public void A_service_without_a_package_has_its_bare_name_on_the_wire()
    {
        Assert.Equal("Unpackaged", Unpackaged.ServiceName);
        Assert.Equal("/event/fire", @event.Methods.fire.Path);
    }

    [Fact]
    public void Access_holds_for_services_as_for_messages()
    {
        Assert.True(typeof(Counter).IsPublic);
        Assert.False(typeof(Golden.Hidden.Deeper.Hidden).IsPublic);
        Assert.False(typeof(Golden.Hidden.Deeper.HiddenMessage).IsPublic);
    }

    [Fact]
    public void A_deprecated_service_or_method_warns_its_callers_only()
    {
        Assert.True(typeof(Golden.Old.Old).GetNestedType("Client")!.IsDefined(typeof(ObsoleteAttribute), false));
        Assert.False(typeof(Golden.Old.Old.Server).IsDefined(typeof(ObsoleteAttribute), false));
        Assert.True(typeof(Golden.Old.Mixed.Client).GetMethod("Former")!.IsDefined(typeof(ObsoleteAttribute), false));
        Assert.False(typeof(Golden.Old.Mixed.Server).GetMethod("Former")!.IsDefined(typeof(ObsoleteAttribute), false));
        Assert.False(typeof(Golden.Old.Mixed.Client).GetMethod("Latter")!.IsDefined(typeof(ObsoleteAttribute), false));
    }

    private static RecordingBinder Bind<T>()
        where T : class, IRpcService
    {
        var binder = new RecordingBinder();
        T.Bind(binder);
        return binder;
    }
}
