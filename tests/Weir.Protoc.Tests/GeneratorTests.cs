namespace Weir.Protoc.Tests;

public sealed class GeneratorTests
{
    private const string Plain = """
        syntax = "proto3";
        package a.b;
        service S { rpc Do(M) returns (M); }
        message M {}
        """;

    [Fact]
    public void The_answer_says_that_proto3_optional_and_all_editions_will_do()
    {
        var response = Generator.Run(Protoc.Request(1, ("s.proto", Plain)));

        Assert.Equal(3UL, response.SupportedFeatures);
        Assert.Equal((998, 1001), (response.MinimumEdition, response.MaximumEdition));
        Assert.False(response.HasError);
    }

    [Theory]
    [InlineData("s.proto", "SGrpc.cs")]
    [InlineData("deep/down/my_own_api.proto", "MyOwnApiGrpc.cs")]
    [InlineData("_two__words.proto", "TwoWordsGrpc.cs")]
    [InlineData("v1.api.proto", "V1.apiGrpc.cs")]
    public void The_file_is_named_as_Grpc_Tools_expects(string proto, string expected) =>
        Assert.Equal(expected, Assert.Single(Generator.Run(Protoc.Request(1, (proto, Plain))).File).Name);

    [Theory]
    [InlineData("", "")]
    [InlineData("weir.v1", "Weir.V1")]
    [InlineData("my_own.long_name", "MyOwn.LongName")]
    [InlineData("v1beta2x", "V1Beta2X")]
    [InlineData("HTTPServer.iOS", "HTTPServer.IOS")]
    [InlineData("_1a", "_1A")]
    [InlineData("_a__b_", "AB")]
    public void A_package_becomes_the_namespace_that_protoc_gives_it(string package, string expected) =>
        Assert.Equal(expected, CSharpName.UpperCamel(package));

    [Fact]
    public void Only_the_files_asked_for_are_generated()
    {
        var request = Protoc.Request(
            1,
            ("one.proto", """syntax = "proto3"; import "two.proto"; service One { rpc Do(a.b.M) returns (a.b.M); }"""),
            ("two.proto", Plain));

        Assert.Equal("OneGrpc.cs", Assert.Single(Generator.Run(request).File).Name);
    }

    [Fact]
    public void No_server_leaves_the_server_out()
    {
        var content = Content("no_server");

        Assert.DoesNotContain("class Server", content, StringComparison.Ordinal);
        Assert.Contains("class Client", content, StringComparison.Ordinal);
    }

    [Fact]
    public void No_client_leaves_the_client_out()
    {
        var content = Content("no_client,internal_access");

        Assert.Contains("class Server", content, StringComparison.Ordinal);
        Assert.DoesNotContain("class Client", content, StringComparison.Ordinal);
        Assert.Contains("internal static partial class S", content, StringComparison.Ordinal);
    }

    [Fact]
    public void Line_ends_that_only_CSharp_knows_do_not_end_a_comment()
    {
        var request = Protoc.Request(1, ("s.proto", Plain.Replace("service", "// one\u2028two\u0085three\u0001\U0001F600\nservice", StringComparison.Ordinal)));

        Assert.Contains("/// one\n/// two\n/// three\U0001F600\n", Assert.Single(Generator.Run(request).File).Content, StringComparison.Ordinal);
    }

    private static string Content(string parameter)
    {
        var request = Protoc.Request(1, ("s.proto", Plain));
        request.Parameter = parameter;
        return Assert.Single(Generator.Run(request).File).Content;
    }
}
