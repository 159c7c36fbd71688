namespace Weir.Protoc.Tests;

public sealed class ErrorTests
{
    private const string Plain = """syntax = "proto3"; package a; option csharp_namespace = "N"; service Thing { rpc Do(M) returns (M); } message M {}""";

    [Fact]
    public void An_unknown_option_is_named_beside_those_that_exist()
    {
        var request = Protoc.Request(1, ("s.proto", Plain));
        request.Parameter = "internal_access,public";

        AssertError("Unknown option \"public\" for protoc-gen-weir; it knows internal_access, no_server and no_client.", request);
    }

    [Fact]
    public void A_file_that_is_not_described_is_named()
    {
        var request = Protoc.Request(1, ("s.proto", Plain));
        request.FileToGenerate.Add("other.proto");

        AssertError("other.proto: protoc asks for this file but does not describe it.", request);
    }

    [Fact]
    public void A_message_that_no_file_declares_is_named_with_its_method()
    {
        var request = Protoc.Request(1, ("s.proto", Plain));
        request.ProtoFile[0].MessageType.Clear();

        AssertError("s.proto: rpc a.Thing.Do cannot be generated: no file of the request declares its message .a.M.", request);
    }

    [Theory]
    [InlineData("message Thing {}", "message Thing of two.proto")]
    [InlineData("enum Thing { ZERO = 0; }", "enum Thing of two.proto")]
    [InlineData("service Thing {}", "service Thing of two.proto")]
    public void A_service_with_the_class_name_of_something_else_is_an_error(string declaration, string owner) =>
        AssertError(
            $"s.proto: service a.Thing cannot be generated: its C# class N.Thing has the name of {owner}. Give one of the files another csharp_namespace.",
            WithImport($"""syntax = "proto3"; package b; option csharp_namespace = "N"; {declaration}"""));

    [Fact]
    public void A_service_with_the_name_of_a_namespace_is_an_error() =>
        AssertError(
            "s.proto: service a.Thing cannot be generated: its C# class N.Thing has the name of the C# namespace of two.proto. Give one of the files another csharp_namespace.",
            WithImport("""syntax = "proto3"; package n.thing.deeper; message M {}"""));

    [Fact]
    public void A_service_with_the_name_of_the_descriptor_class_is_an_error() =>
        AssertError(
            "thing_2x.proto: service Thing2XReflection cannot be generated: its C# class Thing2XReflection has the name of protoc's descriptor class of thing_2x.proto. " +
            "Give one of the files another csharp_namespace.",
            Protoc.Request(1, ("thing_2x.proto", """syntax = "proto3"; service Thing2XReflection {}""")));

    [Fact]
    public void Two_files_of_the_same_name_do_not_overwrite_each_other() =>
        AssertError(
            "y/s.proto: its services would go to SGrpc.cs, as those of x/s.proto do. Generate them into different directories.",
            Protoc.Request(2, ("x/s.proto", """syntax = "proto3"; service X {}"""), ("y/s.proto", """syntax = "proto3"; service Y {}""")));

    private static CodeGeneratorRequest WithImport(string import) =>
        Protoc.Request(1, ("s.proto", Plain.Replace("package a;", "package a; import \"two.proto\";", StringComparison.Ordinal)), ("two.proto", import));

    private static void AssertError(string expected, CodeGeneratorRequest request)
    {
        var response = Generator.Run(request);
        Assert.Equal(expected, response.Error);
        Assert.Empty(response.File);
    }
}
