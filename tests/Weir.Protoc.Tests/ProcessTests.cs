namespace Weir.Protoc.Tests;

public sealed class ProcessTests
{
    private const string Plain = """
        syntax = "proto3";
        package a;
        service S { rpc Do(M) returns (M); }
        message M {}
        """;

    private static readonly string PluginArgument = $"--plugin=protoc-gen-weir={Protoc.Tool("Plugin")}";

    [Fact]
    public void Protoc_runs_the_plugin_and_writes_its_file()
    {
        using var protoc = new Protoc();
        protoc.Add("s.proto", Plain);

        var (code, error) = protoc.Run(PluginArgument, "--weir_out=.", "s.proto");

        Assert.Equal((0, ""), (code, error));
        var expected = Assert.Single(Generator.Run(Protoc.Request(1, ("s.proto", Plain))).File).Content;
        Assert.Equal(expected, File.ReadAllText(Path.Combine(protoc.Folder, "SGrpc.cs")));
    }

    [Fact]
    public void Protoc_prints_the_plugins_error_and_fails()
    {
        using var protoc = new Protoc();
        protoc.Add("s.proto", Plain);

        var (code, error) = protoc.Run(PluginArgument, "--weir_out=.", "--weir_opt=wrong", "s.proto");

        Assert.Equal(1, code);
        Assert.Contains("Unknown option \"wrong\"", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Garbage_on_stdin_is_an_error()
    {
        using var protoc = new Protoc();

        var (code, error) = protoc.Run(Protoc.Tool("Plugin"), [], "garbage");

        Assert.Equal(1, code);
        Assert.StartsWith("protoc-gen-weir: stdin is not a CodeGeneratorRequest: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Arguments_are_answered_with_how_to_use_it()
    {
        using var protoc = new Protoc();

        var (code, error) = protoc.Run(Protoc.Tool("Plugin"), ["--help"], "");

        Assert.Equal(2, code);
        Assert.Contains("protoc --plugin=protoc-gen-weir=PATH --weir_out=DIR FILE.proto", error, StringComparison.Ordinal);
    }
}
