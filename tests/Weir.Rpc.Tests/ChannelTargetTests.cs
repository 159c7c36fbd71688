using System.Net;
using System.Net.Security;
using Weir.Rpc.Channels;
using Weir.Rpc.Tests.Support;

namespace Weir.Rpc.Tests;

public sealed class ChannelTargetTests
{
    [Theory]
    [InlineData("http://localhost:7070", "localhost:7070", "http", "localhost:7070", "localhost")]
    [InlineData("https://example.org", "example.org:443", "https", "example.org", "example.org")]
    [InlineData("http://[::1]:81/", "[::1]:81", "http", "[::1]:81", "::1")]
    [InlineData("dns:///example.org:50051", "example.org:50051", "http", "example.org:50051", "example.org")]
    [InlineData("dns:example.org", "example.org:80", "http", "example.org", "example.org")]
    [InlineData("dns:///[::1]:81", "[::1]:81", "http", "[::1]:81", "::1")]
    [InlineData("static:///10.0.0.1:1,[::1]:2,name:3", "10.0.0.1:1,[::1]:2,name:3", "http", "10.0.0.1:1", "10.0.0.1")]
    [InlineData("unix:/tmp/a", "unix:/tmp/a", "http", "localhost", "localhost")]
    [InlineData("unix:///tmp/a", "unix:/tmp/a", "http", "localhost", "localhost")]
    [InlineData("unix:relative", "unix:relative", "http", "localhost", "localhost")]
    public void Addresses_are_taken_apart(string address, string display, string scheme, string authority, string host)
    {
        var target = ChannelTarget.Parse(address, new RpcChannelOptions());
        Assert.Equal((display, scheme, authority, host), (target.Display, target.Scheme, target.Authority, target.Host));
        Assert.Equal("other", ChannelTarget.Parse(address, new RpcChannelOptions { Authority = "other" }).Authority);
    }

    [Theory]
    [InlineData("http://10.0.0.1:81", "10.0.0.1:81")]
    [InlineData("http://[::1]:81", "[::1]:81")]
    [InlineData("dns:///10.0.0.1:81", "10.0.0.1:81")]
    [InlineData("static:///10.0.0.1:1,[::1]:2,name:3", "10.0.0.1:1 [::1]:2 name:3")]
    [InlineData("unix:///tmp/a", "unix:/tmp/a")]
    public async Task Addresses_that_name_their_servers_need_no_resolver(string address, string expected)
    {
        await using var resolver = Assert.IsType<FixedResolver>(ChannelTarget.Parse(address, new RpcChannelOptions()).CreateResolver());
        Assert.Equal(expected, string.Join(' ', await resolver.ResolveAsync(default)));
    }

    [Theory]
    [InlineData("http://localhost:81")]
    [InlineData("dns:///localhost:81")]
    public async Task Names_are_looked_up(string address)
    {
        await using var resolver = Assert.IsType<DnsResolver>(ChannelTarget.Parse(address, new RpcChannelOptions()).CreateResolver());
        var found = await resolver.ResolveAsync(default).SoonAsync();
        Assert.NotEmpty(found);
        Assert.All(found, server => Assert.True(server.EndPoint is IPEndPoint { Port: 81 } ip && IPAddress.IsLoopback(ip.Address)));
    }

    [Theory]
    [InlineData("dns:///a", "a:443", "https")]
    [InlineData("static:///a,b", "a,b", "https")]
    [InlineData("unix:/a", "unix:/a", "https")]
    [InlineData("http://a", "a:80", "http")]
    public void Tls_settings_mean_tls_except_for_http(string address, string display, string scheme)
    {
        var target = ChannelTarget.Parse(address, new RpcChannelOptions { Tls = new SslClientAuthenticationOptions() });
        Assert.Equal((display, scheme), (target.Display, target.Scheme));
    }

    [Fact]
    public void A_scheme_of_the_application_gets_what_follows_it()
    {
        var options = new RpcChannelOptions();
        string? body = null;
        options.Resolvers["consul"] = text =>
        {
            body = text;
            return new FixedResolver([]);
        };
        var target = ChannelTarget.Parse("consul:///orders", options);
        _ = target.CreateResolver();
        Assert.Equal(("orders", "orders", "consul:///orders"), (body, target.Authority, target.Display));
        Assert.Equal("localhost", ChannelTarget.Parse("consul:///two words", options).Authority);
    }

    [Fact]
    public void Addresses_are_equal_by_end_point_and_attributes()
    {
        var endPoint = new IPEndPoint(IPAddress.Loopback, 1);
        RpcAddress With(object weight) => new(endPoint, new Dictionary<string, object> { ["weight"] = weight });
        Assert.Equal(With(1), With(1));
        Assert.Equal(With(1).GetHashCode(), With(1).GetHashCode());
        Assert.NotEqual(With(1), With(2));
        Assert.NotEqual(With(1), new RpcAddress(endPoint));
        Assert.NotEqual(new RpcAddress(new IPEndPoint(IPAddress.Loopback, 2)), new RpcAddress(endPoint));
        Assert.False(With(1).Equals((object)"x"));
    }

    [Fact]
    public void Families_take_turns_beginning_with_the_first_address()
    {
        static RpcAddress[] Parse(string text) => [.. text.Split(' ').Select(ip => new RpcAddress(new IPEndPoint(IPAddress.Parse(ip), 1)))];
        Assert.Equal(Parse("::1 1.1.1.1 ::2 2.2.2.2 ::3"), PickFirst.Interleave(Parse("::1 ::2 ::3 1.1.1.1 2.2.2.2")));
        Assert.Equal(Parse("1.1.1.1 ::1 2.2.2.2 3.3.3.3"), PickFirst.Interleave(Parse("1.1.1.1 2.2.2.2 3.3.3.3 ::1")));
    }

    [Fact]
    public void A_policy_that_nobody_knows_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => RpcChannel.ForAddress("http://a", new RpcChannelOptions { LoadBalancing = ["xds", "grpclb"] }));
        Assert.Equal("None of the policies \"xds\", \"grpclb\" is known (LoadBalancing).", error.Message);
    }
}
